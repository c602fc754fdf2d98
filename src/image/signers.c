/* signers.c - what policy.json asks of an image, as ketch-image is asked to check it */
#include "image/signers.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/auto.h"
#include "base/base64.h"
#include "base/io.h"

#define KEY_MAX 65536

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

void signers_done(struct signers *s)
{
	for (size_t i = 0; i < s->n; i++) {
		strv_done(&s->list[i].keys);
		free(s->list[i].reference);
	}
	free(s->list);
	*s = (struct signers){ 0 };
}

static int read_keys(const struct policy_rule *rule, struct strv *ret, struct err *e)
{
	for (size_t i = 0; i < rule->key_paths.n; i++) {
		AUTO(buf_done) struct buf text = { 0 };
		int r = read_file(AT_FDCWD, rule->key_paths.v[i], KEY_MAX, &text);

		if (r < 0)
			return err_sys(e, -r, "policy.json: the key %.200s", rule->key_paths.v[i]);
		if (strv_add(ret, text.data ? text.data : "") < 0)
			return no_memory(e);
	}
	if (rule->key_data) {
		AUTO(buf_done) struct buf text = { 0 };

		if (base64_decode(&text, rule->key_data, strlen(rule->key_data)) < 0)
			return err_set(e, EINVAL, "policy.json: keyData is no base64");
		if (!buf_ok(&text) || strv_add(ret, text.data ? text.data : "") < 0)
			return no_memory(e);
	}
	return 0;
}

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
	struct job_signer *to = &s->list[s->n++];
	int r = read_keys(rule, &to->keys, e);

	return r < 0 ? r : set_identity(rule, name, tag, to, e);
}

static int add_rule(const struct policy_rule *rule, const char *name, const char *tag, struct signers *s,
		    struct err *e)
{
	switch (rule->type) {
	case POLICY_ACCEPT:
		return 0;
	case POLICY_SIGSTORE:
		return add_signer(rule, name, tag, s, e);
	case POLICY_SIGNED_BY:
		return err_set(e, ENOTSUP,
			       "policy.json wants a GPG signature of %.200s, which is not checked here; "
			       "sigstoreSigned is",
			       name);
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
	if (!s.list)
		return no_memory(e);
	for (size_t i = 0; r == 0 && i < po.n_rules; i++)
		r = add_rule(&po.rules[i], name, tag, &s, e);
	if (r < 0) {
		signers_done(&s);
		return r;
	}
	*ret = s;
	return 0;
}
