/* json_read.c - JSON text, token by token (RFC 8259, and no string holds a NUL) */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/json_int.h"

#define MAX_SHOWN 60 /* bytes of a foreign name in a message */

/* --- places and errors */

static bool is_plain_key(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!(s[i] >= 'a' && s[i] <= 'z') && !(s[i] >= 'A' && s[i] <= 'Z') &&
		    !(s[i] >= '0' && s[i] <= '9') && s[i] != '_' && s[i] != '-')
			return false;
	return n > 0;
}

static void add_place(struct buf *b, const struct json_place *pl)
{
	if (!pl)
		return;
	add_place(b, pl->up);
	if (!pl->key)
		buf_addf(b, "[%zu]", pl->n);
	else if (!is_plain_key(pl->key, pl->n))
		buf_addf(b, "[\"%.*s\"]", (int)(pl->n < MAX_SHOWN ? pl->n : MAX_SHOWN), pl->key);
	else
		buf_addf(b, "%s%.*s", b->len ? "." : "", (int)(pl->n < MAX_SHOWN ? pl->n : MAX_SHOWN),
			 pl->key);
}

int json_fail(const struct json_reader *rd, int no, const char *fmt, ...)
{
	AUTO(buf_done) struct buf place = { 0 };
	autofree char *what = NULL;
	va_list ap;

	add_place(&place, rd->place);
	va_start(ap, fmt);
	if (vasprintf(&what, fmt, ap) < 0)
		what = NULL;
	va_end(ap);
	if (!what || !buf_ok(&place))
		return err_set(rd->e, ENOMEM, "out of memory");
	return place.len ? err_set(rd->e, no, "%s: %s", place.data, what) : err_set(rd->e, no, "%s", what);
}

int json_fail_syntax(const struct json_reader *rd, const char *what)
{
	size_t line = 1, column = 1;

	for (const char *p = rd->text; p < rd->p; p++) {
		column = *p == '\n' ? 1 : column + 1;
		line += *p == '\n';
	}
	return json_fail(rd, EINVAL, "not JSON at line %zu, column %zu: %s", line, column, what);
}

/* --- tokens */

char json_next(struct json_reader *rd)
{
	while (rd->p < rd->end && (*rd->p == ' ' || *rd->p == '\n' || *rd->p == '\t' || *rd->p == '\r'))
		rd->p++;
	return rd->p < rd->end ? *rd->p : '\0';
}

static bool is_at_word(struct json_reader *rd, const char *word)
{
	size_t n = strlen(word);

	json_next(rd);
	return (size_t)(rd->end - rd->p) >= n && !memcmp(rd->p, word, n);
}

static bool read_word(struct json_reader *rd, const char *word)
{
	if (!is_at_word(rd, word))
		return false;
	rd->p += strlen(word);
	return true;
}

bool json_read_null(struct json_reader *rd)
{
	return read_word(rd, "null");
}

int json_fail_type(struct json_reader *rd, const char *wanted)
{
	char c = json_next(rd);
	bool is_value = (c && strchr("{[\"-0123456789", c)) || is_at_word(rd, "true") ||
			is_at_word(rd, "false") || is_at_word(rd, "null");

	if (!is_value)
		return json_fail_syntax(rd, "a value is wanted");
	return json_fail(rd, EINVAL, "wrong type, %s is wanted", wanted);
}

int json_read_bool(struct json_reader *rd, bool *ret)
{
	if (read_word(rd, "true"))
		*ret = true;
	else if (read_word(rd, "false"))
		*ret = false;
	else
		return json_fail_type(rd, "true or false");
	return 0;
}

static size_t read_digits(struct json_reader *rd)
{
	const char *from = rd->p;

	while (rd->p < rd->end && *rd->p >= '0' && *rd->p <= '9')
		rd->p++;
	return (size_t)(rd->p - from);
}

static bool read_one_of(struct json_reader *rd, const char *set)
{
	if (rd->p == rd->end || !*rd->p || !strchr(set, *rd->p))
		return false;
	rd->p++;
	return true;
}

static void set_magnitude(struct json_num *num, const char *digits, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (__builtin_mul_overflow(num->magnitude, 10u, &num->magnitude) ||
		    __builtin_add_overflow(num->magnitude, (unsigned)(digits[i] - '0'), &num->magnitude))
			num->huge = true;
}

