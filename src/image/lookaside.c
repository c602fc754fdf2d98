/* lookaside.c - signatures of GPG, from a directory of this machine or from a server, held against keys */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/auto.h"
#include "base/base64.h"
#include "base/io.h"
#include "image/pull_int.h"

#define SIGNATURE_MAX (1 << 20)

/* 1: there is one. */
static int read_one(const char *url, const struct digest *d, int number, struct strv *to, struct err *e)
{
	AUTO(buf_done) struct buf data = { 0 }, text = { 0 };
	autofree char *path = NULL;
	char hex[DIGEST_HEX];
	int r;

	digest_hex(d, hex);
	path = str_printf("%s@sha256=%s/signature-%d", url + strlen("file://"), hex, number);
	r = path ? read_file(AT_FDCWD, path, SIGNATURE_MAX, &data) : -ENOMEM;
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return err_sys(e, -r, "the signature %.300s", path ? path : "");
	base64_add(&text, data.data, data.len);
	return buf_ok(&text) && strv_add(to, text.data ? text.data : "") == 0
		       ? 1
		       : err_set(e, ENOMEM, "out of memory");
}

static int read_all(const char *url, const char *manifest, struct strv *to, struct err *e)
{
	struct digest d;
	int r = digest_parse(manifest, &d) < 0
			? err_set(e, EPROTO, "the answer of ketch-registry names no manifest")
			: 1;

	for (int i = 1; r > 0 && i <= SIGNATURES_MAX; i++)
		r = read_one(url, &d, i, to, e);
	return r < 0 ? r : 0;
}

bool pull_lookaside_is_far(const struct pull *p)
{
	return p->lookaside && strncmp(p->lookaside, "file:", 5) != 0;
}

int pull_check_gpg(struct pull *p, struct err *e)
{
	int r = 0;

	if (!p->signers.gpg)
		return 0;
	if (!pull_lookaside_is_far(p))
		r = read_all(p->lookaside, p->found.manifest, &p->gpg_signatures, e);
	if (p->gpg_signatures.n > SIGNATURES_MAX)
		return err_set(e, E2BIG, "more than %d signatures", SIGNATURES_MAX);
	return r < 0 ? r : signers_check_gpg(&p->signers, &p->gpg_signatures, e);
}
