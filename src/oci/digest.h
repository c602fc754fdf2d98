/* digest.h - content digests (OCI image-spec, descriptor.md): "sha256:" and 64 lower-case hex digits
 *
 * Parsed once, to bytes: what names a file is printed from them, never a string that came from outside.
 */
#ifndef OCI_DIGEST_H
#define OCI_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

#define DIGEST_BYTES 32
#define DIGEST_HEX   (2 * DIGEST_BYTES + 1) /* with the NUL */
#define DIGEST_TEXT  (7 + DIGEST_HEX)

struct digest {
	uint8_t sha256[DIGEST_BYTES];
};

/* Exactly a sha256 digest; else -EINVAL. */
int digest_parse(const char *s, struct digest *ret);
void digest_text(const struct digest *d, char ret[DIGEST_TEXT]);
void digest_hex(const struct digest *d, char ret[DIGEST_HEX]);
bool digest_equal(const struct digest *a, const struct digest *b);

#endif
