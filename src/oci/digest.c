/* digest.c - content digests (OCI image-spec, descriptor.md): "sha256:" and 64 lower-case hex digits */
#include "oci/digest.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"

static const char prefix[] = "sha256:";

int digest_parse(const char *s, struct digest *ret)
{
	struct digest d = { 0 };
	int r;

	if (strncmp(s, prefix, sizeof(prefix) - 1))
		return -EINVAL;
	r = hex_decode(s + sizeof(prefix) - 1, DIGEST_BYTES, d.sha256);
	if (r == 0)
		*ret = d;
	return r;
}

void digest_hex(const struct digest *d, char ret[DIGEST_HEX])
{
	hex_encode(d->sha256, DIGEST_BYTES, ret);
}

void digest_text(const struct digest *d, char ret[DIGEST_TEXT])
{
	memcpy(ret, prefix, sizeof(prefix) - 1);
	digest_hex(d, ret + sizeof(prefix) - 1);
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	return !memcmp(a->sha256, b->sha256, DIGEST_BYTES);
}
