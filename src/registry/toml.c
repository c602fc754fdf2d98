/* toml.c - the part of TOML 1.0 that files of containers(5) use; pure */
#include "registry/toml.h"

#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/parse.h"

struct toml {
	const char *at, *end;
	unsigned line;
	char *table; /* owned */
	struct strv keys; /* of this table, so far */
	struct strv tables; /* that have been opened by [x] */
	toml_fn fn;
	void *arg;
};

static void toml_done(struct toml *t)
{
	free(t->table);
	strv_done(&t->keys);
	strv_done(&t->tables);
}

static int peek(const struct toml *t)
{
	return t->at < t->end ? (unsigned char)*t->at : -1;
}

static bool take(struct toml *t, char c)
{
	if (peek(t) != c)
		return false;
	t->at++;
	return true;
}

static void skip_blanks(struct toml *t)
{
	while (peek(t) == ' ' || peek(t) == '\t')
		t->at++;
}

static void skip_comment(struct toml *t)
{
	skip_blanks(t);
	if (peek(t) == '#')
		while (peek(t) != '\n' && peek(t) >= 0)
			t->at++;
	if (peek(t) == '\r' && t->at + 1 < t->end && t->at[1] == '\n')
		t->at++;
}

/* Blanks, comments and ends of lines. */
static void skip_space(struct toml *t)
{
	for (skip_comment(t); take(t, '\n'); skip_comment(t))
		t->line++;
}

static bool is_bare(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
	       c == '-';
}

/* --- strings */

