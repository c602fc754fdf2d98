/* signers.h - what policy.json asks of an image, as ketch-image is asked to check it (private to this room) */
#ifndef IMAGE_SIGNERS_H
#define IMAGE_SIGNERS_H

#include "base/buf.h"
#include "registry/policy.h"
#include "unpack/request.h"

struct signers {
	struct job_signer *list; /* none: it may come in as it is */
	struct buf *keyrings; /* of each: the keys of GPG */
	size_t n;
	bool cosign, gpg; /* is there one of these? */
};

/* Of "host/path" with this tag (NULL: by digest).  -EPERM: it is rejected. */
int signers_find(const char *policy_file, const char *name, const char *tag, struct signers *ret,
		 struct err *e);
/* Which of GPG's signatures (base64) count: their payloads become those of the signers.  -EPERM: none of one signer. */
int signers_check_gpg(struct signers *s, const struct strv *signatures, struct err *e);
void signers_done(struct signers *s);

#endif
