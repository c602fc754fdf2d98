/* signature.h - is an image signed as policy.json wants it?  cosign's simple signing, by a key; that of containers, by GPG
 *
 * A payload (JSON) names the digest of the manifest and the image; its SHA-256 is signed by an EC, RSA or Ed25519 key.
 */
#ifndef UNPACK_SIGNATURE_H
#define UNPACK_SIGNATURE_H

#include "oci/digest.h"
#include "unpack/request.h"

/* One signature: the payload's text, and the signature in base64. */
struct signature {
	const char *payload;
	size_t payload_bytes;
	const char *base64;
};

/* Does it say, signed by one of the signer's keys, that this manifest is what it wants?  0, or -errno with the reason. */
int signature_check(const struct signature *sig, const struct job_signer *signer,
		    const struct digest *manifest, struct err *e);
/* The same of a payload (n bytes) of which it is known already who has signed it: of containers-signature(5), by GPG. */
int signature_check_gpg(const char *payload, size_t n, const struct job_signer *signer,
			const struct digest *manifest, struct err *e);

#endif
