/* lock_json.c - lock files of languages that are JSON: npm, Pipenv, Composer */
#include <errno.h>
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

int npm_parse(char *data, size_t n, struct package_file *f, struct err *e)
{
	AUTO(npm_done) struct npm_lock l = { .version = 1 };
	int r = json_parse(&npm_table, data, n, 0, &l, e);

	if (r == 0 && l.version < 2)
		r = err_set(e, EOPNOTSUPP, "package-lock.json of version 1 is not read");
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
