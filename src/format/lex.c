/* lex.c - the inside of an action, token by token */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/parse.h"
#include "format/format_int.h"

int format_fail(const char *text, const char *at, struct err *e, const char *fmt, ...)
{
	autofree char *what = NULL;
	unsigned line = 1, column = 0;
	va_list ap;

	for (const char *p = text; p < at; p++) {
		column = *p == '\n' ? 0 : column + 1;
		line += *p == '\n';
	}
	va_start(ap, fmt);
	if (vasprintf(&what, fmt, ap) < 0)
		what = NULL;
	va_end(ap);
	return err_set(e, EINVAL, "template parsing error: template: :%u:%u: %s", line, column,
		       what ? what : "out of memory");
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static size_t name_length(const char *s)
{
	size_t n = 0;

	while (is_name(s[n]))
		n++;
	return n;
}

/* --- strings */

static void add_utf8(struct buf *b, uint32_t c)
{
	if (c < 0x80) {
		buf_addc(b, (char)c);
	} else if (c < 0x800) {
		buf_addc(b, (char)(0xc0 | c >> 6));
		buf_addc(b, (char)(0x80 | (c & 0x3f)));
	} else {
		if (c < 0x10000) {
			buf_addc(b, (char)(0xe0 | c >> 12));
		} else {
			buf_addc(b, (char)(0xf0 | c >> 18));
			buf_addc(b, (char)(0x80 | (c >> 12 & 0x3f)));
		}
		buf_addc(b, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_addc(b, (char)(0x80 | (c & 0x3f)));
	}
}

/* "\x41", "\101", "\u00e9", "\U0001f600": p is at the letter or first digit; returns what it takes, 0: wrong. */
static size_t add_number(struct buf *b, const char *p)
{
	static const struct {
		char letter;
		int base;
		size_t skip, digits;
	} forms[] = { { 'x', 16, 1, 2 }, { 'u', 16, 1, 4 }, { 'U', 16, 1, 8 } };
	size_t skip = 0, n = 3;
	char digits[9], *end;
	unsigned long c;
	int base = 8;

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		if (forms[i].letter == *p) {
			base = forms[i].base;
			skip = forms[i].skip;
			n = forms[i].digits;
		}
	}
	if (strnlen(p + skip, n) < n || !isxdigit((unsigned char)p[skip]))
		return 0;
	memcpy(digits, p + skip, n);
	digits[n] = '\0';
	c = strtoul(digits, &end, base);
	/* no string here holds a NUL, as none of JSON does */
	if (*end || c == 0 || c > 0x10ffff || (n == 3 && c > 0xff) || (c >= 0xd800 && c < 0xe000))
		return 0;
	if (n < 4)
		buf_addc(b, (char)c);
	else
		add_utf8(b, (uint32_t)c);
	return skip + n;
}

/* p is behind the backslash; returns what it takes, 0: wrong. */
static size_t add_escape(struct buf *b, const char *p, char quote)
{
	static const char letters[] = "abfnrtv\\", values[] = "\a\b\f\n\r\t\v\\";
	const char *at = *p ? strchr(letters, *p) : NULL;

	if (at || (*p && *p == quote)) {
		buf_addc(b, at ? values[at - letters] : *p);
		return 1;
	}
	return add_number(b, p);
}

static int take_text(struct pool *pool, struct buf *b, struct token *t, struct err *e)
{
	t->text = buf_ok(b) ? pool_dup(pool, b->data, b->len) : NULL;
	return t->text ? 0 : err_set(e, ENOMEM, "out of memory");
}

/* "text", or 'c' whose value is a number. */
static int lex_quoted(struct pool *pool, const char *text, struct token *t, struct err *e)
{
	AUTO(buf_done) struct buf b = { 0 };
	const char *p = t->s + 1;
	char quote = *t->s;

	while (*p != quote) {
		size_t n = 1;

		if (!*p || *p == '\n')
			return format_fail(text, t->s, e, "unterminated quoted string");
		if (*p == '\\') {
			n = add_escape(&b, ++p, quote);
			if (!n)
				return format_fail(text, t->s, e, "malformed escape in a string");
		} else {
			buf_addc(&b, *p);
		}
		p += n;
	}
	t->n = (size_t)(p + 1 - t->s);
	t->type = TOKEN_STRING;
	return take_text(pool, &b, t, e);
}

/* The code point of the only character of s; 0: there are several or none. */
static uint32_t only_character(const char *s)
{
	unsigned char c = (unsigned char)*s;
	size_t n = c < 0x80 ? 1 : c >> 5 == 6 ? 2 : c >> 4 == 14 ? 3 : c >> 3 == 30 ? 4 : 0;
	uint32_t code = n == 1 ? c : c & (0x7fU >> n);

	if (!n || strlen(s) != n)
		return 0;
	for (size_t i = 1; i < n; i++)
		code = code << 6 | ((unsigned char)s[i] & 0x3f);
	return code;
}

static int lex_character(struct pool *pool, const char *text, struct token *t, struct err *e)
{
	int r = lex_quoted(pool, text, t, e);

	if (r < 0)
		return r;
	t->type = TOKEN_NUMBER;
	t->value = (struct json_value){ .kind = JSON_WHOLE, .magnitude = only_character(t->text) };
	return t->value.magnitude ? 0 : format_fail(text, t->s, e, "malformed character constant");
}

static int lex_raw(struct pool *pool, const char *text, struct token *t, struct err *e)
{
	const char *end = strchr(t->s + 1, '`');

	if (!end)
		return format_fail(text, t->s, e, "unterminated raw quoted string");
	t->type = TOKEN_STRING;
	t->n = (size_t)(end + 1 - t->s);
	t->text = pool_dup(pool, t->s + 1, t->n - 2);
	return t->text ? 0 : err_set(e, ENOMEM, "out of memory");
}

/* --- numbers: "12", "-3", "0x1f", "1.5", "1e3" */

static bool set_whole(const char *s, struct json_value *ret)
{
	bool negative = *s == '-';
	const char *digits = s + (*s == '-' || *s == '+');
	bool hex = digits[0] == '0' && (digits[1] | 0x20) == 'x';
	char *end;

	if (hex ? !isxdigit((unsigned char)digits[2]) : !isdigit((unsigned char)digits[0]))
		return false;
	errno = 0;
	*ret = (struct json_value){ .kind = JSON_WHOLE, .magnitude = strtoull(digits, &end, hex ? 16 : 10) };
	ret->negative = negative && ret->magnitude;
	return !*end && !errno && (hex || digits[0] != '0' || !digits[1]);
}

static bool set_real(const char *s, struct json_value *ret)
{
	char *end;

	if (strspn(s, "+-.0123456789eE") != strlen(s))
		return false;
	errno = 0;
	*ret = (struct json_value){ .kind = JSON_REAL, .real = strtod(s, &end) };
	return end != s && !*end && !errno;
}

static int lex_number(const char *text, struct token *t, struct err *e)
{
	char digits[64];
	size_t n = 1;

	while (is_name(t->s[n]) || t->s[n] == '.' ||
	       ((t->s[n] == '-' || t->s[n] == '+') && (t->s[n - 1] | 0x20) == 'e'))
		n++;
	t->n = n;
	t->type = TOKEN_NUMBER;
	snprintf(digits, sizeof(digits), "%.*s", (int)n, t->s);
	if (n < sizeof(digits) && (set_whole(digits, &t->value) || set_real(digits, &t->value)))
		return 0;
	return format_fail(text, t->s, e, "bad number syntax: \"%.40s\"", digits);
}

/* --- tokens */

/* One or two characters, or 0. */
static size_t lex_sign(const char *s, struct token *t)
{
	static const struct {
		const char *s;
		enum token_type type;
	} signs[] = { { "}}", TOKEN_END }, { ":=", TOKEN_DECLARE }, { "=", TOKEN_ASSIGN },
		      { "|", TOKEN_PIPE }, { ",", TOKEN_COMMA },    { "(", TOKEN_OPEN },
		      { ")", TOKEN_CLOSE } };

	for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
		if (!strncmp(s, signs[i].s, strlen(signs[i].s))) {
			t->type = signs[i].type;
			return strlen(signs[i].s);
		}
	}
	return 0;
}

