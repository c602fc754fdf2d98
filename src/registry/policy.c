/* policy.c - policy.json (containers-policy.json(5)): which images may come in at all */
#include "registry/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/json_tree.h"

#define SYSTEM_FILE "/etc/containers/policy.json"

void policy_done(struct policy *p)
{
	for (size_t i = 0; i < p->n_rules; i++) {
		strv_done(&p->rules[i].key_paths);
		free(p->rules[i].key_data);
		free(p->rules[i].identity_name);
	}
	free(p->rules);
	*p = (struct policy){ 0 };
}

/* --- one rule.  A key that is not known may mean "only if": so it is an error. */

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

static int want_string(const struct json_member *m, const char **ret, struct err *e)
{
	if (m->value.kind != JSON_STRING)
		return err_set(e, EINVAL, "\"%.60s\" is no string", m->key);
	*ret = m->value.string;
	return 0;
}

static int word_of(const struct json_member *m, const char *const *words, int *ret, struct err *e)
{
	const char *s;
	int r = want_string(m, &s, e);

	if (r < 0)
		return r;
	for (int i = 0; words[i]; i++)
		if (!strcmp(s, words[i])) {
			*ret = i;
			return 0;
		}
	return err_set(e, ENOTSUP, "\"%.60s\": \"%.60s\" is not supported", m->key, s);
}

static int take_identity(const struct json_value *v, struct policy_rule *rule, struct err *e)
{
	static const char *const types[] = { "matchRepoDigestOrExact", "matchExact",	  "matchRepository",
					     "exactReference",	       "exactRepository", NULL };
	const char *name = NULL;
	int r = 0;

	if (v->kind != JSON_OBJECT)
		return err_set(e, EINVAL, "\"signedIdentity\" is no object");
	for (size_t i = 0; r == 0 && i < v->n; i++) {
		const struct json_member *m = &v->members[i];

		if (!strcmp(m->key, "type"))
			r = word_of(m, types, &rule->identity, e);
		else if (!strcmp(m->key, "dockerReference") || !strcmp(m->key, "dockerRepository"))
			r = want_string(m, &name, e);
		else
			r = err_set(e, ENOTSUP, "\"signedIdentity\": unknown key \"%.60s\"", m->key);
	}
	if (r < 0)
		return r;
	if (rule->identity > IDENTITY_IS)
		rule->identity = IDENTITY_IS;
	if ((rule->identity == IDENTITY_IS) != (name != NULL))
		return err_set(e, EINVAL, "\"signedIdentity\": its type and its other key do not fit");
	rule->identity_name = name ? strdup(name) : NULL;
	return name && !rule->identity_name ? no_memory(e) : 0;
}

static int take_paths(const struct json_value *v, struct strv *to, struct err *e)
{
	if (v->kind != JSON_ARRAY)
		return err_set(e, EINVAL, "\"keyPaths\" is no list");
	for (size_t i = 0; i < v->n; i++) {
		if (v->items[i].kind != JSON_STRING)
			return err_set(e, EINVAL, "\"keyPaths\" is no list of strings");
		if (strv_add(to, v->items[i].string) < 0)
			return no_memory(e);
	}
	return 0;
}

static int take_member(const struct json_member *m, struct policy_rule *rule, struct err *e)
{
	static const char *const types[] = { "insecureAcceptAnything", "reject", "signedBy", "sigstoreSigned",
					     NULL };
	static const char *const key_types[] = { "GPGKeys", NULL };
	const char *s = NULL;
	int unused, r;

	if (!strcmp(m->key, "type"))
		return word_of(m, types, &rule->type, e);
	if (!strcmp(m->key, "keyType"))
		return word_of(m, key_types, &unused, e);
	if (!strcmp(m->key, "keyPaths"))
		return take_paths(&m->value, &rule->key_paths, e);
	if (!strcmp(m->key, "signedIdentity"))
		return take_identity(&m->value, rule, e);
	if (strcmp(m->key, "keyPath") != 0 && strcmp(m->key, "keyData") != 0)
		return err_set(e, ENOTSUP, "\"%.60s\" is not supported", m->key);
	r = want_string(m, &s, e);
	if (r < 0)
		return r;
	if (!strcmp(m->key, "keyPath"))
		return strv_add(&rule->key_paths, s) < 0 ? no_memory(e) : 0;
	free(rule->key_data);
	rule->key_data = strdup(s);
	return rule->key_data ? 0 : no_memory(e);
}

