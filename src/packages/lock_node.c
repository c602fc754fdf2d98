/* lock_node.c - lock files of yarn and pnpm: YAML as these two write it, read line by line
 *
 * Of npm's own, which is JSON: lock_json.c.
 */
#include "packages/lines.h"
#include "packages/parsers.h"

static struct package_word unquoted(struct package_word w)
{
	w = word_trim(w);
	return w.n && (*w.text == '"' || *w.text == '\'') ? word_until(word_after(w, 1), "\"'") : w;
}

/* "NAME@REST", where a name may have an @ in front; without REST: n is the length of all. */
static size_t name_length(struct package_word w)
{
	return w.n ? 1 + word_until(word_after(w, 1), "@").n : 0;
}

static struct package_word first(struct package_word w, size_t n)
{
	return (struct package_word){ w.text, n };
}

/* --- yarn.lock: "NAME@RANGE, NAME@RANGE": and below it version "1" (version 1) or version: 1 (those after it) */

/* ALIAS@npm:NAME@RANGE is the package NAME; "npm:RANGE" alone says nothing about the name. */
static struct package_word yarn_name(struct package_word key)
{
	static const char npm[] = "@npm:";
	struct package_word one = word_until(unquoted(key), ",:\""), range;
	size_t n = name_length(one);

	if (!word_is(word_after(one, n), "@npm"))
		return first(one, n);
	range = word_until(unquoted(word_after(unquoted(key), n + sizeof(npm) - 1)), ",\"");
	return name_length(range) < range.n ? first(range, name_length(range)) : first(one, n);
}

int yarn_parse(char *data, size_t n, struct package_file *f, struct err *e)
{
	struct package_word line, version, name = { 0 };
	struct lines l = { data, data + n };
	int r = 0;

	while (r == 0 && lines_next(&l, &line)) {
		if (line.n && *line.text != ' ') {
			name = *line.text == '#' || word_is(line, "__metadata:") ? first(line, 0)
										 : yarn_name(line);
		} else if (line_value(line, "  version", &version) && name.n) {
			version = unquoted(word_begins(version, ":") ? word_after(version, 1) : version);
			if (!word_is(version, "0.0.0-use.local")) /* a part of the project itself */
				r = package_add(f, name, version, first(version, 0), e);
			name.n = 0;
		}
	}
	return r;
}

/* --- pnpm-lock.yaml: below "packages:" two blanks and NAME@VERSION (version 9), /NAME@VERSION(PEERS) (6),
 * /NAME/VERSION_PEERS (5) */

static size_t last_slash(struct package_word w)
{
	size_t n = w.n;

	while (n && w.text[n - 1] != '/')
		n--;
	return n ? n - 1 : w.n;
}

static int add_pnpm(struct package_file *f, struct package_word key, bool slashes, struct err *e)
{
	struct package_word version;
	size_t n;

	if (word_begins(key, "/"))
		key = word_after(key, 1);
	key = word_until(key, "(");
	n = slashes ? last_slash(key) : name_length(key);
	version = word_after(key, n + 1);
	if (slashes)
		version = word_until(version, "_");
	/* an address, a file: not of the registry */
	return !version.n || memchr(version.text, ':', version.n) || memchr(version.text, '/', version.n)
		       ? 0
		       : package_add(f, first(key, n), version, first(version, 0), e);
}

int pnpm_parse(char *data, size_t n, struct package_file *f, struct err *e)
{
	struct package_word line, version;
	struct lines l = { data, data + n };
	bool in = false, slashes = false;
	int r = 0;

	while (r == 0 && lines_next(&l, &line)) {
		if (line_value(line, "lockfileVersion:", &version))
			slashes = word_begins(unquoted(version), "5");
		else if (line.n && *line.text != ' ')
			in = word_is(line, "packages:");
		else if (in && line.n > 3 && word_begins(line, "  ") && line.text[2] != ' ' &&
			 line.text[line.n - 1] == ':' && (!slashes || line.text[2] == '/'))
			r = add_pnpm(f, unquoted((struct package_word){ line.text + 2, line.n - 3 }), slashes,
				     e);
	}
	return r;
}