static bool is_number_start(const char *s)
{
	if ((*s == '+' || *s == '-') || (*s == '.' && isdigit((unsigned char)s[1])))
		return true;
	return isdigit((unsigned char)*s);
}

static int lex_one(struct pool *pool, const char *text, struct token *t, struct err *e)
{
	const char *s = t->s;

	if (*s == '"')
		return lex_quoted(pool, text, t, e);
	if (*s == '\'')
		return lex_character(pool, text, t, e);
	if (*s == '`')
		return lex_raw(pool, text, t, e);
	if (t->space && !strncmp(s, "-}}", 3)) {
		t->type = TOKEN_END;
		t->trim = true;
		t->n = 3;
	} else if (is_number_start(s)) {
		return lex_number(text, t, e);
	} else if (*s == '.') {
		t->type = TOKEN_FIELD;
		t->s = s + 1;
		t->n = name_length(s + 1);
	} else if (*s == '$') {
		t->type = TOKEN_VARIABLE;
		t->n = 1 + name_length(s + 1);
	} else if (is_name(*s)) {
		t->type = TOKEN_WORD;
		t->n = name_length(s);
	} else {
		t->n = lex_sign(s, t);
	}
	if (!*s)
		return format_fail(text, s, e, "unclosed action");
	return t->n || t->type == TOKEN_FIELD ? 0
					      : format_fail(text, s, e, "unexpected \"%c\" in command", *s);
}

int lex_token(struct pool *pool, const char *text, const char **p, struct token *ret, struct err *e)
{
	struct token t = { .s = *p };
	int r;

	while (is_blank(*t.s))
		t.s++;
	t.space = t.s != *p;
	r = lex_one(pool, text, &t, e);
	if (r < 0)
		return r;
	*p = t.s + t.n;
	*ret = t;
	return 0;
}