static int take_rule(const struct json_value *v, struct policy_rule *rule, struct err *e)
{
	bool keys;
	int r = 0;

	rule->type = -1;
	if (v->kind != JSON_OBJECT)
		return err_set(e, EINVAL, "a requirement is no object");
	for (size_t i = 0; r == 0 && i < v->n; i++)
		r = take_member(&v->members[i], rule, e);
	if (r < 0)
		return r;
	if (rule->type < 0)
		return err_set(e, EINVAL, "a requirement without type");
	keys = rule->key_paths.n || rule->key_data;
	if (keys != (rule->type == POLICY_SIGNED_BY || rule->type == POLICY_SIGSTORE))
		return err_set(e, EINVAL, keys ? "a key that nothing is checked with" : "a key is missing");
	if (rule->key_paths.n && rule->key_data)
		return err_set(e, EINVAL, "both a path and the data of a key");
	return 0;
}

static int take_rules(const struct json_value *v, struct policy *ret, struct err *e)
{
	int r = 0;

	if (v->kind != JSON_ARRAY || !v->n)
		return err_set(e, EINVAL, "a list of requirements is missing");
	ret->rules = calloc(v->n, sizeof(*ret->rules));
	if (!ret->rules)
		return no_memory(e);
	for (; r == 0 && ret->n_rules < v->n; ret->n_rules++)
		r = take_rule(&v->items[ret->n_rules], &ret->rules[ret->n_rules], e);
	return r;
}

/* --- which rules: the longest scope that fits */

/* "*.example.com" for any host below it. */
static const struct json_value *find_wildcard(const struct json_value *scopes, const char *name)
{
	size_t host = strcspn(name, "/");

	for (const char *dot = memchr(name, '.', host); dot;
	     dot = memchr(dot + 1, '.', host - (size_t)(dot + 1 - name))) {
		autofree char *scope = str_printf("*%.*s", (int)(host - (size_t)(dot - name)), dot);
		const struct json_member *m = scope ? json_tree_find(scopes, scope) : NULL;

		if (m)
			return &m->value;
	}
	return NULL;
}

static const struct json_value *find_scope(const struct json_value *scopes, const char *name, const char *tag)
{
	autofree char *scope = tag ? str_printf("%s:%s", name, tag) : strdup(name);
	const struct json_member *m;
	const struct json_value *v;
	char *slash;

	if (!scope)
		return NULL;
	m = json_tree_find(scopes, scope);
	if (!m) {
		free(scope);
		scope = strdup(name);
		m = scope ? json_tree_find(scopes, scope) : NULL;
	}
	while (!m && scope && (slash = strrchr(scope, '/'))) {
		*slash = '\0';
		m = json_tree_find(scopes, scope);
	}
	v = m ? &m->value : find_wildcard(scopes, name);
	m = json_tree_find(scopes, "");
	return v ? v : m ? &m->value : NULL;
}

int policy_parse(const char *text, size_t n, const char *name, const char *tag, struct policy *ret,
		 struct err *e)
{
	AUTO(json_tree_done) struct json_value root = { 0 };
	const struct json_member *transports, *docker, *all;
	const struct json_value *rules = NULL;
	struct policy p = { 0 };
	int r;

	if (n > POLICY_MAX)
		return err_set(e, EFBIG, "larger than %d MiB", POLICY_MAX >> 20);
	r = json_tree_parse(text, n, &root, e);
	if (r < 0)
		return r;
	for (size_t i = 0; root.kind == JSON_OBJECT && i < root.n; i++)
		if (strcmp(root.members[i].key, "default") != 0 &&
		    strcmp(root.members[i].key, "transports") != 0)
			return err_set(e, EINVAL, "unknown key \"%.60s\"", root.members[i].key);
	transports = json_tree_find(&root, "transports");
	docker = transports ? json_tree_find(&transports->value, "docker") : NULL;
	all = json_tree_find(&root, "default");
	if (!all)
		return err_set(e, EINVAL, "\"default\" is missing");
	if (docker)
		rules = find_scope(&docker->value, name, tag);
	r = take_rules(rules ? rules : &all->value, &p, e);
	if (r < 0) {
		policy_done(&p);
		return r;
	}
	*ret = p;
	return 0;
}

int policy_load(const char *path, const char *name, const char *tag, struct policy *ret, struct err *e)
{
	AUTO(buf_done) struct buf text = { 0 };
	const char *file = path ? path : SYSTEM_FILE;
	int r = read_file(AT_FDCWD, file, POLICY_MAX, &text);

	if (r == -ENOENT && !path) {
		*ret = (struct policy){ 0 };
		return 0;
	}
	if (r < 0)
		return err_sys(e, -r, "%.200s", file);
	r = policy_parse(text.data ? text.data : "", text.len, name, tag, ret, e);
	return r < 0 ? err_wrap(e, r, "%.200s", file) : 0;
}
