/* signers.c - what policy.json asks of an image, as ketch-image is asked to check it */
#include "image/signers.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/auto.h"
#include "base/base64.h"
#include "base/io.h"
#include "image/gpg.h"

#define KEY_MAX 65536

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

void signers_done(struct signers *s)
{
	for (size_t i = 0; i < s->n; i++) {
		strv_done(&s->list[i].keys);
		strv_done(&s->list[i].payloads);
		free(s->list[i].reference);
		buf_done(&s->keyrings[i]);
	}
	free(s->list);
	free(s->keyrings);
	*s = (struct signers){ 0 };
}

/* --- keys */

/* Those of cosign are text, those of GPG mostly not. */
static int add_key(const struct buf *text, struct job_signer *to, struct buf *keyring, struct err *e)
{
	const char *data = text->data ? text->data : "";

	if (to->gpg)
		return gpg_add_key(keyring, data, text->len, e);
	return strv_add(&to->keys, data) < 0 ? no_memory(e) : 0;
}

static int read_keys(const struct policy_rule *rule, struct job_signer *to, struct buf *keyring,
		     struct err *e)
{
	for (size_t i = 0; i < rule->key_paths.n; i++) {
		AUTO(buf_done) struct buf text = { 0 };
		int r = read_file(AT_FDCWD, rule->key_paths.v[i], KEY_MAX, &text);

		r = r < 0 ? err_sys(e, -r, "read it") : add_key(&text, to, keyring, e);
		if (r < 0)
			return err_wrap(e, r, "policy.json: the key %.200s", rule->key_paths.v[i]);
	}
	if (rule->key_data) {
		AUTO(buf_done) struct buf text = { 0 };

		if (base64_decode(&text, rule->key_data, strlen(rule->key_data)) < 0)
			return err_set(e, EINVAL, "policy.json: keyData is no base64");
		if (!buf_ok(&text))
			return no_memory(e);
		if (add_key(&text, to, keyring, e) < 0)
			return err_wrap(e, -e->no, "policy.json: keyData");
	}
	return buf_ok(keyring) ? 0 : no_memory(e);
}

/* --- rules */

/* As what it must be signed (containers-policy.json(5), signedIdentity). */
static int set_identity(const struct policy_rule *rule, const char *name, const char *tag,
			struct job_signer *ret, struct err *e)
{
	const char *slash = rule->identity_name ? strrchr(rule->identity_name, '/') : NULL;

	switch (rule->identity) {
	case IDENTITY_IS:
		ret->reference = strdup(rule->identity_name);
		ret->repository = !strpbrk(slash ? slash : rule->identity_name, ":@");
		break;
	case IDENTITY_EXACT:
		if (!tag)
			return err_set(e, EPERM, "policy.json wants %.200s to be named by a tag", name);
		ret->reference = str_printf("%s:%s", name, tag);
		break;
	case IDENTITY_DIGEST_OR_EXACT:
		ret->repository = !tag;
		ret->reference = tag ? str_printf("%s:%s", name, tag) : strdup(name);
		break;
	default:
		ret->repository = true;
		ret->reference = strdup(name);
		break;
	}
	return ret->reference ? 0 : no_memory(e);
}

static int add_signer(const struct policy_rule *rule, const char *name, const char *tag, struct signers *s,
		      struct err *e)
{
	struct job_signer *to = &s->list[s->n];
	int r;

	to->gpg = rule->type == POLICY_SIGNED_BY;
	s->gpg = s->gpg || to->gpg;
	s->cosign = s->cosign || !to->gpg;
	r = read_keys(rule, to, &s->keyrings[s->n++], e);
	return r < 0 ? r : set_identity(rule, name, tag, to, e);
}

static int add_rule(const struct policy_rule *rule, const char *name, const char *tag, struct signers *s,
		    struct err *e)
{
	switch (rule->type) {
	case POLICY_ACCEPT:
		return 0;
	case POLICY_SIGSTORE:
	case POLICY_SIGNED_BY:
		return add_signer(rule, name, tag, s, e);
	default:
		return err_set(e, EPERM, "policy.json rejects %.200s", name);
	}
}

int signers_find(const char *policy_file, const char *name, const char *tag, struct signers *ret,
		 struct err *e)
{
	AUTO(policy_done) struct policy po = { 0 };
	struct signers s = { 0 };
	int r = policy_load(policy_file, name, tag, &po, e);

	if (r < 0)
		return r;
	s.list = calloc(po.n_rules + 1, sizeof(*s.list));
	s.keyrings = calloc(po.n_rules + 1, sizeof(*s.keyrings));
	if (!s.list || !s.keyrings)
		r = no_memory(e);
	for (size_t i = 0; r == 0 && i < po.n_rules; i++)
		r = add_rule(&po.rules[i], name, tag, &s, e);
	if (r < 0) {
		signers_done(&s);
		return r;
	}
	*ret = s;
	return 0;
}

/* --- what GPG has signed */

/* A payload is text. */
static int check_one(const struct buf *keyring, const char *base64, struct strv *payloads, struct err *e)
{
	AUTO(buf_done) struct buf message = { 0 }, text = { 0 };
	int r = base64_decode(&message, base64, strlen(base64));

	if (r < 0 || !message.len)
		return err_set(e, EPROTO, "the answer of ketch-registry has a signature that is no base64");
	r = buf_ok(&message) ? gpg_verify(keyring, &message, &text, e) : no_memory(e);
	if (r < 0)
		return r;
	if (!text.len || memchr(text.data, 0, text.len))
		return err_set(e, EPERM, "it signs something else than an image");
	return buf_ok(&text) && strv_add(payloads, text.data) == 0 ? 0 : no_memory(e);
}

int signers_check_gpg(struct signers *s, const struct strv *signatures, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->n; i++) {
		struct strv *payloads = &s->list[i].payloads;

		if (!s->list[i].gpg)
			continue;
		strv_done(payloads); /* of a try before */
		r = err_set(e, EPERM, "nobody has signed it");
		for (size_t k = 0; k < signatures->n; k++)
			r = check_one(&s->keyrings[i], signatures->v[k], payloads, e);
		/* why the last does not count is no matter where another does */
		r = payloads->n ? 0 : err_wrap(e, r, "policy.json wants a signature");
	}
	return r;
}