/* \uXXXX as UTF-8. */
static int add_unicode(struct toml *t, struct buf *b, int digits, struct err *e)
{
	uint32_t c = 0;

	for (; digits; digits--, t->at++) {
		int d = peek(t);

		if (d >= '0' && d <= '9')
			c = c << 4 | (uint32_t)(d - '0');
		else if ((d | 32) >= 'a' && (d | 32) <= 'f')
			c = c << 4 | (uint32_t)((d | 32) - 'a' + 10);
		else
			return err_set(e, EINVAL, "a wrong \\u in a string");
	}
	if (!c || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return err_set(e, EINVAL, "a \\u in a string that is no character");
	if (c < 0x80) {
		buf_addc(b, (char)c);
		return 0;
	}
	if (c < 0x800) {
		buf_addc(b, (char)(0xc0 | c >> 6));
	} else if (c < 0x10000) {
		buf_addc(b, (char)(0xe0 | c >> 12));
		buf_addc(b, (char)(0x80 | (c >> 6 & 63)));
	} else {
		buf_addc(b, (char)(0xf0 | c >> 18));
		buf_addc(b, (char)(0x80 | (c >> 12 & 63)));
		buf_addc(b, (char)(0x80 | (c >> 6 & 63)));
	}
	buf_addc(b, (char)(0x80 | (c & 63)));
	return 0;
}

static int add_escape(struct toml *t, struct buf *b, struct err *e)
{
	static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
	int c = peek(t);
	const char *p = c > 0 ? strchr(from, c) : NULL;

	if (c >= 0)
		t->at++;
	if (c == 'u' || c == 'U')
		return add_unicode(t, b, c == 'u' ? 4 : 8, e);
	if (!p)
		return err_set(e, EINVAL, "an unknown \\ in a string");
	buf_addc(b, to[p - from]);
	return 0;
}

/* Behind the opening quote. */
static int take_string(struct toml *t, char quote, char **ret, struct err *e)
{
	AUTO(buf_done) struct buf b = { 0 };
	int r = 0;

	if (peek(t) == quote && t->at + 1 < t->end && t->at[1] == quote)
		return err_set(e, EINVAL, "strings of several lines are not read");
	while (r == 0 && !take(t, quote)) {
		int c = peek(t);

		if (c < 0 || c == '\n')
			return err_set(e, EINVAL, "a string without an end");
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return err_set(e, EINVAL, "a control character in a string");
		t->at++;
		if (c == '\\' && quote == '"')
			r = add_escape(t, &b, e);
		else
			buf_addc(&b, (char)c);
	}
	if (r < 0)
		return r;
	*ret = buf_take(&b);
	return *ret ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int take_key(struct toml *t, char **ret, struct err *e)
{
	const char *start = t->at;

	if (peek(t) == '"' || peek(t) == '\'')
		return take_string(t, *t->at++, ret, e);
	while (is_bare(peek(t)))
		t->at++;
	if (t->at == start)
		return err_set(e, EINVAL, "a key is missing");
	*ret = strndup(start, (size_t)(t->at - start));
	return *ret ? 0 : err_set(e, ENOMEM, "out of memory");
}

/* --- values */

static int take_list(struct toml *t, struct strv *ret, struct err *e)
{
	for (;;) {
		autofree char *s = NULL;
		int r;

		skip_space(t);
		if (take(t, ']'))
			return 0;
		if (peek(t) != '"' && peek(t) != '\'')
			return err_set(e, EINVAL, "an array of something else than strings");
		r = take_string(t, *t->at++, &s, e);
		if (r < 0)
			return r;
		if (ret->n == TOML_ITEMS_MAX)
			return err_set(e, E2BIG, "an array of more than %d strings", TOML_ITEMS_MAX);
		if (strv_add(ret, s) < 0)
			return err_set(e, ENOMEM, "out of memory");
		skip_space(t);
		if (!take(t, ',') && peek(t) != ']')
			return err_set(e, EINVAL, "a comma or a ] is missing");
	}
}

/* true, false, or a whole number. */
static int take_word(struct toml *t, struct toml_item *it, struct err *e)
{
	const char *start = t->at;
	char word[24] = "";
	size_t n;

	while (is_bare(peek(t)) || peek(t) == '+' || peek(t) == '.' || peek(t) == ':')
		t->at++;
	n = (size_t)(t->at - start);
	if (n < sizeof(word))
		memcpy(word, start, n);
	if (!strcmp(word, "true") || !strcmp(word, "false")) {
		it->type = TOML_BOOL;
		it->boolean = *word == 't';
		return 0;
	}
	it->type = TOML_WHOLE;
	return parse_i64(word, &it->whole) < 0 ? err_set(e, EINVAL, "a value that is not read here") : 0;
}

static int take_value(struct toml *t, const char *key, struct err *e)
{
	AUTO(strv_done) struct strv list = { 0 };
	struct toml_item it = { .table = t->table ? t->table : "", .key = key, .list = &list };
	autofree char *string = NULL;
	int r;

	if (peek(t) == '"' || peek(t) == '\'') {
		it.type = TOML_STRING;
		r = take_string(t, *t->at++, &string, e);
		it.string = string;
	} else if (take(t, '[')) {
		it.type = TOML_LIST;
		r = take_list(t, &list, e);
	} else {
		r = take_word(t, &it, e);
	}
	return r < 0 ? r : t->fn(t->arg, &it, e);
}

static int take_pair(struct toml *t, struct err *e)
{
	autofree char *key = NULL;
	int r = take_key(t, &key, e);

	if (r < 0)
		return r;
	if (strv_has(&t->keys, key))
		return err_set(e, EINVAL, "\"%.60s\" is there twice", key);
	if (t->keys.n == TOML_ITEMS_MAX)
		return err_set(e, E2BIG, "more than %d keys", TOML_ITEMS_MAX);
	if (strv_add(&t->keys, key) < 0)
		return err_set(e, ENOMEM, "out of memory");
	skip_blanks(t);
	if (peek(t) == '.')
		return err_set(e, EINVAL, "dotted keys are not read");
	if (!take(t, '='))
		return err_set(e, EINVAL, "a = is missing");
	skip_blanks(t);
	return take_value(t, key, e);
}

/* --- tables: behind the first [ */

static int take_table_name(struct toml *t, struct err *e)
{
	AUTO(buf_done) struct buf name = { 0 };

	do {
		autofree char *key = NULL;
		int r;

		skip_blanks(t);
		r = take_key(t, &key, e);
		if (r < 0)
			return r;
		if (name.len)
			buf_addc(&name, '.');
		buf_adds(&name, key);
		skip_blanks(t);
	} while (take(t, '.'));
	free(t->table);
	t->table = buf_take(&name);
	return t->table ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int take_table(struct toml *t, struct err *e)
{
	bool element = take(t, '[');
	int r = take_table_name(t, e);
	struct toml_item it = { .table = t->table, .type = TOML_TABLE, .element = element };

	if (r < 0)
		return r;
	if (!take(t, ']') || (element && !take(t, ']')))
		return err_set(e, EINVAL, "a ] is missing");
	strv_done(&t->keys);
	if (!element && strv_has(&t->tables, t->table))
		return err_set(e, EINVAL, "the table [%.60s] is there twice", t->table);
	if (t->tables.n == TOML_ITEMS_MAX)
		return err_set(e, E2BIG, "more than %d tables", TOML_ITEMS_MAX);
	if (!element && strv_add(&t->tables, t->table) < 0)
		return err_set(e, ENOMEM, "out of memory");
	return t->fn(t->arg, &it, e);
}

static int take_line(struct toml *t, struct err *e)
{
	int r = take(t, '[') ? take_table(t, e) : take_pair(t, e);

	if (r < 0)
		return r;
	skip_comment(t);
	return peek(t) < 0 || peek(t) == '\n' ? 0 : err_set(e, EINVAL, "something stands behind the end");
}

int toml_parse(const char *name, const char *text, size_t n, toml_fn fn, void *arg, struct err *e)
{
	AUTO(toml_done) struct toml t = { .at = text, .end = text + n, .line = 1, .fn = fn, .arg = arg };
	int r = 0;

	if (n > TOML_MAX)
		r = err_set(e, EFBIG, "larger than %d MiB", TOML_MAX >> 20);
	if (n && memchr(text, '\0', n))
		r = err_set(e, EINVAL, "a byte that is no text");
	skip_space(&t);
	while (r == 0 && peek(&t) >= 0) {
		r = take_line(&t, e);
		if (r == 0)
			skip_space(&t);
	}
	return r < 0 ? err_wrap(e, r, "%.200s:%u", name, t.line) : 0;
}