int json_read_number(struct json_reader *rd, struct json_num *ret)
{
	struct json_num num = { .whole = true };
	const char *digits;
	char c = json_next(rd);
	size_t n;

	if (c != '-' && (c < '0' || c > '9'))
		return json_fail_type(rd, "a number");
	num.s = rd->p;
	num.negative = read_one_of(rd, "-");
	digits = rd->p;
	n = read_digits(rd);
	if (n == 0 || (n > 1 && *digits == '0'))
		return json_fail_syntax(rd, "a malformed number");
	set_magnitude(&num, digits, n);
	if (read_one_of(rd, ".")) {
		num.whole = false;
		if (!read_digits(rd))
			return json_fail_syntax(rd, "a malformed number");
	}
	if (read_one_of(rd, "eE")) {
		num.whole = false;
		read_one_of(rd, "+-");
		if (!read_digits(rd))
			return json_fail_syntax(rd, "a malformed number");
	}
	num.n = (size_t)(rd->p - num.s);
	*ret = num;
	return 0;
}

/* --- strings */

/* The length of the UTF-8 sequence at p: 2 to 4, or 0 when it is none (RFC 3629). */
static size_t utf8_length(const unsigned char *p, size_t room)
{
	size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;

	if (p[0] < 0xc2 || p[0] > 0xf4 || room < n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
	    (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

/* Four hex digits behind "\u" at p, or -1. */
static int hex4(const char *p, const char *end)
{
	int n = 0;

	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		char c = p[i];
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;

		if (digit < 0)
			return -1;
		n = n * 16 + digit;
	}
	return n;
}

/* The code point of the escape "\u...", two of them for a surrogate pair, whose length is *ret_n; or -1. */
static int read_code(const char *p, const char *end, size_t *ret_n)
{
	int code = hex4(p, end), low;

	*ret_n = 6;
	if (code < 0xd800 || code > 0xdfff)
		return code;
	low = code < 0xdc00 ? hex4(p + 6, end) : -1;
	*ret_n = 12;
	return low >= 0xdc00 && low <= 0xdfff ? 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00) : -1;
}

static int check_escape(struct json_reader *rd)
{
	size_t n = 2;
	int code = 1;

	if (rd->end - rd->p >= 2 && rd->p[1] == 'u')
		code = read_code(rd->p, rd->end, &n);
	else if (rd->end - rd->p < 2 || !rd->p[1] || !strchr("\"\\/bfnrt", rd->p[1]))
		code = -1;
	if (code < 0)
		return json_fail_syntax(rd, "a malformed escape");
	if (code == 0)
		return json_fail(rd, EINVAL, "a string holds a NUL");
	rd->p += n;
	return 0;
}

static bool is_ordinary(char c)
{
	return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

/* What is not an ordinary character, at rd->p. */
static int check_special(struct json_reader *rd)
{
	const unsigned char *p = (const unsigned char *)rd->p;
	size_t n = 1;

	if (*p == '\\')
		return check_escape(rd);
	if (*p < 0x20)
		return json_fail_syntax(rd, "a control character in a string");
	if (rd->flags & JSON_UTF8)
		n = utf8_length(p, (size_t)(rd->end - rd->p));
	if (!n)
		return json_fail(rd, EINVAL, "a string is not UTF-8");
	rd->p += n;
	return 0;
}

int json_read_string(struct json_reader *rd, struct json_str *ret)
{
	struct json_str s = { 0 };
	int r = 0;

	if (json_next(rd) != '"')
		return json_fail_type(rd, "a string");
	s.s = ++rd->p;
	for (;;) {
		while (rd->p < rd->end && is_ordinary(*rd->p))
			rd->p++;
		if (rd->p == rd->end)
			return json_fail_syntax(rd, "a string has no end");
		if (*rd->p == '"')
			break;
		s.escaped |= *rd->p == '\\';
		r = check_special(rd);
		if (r < 0)
			return r;
	}
	s.n = (size_t)(rd->p++ - s.s);
	*ret = s;
	return 0;
}

static size_t put_utf8(int code, char *out)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

/* The escape at p as bytes; *ret_n is its length in the text. */
static size_t decode_escape(const char *p, const char *end, char *out, size_t *ret_n)
{
	static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
	const char *name = strchr(names, p[1]);

	if (p[1] == 'u')
		return put_utf8(read_code(p, end, ret_n), out);
	*ret_n = 2;
	*out = name ? values[name - names] : p[1];
	return 1;
}

char *json_str_dup(const struct json_str *s)
{
	char *copy = malloc(s->n + 1); /* no escape is shorter than what it stands for */
	const char *end = s->s + s->n;
	size_t len = 0, n;

	if (!copy)
		return NULL;
	if (!s->escaped) {
		memcpy(copy, s->s, s->n);
		len = s->n;
	} else {
		for (const char *p = s->s; p < end; p += n) {
			n = 1;
			if (*p == '\\')
				len += decode_escape(p, end, copy + len, &n);
			else
				copy[len++] = *p;
		}
	}
	copy[len] = '\0';
	return copy;
}
