/* signatures.c - what cosign has put beside an image: the tag sha256-HEX.sig of its repository
 *
 * It names a manifest whose layers are payloads, each with its signature as an annotation.  They are only fetched here;
 * ketch-image holds them against the keys.
 */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "distribution/document.h"

#define PAYLOAD_MAX  (1 << 20)
#define PAYLOAD_TYPE "application/vnd.dev.cosign.simplesigning.v1+json"
#define ANNOTATION   "dev.cosignproject.cosign/signature"

struct payload {
	char *type, *digest;
	uint64_t size;
	struct strv annotations;
};

struct list {
	struct payload *layers;
	size_t n_layers;
};

static const struct jfield payload_fields[] = {
	JK(J_STR, struct payload, type, "mediaType"),
	J(J_STR, struct payload, digest),
	J(J_U64, struct payload, size),
	J(J_MAP, struct payload, annotations),
	{ 0 },
};
static const struct jtable payload_table = { sizeof(struct payload), payload_fields };
static const struct jfield list_fields[] = { JA(struct list, layers, n_layers, "layers", &payload_table),
					     { 0 } };
static const struct jtable list_table = { sizeof(struct list), list_fields };

static void list_done(struct list *l)
{
	json_done(&list_table, l);
}

static int get_payload(const struct registry_job *job, struct session *s, const char *digest, struct err *e)
{
	autofree char *where = str_printf("blobs/%s", digest);
	struct errand er = { .call.method = "GET" };
	struct digest want, is;
	int r = where ? errand_insist(s, &er, where, e) : err_set(e, ENOMEM, "out of memory");

	if (r == 0 && er.call.status != 200)
		r = errand_refused(&er, "a signature", e);
	if (r == 0) {
		digest_of(er.call.text.data ? er.call.text.data : "", er.call.text.len, &is);
		if (digest_parse(digest, &want) < 0 || !digest_equal(&is, &want))
			r = err_set(e, EBADMSG, "wrong digest: a signature is not %.80s", digest);
	}
	if (r == 0)
		r = document_keep(job, &er.call.text, &is, e);
	errand_done(s, &er);
	return r;
}

static int take_list(const struct registry_job *job, struct session *s, const struct list *l, struct err *e)
{
	AUTO(strv_done) struct strv found = { 0 };
	int r = 0;

	if (l->n_layers > SIGNATURES_MAX)
		return err_set(e, E2BIG, "more than %d signatures", SIGNATURES_MAX);
	for (size_t i = 0; r == 0 && i < l->n_layers; i++) {
		const struct payload *p = &l->layers[i];
		const char *signature = strv_env_get(&p->annotations, ANNOTATION);

		if (!p->type || strcmp(p->type, PAYLOAD_TYPE) != 0 || !p->digest || !signature ||
		    p->size > PAYLOAD_MAX)
			continue;
		r = get_payload(job, s, p->digest, e);
		if (r == 0 && strv_addf(&found, "%s %s", p->digest, signature) < 0)
			r = err_set(e, ENOMEM, "out of memory");
	}
	if (r == 0)
		job_say(job, &(const struct registry_message){ .signatures = found });
	return r;
}

int signatures_get(const struct registry_job *job, struct session *s, const struct digest *manifest,
		   struct err *e)
{
	AUTO(list_done) struct list l = { 0 };
	struct errand er = { .call = { .method = "GET", .accept = &document_types } };
	autofree char *where = NULL;
	char hex[DIGEST_HEX];
	int r;

	digest_hex(manifest, hex);
	where = str_printf("manifests/sha256-%s.sig", hex);
	r = where ? errand_insist(s, &er, where, e) : err_set(e, ENOMEM, "out of memory");
	if (r == 0 && er.call.status == 200) {
		r = json_parse(&list_table, er.call.text.data ? er.call.text.data : "", er.call.text.len,
			       JSON_UNIQUE, &l, e);
		r = r < 0 ? err_wrap(e, r, "the list of signatures") : take_list(job, s, &l, e);
	} else if (r == 0 && er.call.status != 404) {
		r = errand_refused(&er, "the list of signatures", e);
	}
	errand_done(s, &er);
	return r;
}
