/* gpg_key.c - OpenPGP keys as gpgv wants them: without armour, one behind the other */
#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "image/gpg.h"

#define BEGIN "-----BEGIN PGP PUBLIC KEY BLOCK-----"
#define END   "-----END PGP PUBLIC KEY BLOCK-----"

static int no_key(struct err *e)
{
	return err_set(e, EINVAL, "it is no OpenPGP key");
}

/* What lies between the empty line behind the headers and the checksum (RFC 4880, 6.2), without line ends. */
static int take_block(struct buf *keyring, const char *from, const char *end, struct err *e)
{
	struct buf text = { 0 };
	bool in_body = false;
	int r;

	while (from < end) {
		size_t n = strcspn(from, "\n");

		if (from + n > end)
			n = (size_t)(end - from);
		if (in_body && *from == '=')
			break;
		if (in_body)
			buf_add(&text, from, n && from[n - 1] == '\r' ? n - 1 : n);
		in_body = in_body || strspn(from, " \r") >= n;
		from += n + 1;
	}
	r = text.len ? base64_decode(keyring, text.data, text.len) : -EINVAL;
	buf_done(&text);
	return r < 0 ? no_key(e) : 0;
}

int gpg_add_key(struct buf *keyring, const char *text, size_t n, struct err *e)
{
	const char *end;
	int r = 0;

	if (n && (unsigned char)*text >= 0x80) { /* the tag of a packet */
		buf_add(keyring, text, n);
		return 0;
	}
	if (memchr(text, 0, n) || !(text = strstr(text, BEGIN)))
		return no_key(e);
	for (; r == 0 && text; text = strstr(end, BEGIN)) {
		text = strchr(text, '\n');
		end = text ? strstr(text, END) : NULL;
		r = end ? take_block(keyring, text + 1, end, e) : no_key(e);
		if (r < 0)
			break;
	}
	return r;
}
