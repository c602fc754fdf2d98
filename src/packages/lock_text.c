/* lock_text.c - lock files of languages that are read line by line */
#include <errno.h>
#include <string.h>

#include "packages/lines.h"
#include "packages/parsers.h"

/* --- Cargo.lock, poetry.lock: [[package]] with name = "x" and version = "1" */

/* key = "value", without escapes: names and versions have none. */
static bool toml_value(struct package_word line, const char *key, struct package_word *ret)
{
	struct package_word v;

	if (!line_value(line, key, &v) || !v.n || *v.text != '=')
		return false;
	v = word_trim(word_after(v, 1));
	if (!v.n || *v.text != '"')
		return false;
	*ret = word_until(word_after(v, 1), "\"\\");
	return true;
}

int toml_lock_parse(char *data, size_t n, struct package_file *f, struct err *e)
{
	struct lines l = { data, data + n };
	struct package_word line, name = { 0 }, version = { 0 }, none = { 0 };
	bool in = false;
	int r = 0;

	while (r == 0 && lines_next(&l, &line)) {
		if (line.n && *line.text == '[') {
			in = word_is(word_trim(line), "[[package]]");
			name = version = none;
		} else if (in && (toml_value(line, "name", &name) || toml_value(line, "version", &version)) &&
			   name.n && version.n) {
			r = package_add(f, name, version, none, e);
			in = false;
		}
	}
	return r;
}

/* --- go.sum: MODULE VERSION HASH; VERSION/go.mod: only what that module needs was looked at */

int go_sum_parse(char *data, size_t n, struct package_file *f, struct err *e)
{
	struct lines l = { data, data + n };
	struct package_word line;
	int r = 0;

	while (r == 0 && lines_next(&l, &line)) {
		struct package_word name = word_until(line, " "), rest = word_after(line, name.n + 1),
				    version = word_until(rest, " ");

		if (!line.n || word_is(word_after(version, word_until(version, "/").n), "/go.mod"))
			continue;
		r = package_add(f, name, version, (struct package_word){ 0 }, e);
	}
	return r;
}

/* --- requirements.txt: what is pinned, NAME[EXTRAS] == VERSION ; MARKER # remark */

int requirements_parse(char *data, size_t n, struct package_file *f, struct err *e)
{
	struct lines l = { data, data + n };
	struct package_word line;
	int r = 0;

	while (r == 0 && lines_next(&l, &line)) {
		struct package_word name = word_until(line, "=<>!~;#"), rest = word_after(line, name.n),
				    version;

		if (!word_begins(rest, "=="))
			continue;
		rest = word_after(rest, rest.n > 2 && rest.text[2] == '=' ? 3 : 2); /* "===" is as good */
		version = word_until(word_trim(rest), " \t;#,\\");
		name = word_trim(word_until(word_trim(name), "["));
		if (version.n && !memchr(version.text, '*', version.n)) /* ==1.* pins nothing */
			r = package_add(f, name, version, (struct package_word){ 0 }, e);
	}
	return r;
}

/* --- Gemfile.lock: four blanks, NAME (VERSION); what each needs has six */

int gemfile_parse(char *data, size_t n, struct package_file *f, struct err *e)
{
	struct lines l = { data, data + n };
	struct package_word line;
	bool in = false;
	int r = 0;

	while (r == 0 && lines_next(&l, &line)) {
		struct package_word name, version;

		if (line.n && *line.text != ' ')
			in = word_is(line, "GEM") || word_is(line, "GIT") || word_is(line, "PATH");
		if (!in || line.n < 6 || memcmp(line.text, "    ", 4) != 0 || line.text[4] == ' ')
			continue;
		name = word_until(word_after(line, 4), " ");
		version = word_after(line, 4 + name.n + 1);
		if (version.n > 2 && *version.text == '(')
			r = package_add(f, name, word_until(word_after(version, 1), ")"),
					(struct package_word){ 0 }, e);
	}
	return r;
}
