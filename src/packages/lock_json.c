/* lock_json.c - lock files of languages that are JSON: npm, Pipenv, Composer */
#include <string.h>

#include "base/auto.h"
#include "packages/parsers.h"

static struct package_word word(const char *s)
{
	return (struct package_word){ s ? s : "", s ? strlen(s) : 0 };
}

static int add(struct package_file *f, const char *name, const char *version, struct err *e)
{
	return package_add(f, word(name), word(version), (struct package_word){ 0 }, e);
}

/* What all three come down to. */
struct locked {
	char *key; /* npm: the directory; Pipenv: the name */
	char *name, *version;
	bool link; /* npm: a directory of the project itself */
};

static const struct jfield locked_fields[] = {
	J(J_STR, struct locked, name),
	J(J_STR, struct locked, version),
	J(J_BOOL, struct locked, link),
	{ 0 },
};
static const struct jtable locked_table = { sizeof(struct locked), locked_fields };

/* --- package-lock.json, versions 2 and 3: "packages": {"node_modules/x": {"version": "1"}} */

struct npm_lock {
	int64_t version;
	struct locked *packages;
	size_t n;
};

static const struct jfield npm_fields[] = {
	JK(J_I64, struct npm_lock, version, "lockfileVersion"),
	JM(struct npm_lock, packages, n, "packages", &locked_table),
	{ 0 },
};
static const struct jtable npm_table = { sizeof(struct npm_lock), npm_fields };

static void npm_done(struct npm_lock *l)
{
	json_done(&npm_table, l);
}

static int add_npm(struct package_file *f, const struct locked *p, struct err *e)
{
	static const char dir[] = "node_modules/";
	const char *name = NULL, *at = p->key;

	while ((at = strstr(at, dir)))
		name = at += sizeof(dir) - 1;
	/* neither the project nor its parts; without a version: bundled somewhere else */
	if (!name || p->link || !p->version)
		return 0;
	return add(f, p->name ? p->name : name, p->version, e);
}

/* --- package-lock.json, version 1: "dependencies": {"x": {"version": "1", "dependencies": {"y": ...}}}
 *
 * A table of its own, read only where there are no "packages": below these "dependencies" are words.
 */

struct npm_tree {
	char *key; /* the name; of the root: NULL */
	char *version;
	struct npm_tree *below;
	size_t n;
};

static const struct jtable npm_tree_table;
static const struct jfield npm_tree_fields[] = {
	J(J_STR, struct npm_tree, version),
	JM(struct npm_tree, below, n, "dependencies", &npm_tree_table),
	{ 0 },
};
static const struct jtable npm_tree_table = { sizeof(struct npm_tree), npm_tree_fields };

static void npm_tree_done(struct npm_tree *t)
{
	json_done(&npm_tree_table, t);
}

/* "1.0.0", "npm:NAME@1.0.0" for an alias, or where else it comes from: "git+https:...", "file:...", "github:..." */
static int add_npm_pinned(struct package_file *f, const char *name, const char *version, struct err *e)
{
	static const char alias[] = "npm:";
	struct package_word real;
	const char *at;

	if (strncmp(version, alias, sizeof(alias) - 1) != 0)
		return strpbrk(version, ":/") ? 0 : add(f, name, version, e);
	version += sizeof(alias) - 1;
	at = strrchr(version, '@');
	if (!at || at == version)
		return 0;
	real = (struct package_word){ version, (size_t)(at - version) };
	return package_add(f, real, word(at + 1), (struct package_word){ 0 }, e);
}

/* As deep as JSON may be. */
static int add_npm_below(struct package_file *f, const struct npm_tree *t, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < t->n; i++) {
		const struct npm_tree *p = &t->below[i];

		if (p->version) /* else it is bundled somewhere else */
			r = add_npm_pinned(f, p->key, p->version, e);
		if (r == 0)
			r = add_npm_below(f, p, e);
	}
	return r;
}

static int npm_tree_parse(const char *data, size_t n, struct package_file *f, struct err *e)
{
	AUTO(npm_tree_done) struct npm_tree root = { 0 };
	int r = json_parse(&npm_tree_table, data, n, 0, &root, e);

	return r < 0 ? r : add_npm_below(f, &root, e);
}

int npm_parse(char *data, size_t n, struct package_file *f, struct err *e)
{
	AUTO(npm_done) struct npm_lock l = { .version = 1 }; /* where none is said */
	int r = json_parse(&npm_table, data, n, 0, &l, e);

	if (r == 0 && l.version < 2)
		return npm_tree_parse(data, n, f, e);
	for (size_t i = 0; r == 0 && i < l.n; i++)
		r = add_npm(f, &l.packages[i], e);
	return r;
}

/* --- Pipfile.lock: "default": {"x": {"version": "==1"}} */

struct pipfile {
	struct locked *main, *develop;
	size_t n_main, n_develop;
};

static const struct jfield pipfile_fields[] = {
	JM(struct pipfile, main, n_main, "default", &locked_table),
	JM(struct pipfile, develop, n_develop, "develop", &locked_table),
	{ 0 },
};
static const struct jtable pipfile_table = { sizeof(struct pipfile), pipfile_fields };

static void pipfile_done(struct pipfile *p)
{
	json_done(&pipfile_table, p);
}

static int add_pinned(struct package_file *f, const struct locked *p, size_t n, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		if (p[i].version && !strncmp(p[i].version, "==", 2)) /* else it comes from a repository */
			r = add(f, p[i].key, p[i].version + 2, e);
	return r;
}

int pipfile_parse(char *data, size_t n, struct package_file *f, struct err *e)
{
	AUTO(pipfile_done) struct pipfile p = { 0 };
	int r = json_parse(&pipfile_table, data, n, 0, &p, e);

	if (r == 0)
		r = add_pinned(f, p.main, p.n_main, e);
	return r < 0 ? r : add_pinned(f, p.develop, p.n_develop, e);
}

/* --- composer.lock: "packages": [{"name": "a/x", "version": "1"}] */

struct composer {
	struct locked *main, *develop;
	size_t n_main, n_develop;
};

static const struct jfield composer_fields[] = {
	JA(struct composer, main, n_main, "packages", &locked_table),
	JA(struct composer, develop, n_develop, "packages-dev", &locked_table),
	{ 0 },
};
static const struct jtable composer_table = { sizeof(struct composer), composer_fields };

static void composer_done(struct composer *c)
{
	json_done(&composer_table, c);
}

int composer_parse(char *data, size_t n, struct package_file *f, struct err *e)
{
	AUTO(composer_done) struct composer c = { 0 };
	int r = json_parse(&composer_table, data, n, 0, &c, e);

	for (size_t i = 0; r == 0 && i < c.n_main; i++)
		r = add(f, c.main[i].name, c.main[i].version, e);
	for (size_t i = 0; r == 0 && i < c.n_develop; i++)
		r = add(f, c.develop[i].name, c.develop[i].version, e);
	return r;
}
