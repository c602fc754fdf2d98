/* registries.c - registries.conf, version 2 (containers-registries.conf(5)): where a name leads */
#include "registry/registries.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/io.h"
#include "registry/toml.h"

#define SYSTEM_FILE "/etc/containers/registries.conf"
#define RULES_MAX   4096
#define MIRRORS_MAX 64

/* --- reading one file */

struct reading {
	struct registries *into;
	struct registry_rule *rules; /* of this file */
	size_t n_rules;
};

static void rule_done(struct registry_rule *r)
{
	for (size_t i = 0; i < r->n_mirrors; i++)
		free(r->mirrors[i].location);
	free(r->mirrors);
	free(r->prefix);
	free(r->location);
}

static void rules_done(struct registry_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rule_done(&rules[i]);
	free(rules);
}

static void reading_done(struct reading *rd)
{
	rules_done(rd->rules, rd->n_rules);
}

static int want(const struct toml_item *it, enum toml_type type, struct err *e)
{
	static const char *const names[] = { "a table", "a string", "true or false", "a number",
					     "a list of strings" };

	return it->type == type ? 0 : err_set(e, EINVAL, "%.60s must be %s", it->key, names[type]);
}

static int set_string(char **to, const struct toml_item *it, struct err *e)
{
	int r = want(it, TOML_STRING, e);

	if (r < 0)
		return r;
	free(*to);
	*to = strdup(it->string);
	return *to ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int set_bool(bool *to, const struct toml_item *it, struct err *e)
{
	int r = want(it, TOML_BOOL, e);

	if (r == 0)
		*to = it->boolean;
	return r;
}

static int set_list(struct strv *to, const struct toml_item *it, struct err *e)
{
	int r = want(it, TOML_LIST, e);

	if (r < 0)
		return r;
	strv_done(to);
	return strv_copy(to, it->list) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int begin_rule(struct reading *rd, struct err *e)
{
	struct registry_rule *more = reallocarray(rd->rules, rd->n_rules + 1, sizeof(*more));

	if (!more)
		return err_set(e, ENOMEM, "out of memory");
	rd->rules = more;
	if (rd->n_rules == RULES_MAX)
		return err_set(e, E2BIG, "more than %d registries", RULES_MAX);
	more[rd->n_rules++] = (struct registry_rule){ 0 };
	return 0;
}

static int begin_mirror(struct reading *rd, struct err *e)
{
	struct registry_rule *rule = rd->n_rules ? &rd->rules[rd->n_rules - 1] : NULL;
	struct mirror *more;

	if (!rule)
		return err_set(e, EINVAL, "a mirror of no registry");
	if (rule->n_mirrors == MIRRORS_MAX)
		return err_set(e, E2BIG, "more than %d mirrors", MIRRORS_MAX);
	more = reallocarray(rule->mirrors, rule->n_mirrors + 1, sizeof(*more));
	if (!more)
		return err_set(e, ENOMEM, "out of memory");
	rule->mirrors = more;
	more[rule->n_mirrors++] = (struct mirror){ 0 };
	return 0;
}

static int take_registry(struct registry_rule *rule, const struct toml_item *it, struct err *e)
{
	if (!strcmp(it->key, "prefix"))
		return set_string(&rule->prefix, it, e);
	if (!strcmp(it->key, "location"))
		return set_string(&rule->location, it, e);
	if (!strcmp(it->key, "insecure"))
		return set_bool(&rule->insecure, it, e);
	if (!strcmp(it->key, "blocked"))
		return set_bool(&rule->blocked, it, e);
	if (!strcmp(it->key, "mirror-by-digest-only"))
		return set_bool(&rule->digest_only_mirrors, it, e);
	return err_set(e, EINVAL, "unknown key \"%.60s\" of a registry", it->key);
}

static int take_mirror(struct mirror *m, const struct toml_item *it, struct err *e)
{
	static const char *const uses[] = { "all", "digest-only", "tag-only" };

	if (!strcmp(it->key, "location"))
		return set_string(&m->location, it, e);
	if (!strcmp(it->key, "insecure"))
		return set_bool(&m->insecure, it, e);
	if (strcmp(it->key, "pull-from-mirror") != 0)
		return err_set(e, EINVAL, "unknown key \"%.60s\" of a mirror", it->key);
	for (size_t i = 0; it->type == TOML_STRING && i < ARRAY_LEN(uses); i++)
		if (!strcmp(it->string, uses[i])) {
			m->use = (int)i;
			return 0;
		}
	return err_set(e, EINVAL, "pull-from-mirror is all, digest-only or tag-only");
}

static int take_alias(struct reading *rd, const struct toml_item *it, struct err *e)
{
	autofree char *pair = NULL;
	int r = want(it, TOML_STRING, e);

	if (r < 0)
		return r;
	if (strchr(it->key, '='))
		return err_set(e, EINVAL, "a = in an alias");
	pair = str_printf("%s=%s", it->key, it->string);
	return !pair || strv_env_set(&rd->into->aliases, pair) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

/* What stands before all tables. */
static int take_top(struct reading *rd, const struct toml_item *it, struct err *e)
{
	if (!strcmp(it->key, "unqualified-search-registries"))
		return set_list(&rd->into->search, it, e);
	if (!strcmp(it->key, "credential-helpers"))
		return set_list(&rd->into->helpers, it, e);
	if (!strcmp(it->key, "short-name-mode")) /* nobody is asked: all hosts are tried in their order */
		return want(it, TOML_STRING, e);
	return err_set(e, EINVAL, "unknown key \"%.60s\"", it->key);
}

static int take_item(void *arg, const struct toml_item *it, struct err *e)
{
	struct reading *rd = arg;
	struct registry_rule *rule = rd->n_rules ? &rd->rules[rd->n_rules - 1] : NULL;

	if (it->type == TOML_TABLE) {
		if (!strcmp(it->table, "registry") && it->element)
			return begin_rule(rd, e);
		if (!strcmp(it->table, "registry.mirror") && it->element)
			return begin_mirror(rd, e);
		if (!strcmp(it->table, "registries.search") || !strcmp(it->table, "registries.insecure") ||
		    !strcmp(it->table, "registries.block"))
			return err_set(e, EINVAL, "it is of version 1: write [[registry]] instead");
		return !strcmp(it->table, "aliases") && !it->element
			       ? 0
			       : err_set(e, EINVAL, "unknown table \"%.60s\"", it->table);
	}
	if (!*it->table)
		return take_top(rd, it, e);
	if (!strcmp(it->table, "aliases"))
		return take_alias(rd, it, e);
	if (!rule || (!strcmp(it->table, "registry.mirror") && !rule->n_mirrors))
		return err_set(e, EINVAL, "a key of nothing");
	return !strcmp(it->table, "registry") ? take_registry(rule, it, e)
					      : take_mirror(&rule->mirrors[rule->n_mirrors - 1], it, e);
}

/* --- what was read becomes what holds */

/* A host with a path, maybe: no scheme, tag or digest. */
static int check_place(const char *what, const char *s, struct err *e)
{
	if (!*s || strstr(s, "://") || strchr(s, '@') || strpbrk(s, " \t\r\n?#%\\") ||
	    s[strlen(s) - 1] == '/')
		return err_set(e, EINVAL, "%s \"%.80s\" is not host[:port][/path]", what, s);
	return 0;
}

static int check_rule(struct registry_rule *rule, struct err *e)
{
	int r;

	if (!rule->prefix && rule->location)
		rule->prefix = strdup(rule->location);
	if (!rule->prefix)
		return err_set(e, EINVAL, "a registry without prefix and location");
	r = check_place("the prefix", strncmp(rule->prefix, "*.", 2) ? rule->prefix : rule->prefix + 2, e);
	if (r == 0 && !strncmp(rule->prefix, "*.", 2) && strchr(rule->prefix, '/'))
		r = err_set(e, EINVAL, "the prefix \"%.80s\" has a path behind a *", rule->prefix);
	if (r == 0 && rule->location)
		r = check_place("the location", rule->location, e);
	for (size_t i = 0; r == 0 && i < rule->n_mirrors; i++) {
		if (!rule->mirrors[i].location)
			return err_set(e, EINVAL, "a mirror of %.80s without location", rule->prefix);
		r = check_place("the mirror", rule->mirrors[i].location, e);
		if (r == 0 && rule->digest_only_mirrors && rule->mirrors[i].use != MIRROR_ALL)
			r = err_set(e, EINVAL,
				    "mirror-by-digest-only and pull-from-mirror exclude each other");
		if (rule->digest_only_mirrors)
			rule->mirrors[i].use = MIRROR_DIGEST_ONLY;
	}
	return r;
}

/* In the place of the rule with the same prefix, else behind all. */
static int keep_rule(struct registries *all, struct registry_rule *rule, struct err *e)
{
	struct registry_rule *more;

	for (size_t i = 0; i < all->n_rules; i++)
		if (!strcmp(all->rules[i].prefix, rule->prefix)) {
			rule_done(&all->rules[i]);
			all->rules[i] = *rule;
			*rule = (struct registry_rule){ 0 };
			return 0;
		}
	more = reallocarray(all->rules, all->n_rules + 1, sizeof(*more));
	if (!more)
		return err_set(e, ENOMEM, "out of memory");
	all->rules = more;
	more[all->n_rules++] = *rule;
	*rule = (struct registry_rule){ 0 };
	return 0;
}

int registries_parse(const char *name, const char *text, size_t n, struct registries *all, struct err *e)
{
	AUTO(reading_done) struct reading rd = { .into = all };
	int r = toml_parse(name, text, n, take_item, &rd, e);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < rd.n_rules; i++)
		r = check_rule(&rd.rules[i], e);
	for (size_t i = 0; r == 0 && i < rd.n_rules; i++)
		for (size_t k = 0; k < i; k++)
			if (!strcmp(rd.rules[i].prefix, rd.rules[k].prefix))
				r = err_set(e, EINVAL, "the registry %.80s is there twice",
					    rd.rules[i].prefix);
	for (size_t i = 0; r == 0 && i < rd.n_rules; i++)
		r = keep_rule(all, &rd.rules[i], e);
	return r < 0 && strncmp(e ? e->msg : "", name, strlen(name)) != 0 ? err_wrap(e, r, "%.200s", name)
									  : r;
}

static int load_file(const char *path, bool must, struct registries *all, struct err *e)
{
	AUTO(buf_done) struct buf text = { 0 };
	int r = read_file(AT_FDCWD, path, TOML_MAX, &text);

	if (r == -ENOENT && !must)
		return 0;
	return r < 0 ? err_sys(e, -r, "%.200s", path)
		     : registries_parse(path, text.data ? text.data : "", text.len, all, e);
}

static int is_conf(const struct dirent *de)
{
	size_t n = strlen(de->d_name);

	return n > 5 && !strcmp(de->d_name + n - 5, ".conf");
}

/* SYSTEM_FILE.d, in the order of the names. */
static int load_more(struct registries *all, struct err *e)
{
	struct dirent **list = NULL;
	int n = scandir(SYSTEM_FILE ".d", &list, is_conf, alphasort), r = 0;

	for (int i = 0; i < n; i++) {
		autofree char *path = str_printf(SYSTEM_FILE ".d/%s", list[i]->d_name);

		if (r == 0)
			r = path ? load_file(path, true, all, e) : err_set(e, ENOMEM, "out of memory");
		free(list[i]);
	}
	free(list);
	return r;
}

int registries_load(const char *path, struct registries *ret, struct err *e)
{
	struct registries all = { 0 };
	int r = load_file(path ? path : SYSTEM_FILE, path != NULL, &all, e);

	if (r == 0 && !path)
		r = load_more(&all, e);
	if (r < 0) {
		registries_done(&all);
		return r;
	}
	*ret = all;
	return 0;
}

void registries_done(struct registries *r)
{
	rules_done(r->rules, r->n_rules);
	strv_done(&r->search);
	strv_done(&r->aliases);
	strv_done(&r->helpers);
	*r = (struct registries){ 0 };
}

/* --- asking */

/* How much of `name` the prefix takes: a host or a path ends there.  0: it does not fit. */
static size_t fits(const char *prefix, const char *name)
{
	size_t n = strlen(prefix), host = strcspn(name, "/");

	if (!strncmp(prefix, "*.", 2)) {
		n--; /* with the dot */
		return host > n && !strncmp(name + host - n, prefix + 1, n) ? host : 0;
	}
	return !strncmp(name, prefix, n) && (!name[n] || name[n] == '/') ? n : 0;
}

const struct registry_rule *registries_find(const struct registries *r, const char *name)
{
	const struct registry_rule *best = NULL;
	size_t most = 0;

	for (size_t i = 0; i < r->n_rules; i++) {
		size_t n = fits(r->rules[i].prefix, name) ? strlen(r->rules[i].prefix) : 0;

		if (n > most) {
			most = n;
			best = &r->rules[i];
		}
	}
	return best;
}

char *registry_rule_move(const struct registry_rule *rule, const char *location, const char *name)
{
	return location ? str_printf("%s%s", location, name + fits(rule->prefix, name)) : strdup(name);
}
