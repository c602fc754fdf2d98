/* lookaside.c - signatures of GPG that lie on a server beside the registry (containers' docs/signature-protocols.md)
 *
 * They are only fetched here, without a password of another server; who has signed is found out elsewhere.
 */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "base/base64.h"
#include "distribution/document.h"

static int say(const struct registry_job *job, const struct buf *signature, struct err *e)
{
	AUTO(strv_done) struct strv one = { 0 };
	AUTO(buf_done) struct buf text = { 0 };

	base64_add(&text, signature->data, signature->len);
	if (!buf_ok(&text) || strv_add(&one, text.data ? text.data : "") < 0)
		return err_set(e, ENOMEM, "out of memory");
	job_say(job, &(const struct registry_message){ .lookaside = one });
	return 0;
}

/* 1: there is one. */
static int get_one(const struct registry_job *job, struct session *s, const char *hex, int number,
		   struct err *e)
{
	autofree char *url = str_printf("%s@sha256=%s/signature-%d", job->request->lookaside, hex, number);
	struct errand er = { .call.method = "GET" };
	int r = url ? errand_insist(s, &er, url, e) : err_set(e, ENOMEM, "out of memory");

	if (r == 0 && er.call.status == 200)
		r = say(job, &er.call.text, e) < 0 ? -e->no : 1;
	else if (r == 0 && er.call.status != 404)
		r = errand_refused(&er, "the signature", e);
	errand_done(s, &er);
	return r;
}

int lookaside_get(const struct registry_job *job, struct session *s, const struct digest *manifest,
		  struct err *e)
{
	char hex[DIGEST_HEX];
	int r = 1;

	digest_hex(manifest, hex);
	for (int i = 1; r > 0 && i <= SIGNATURES_MAX; i++)
		r = get_one(job, s, hex, i, e);
	return r < 0 ? err_wrap(e, r, "%.200s", job->request->lookaside) : 0;
}
