/* print.c - values as Go's fmt prints them: %v, and printf
 *
 * A verb that does not fit its value, or has none, is refused, where Go prints "%!d(string=x)" into the output.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "format/format_int.h"

/* A verb: "%-08.3f". */
struct spec {
	bool minus, plus, zero, blank, sharp;
	int width, precision; /* precision -1: not given */
	char verb;
};

static const struct spec plain = { .precision = -1, .verb = 'v' };

/* --- sorted members */

static int compare_keys(const void *a, const void *b)
{
	return strcmp((*(const struct json_member *const *)a)->key,
		      (*(const struct json_member *const *)b)->key);
}

const struct json_member **print_sorted(struct pool *p, const struct json_value *object, size_t *ret_n)
{
	const struct json_member **list = pool_alloc(p, (object->n + 1) * sizeof(void *));

	*ret_n = 0;
	if (!list)
		return NULL;
	for (size_t i = 0; i < object->n; i++)
		if (!object->members[i].hidden)
			list[(*ret_n)++] = &object->members[i];
	qsort(list, *ret_n, sizeof(void *), compare_keys);
	return list;
}

/* --- one value */

static size_t characters(const char *s, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += ((unsigned char)s[i] & 0xc0) != 0x80;
	return count;
}

/* Bytes of the first max characters. */
static size_t first_characters(const char *s, size_t max)
{
	size_t n = 0;

	while (s[n] && max) {
		n++;
		while (((unsigned char)s[n] & 0xc0) == 0x80)
			n++;
		max--;
	}
	return n;
}

/* Zeros go behind the sign. */
static void add_padded(struct buf *out, const struct spec *sp, const char *s, bool number)
{
	size_t n = strlen(s), have = characters(s, n), width = (size_t)sp->width;
	size_t pad = width > have ? width - have : 0;
	bool zeros = sp->zero && !sp->minus;

	if (zeros && number && (*s == '-' || *s == '+' || *s == ' ')) {
		buf_addc(out, *s++);
		n--;
	}
	for (size_t i = 0; i < pad && !sp->minus; i++)
		buf_addc(out, zeros ? '0' : ' ');
	buf_add(out, s, n);
	for (size_t i = 0; i < pad && sp->minus; i++)
		buf_addc(out, ' ');
}

static void add_hex(struct buf *out, const struct spec *sp, const char *s)
{
	AUTO(buf_done) struct buf hex = { 0 };

	for (; *s; s++)
		buf_addf(&hex, sp->verb == 'x' ? "%02x" : "%02X", (unsigned char)*s);
	out->failed |= hex.failed;
	add_padded(out, sp, hex.data ? hex.data : "", false);
}

/* As Go's strconv.Quote, but that characters beyond ASCII are taken to be printable. */
static void add_quoted(struct buf *out, const struct spec *sp, const char *s)
{
	static const char letters[] = "abfnrtv", values[] = "\a\b\f\n\r\t\v";
	AUTO(buf_done) struct buf q = { 0 };

	buf_addc(&q, '"');
	for (; *s; s++) {
		const char *at = strchr(values, *s);

		if (*s == '"' || *s == '\\')
			buf_addf(&q, "\\%c", *s);
		else if (at)
			buf_addf(&q, "\\%c", letters[at - values]);
		else if ((unsigned char)*s < 0x20 || *s == 0x7f)
			buf_addf(&q, "\\x%02x", (unsigned char)*s);
		else
			buf_addc(&q, *s);
	}
	buf_addc(&q, '"');
	out->failed |= q.failed;
	add_padded(out, sp, q.data ? q.data : "", false);
}

static int add_string(struct buf *out, const struct spec *sp, const char *s)
{
	size_t n = sp->precision < 0 ? strlen(s) : first_characters(s, (size_t)sp->precision);
	autofree char *cut = strndup(s, n);

	if (!cut)
		return -ENOMEM;
	if (sp->verb == 'x' || sp->verb == 'X')
		add_hex(out, sp, cut);
	else if (sp->verb == 'q')
		add_quoted(out, sp, cut);
	else if (sp->verb == 's' || sp->verb == 'v')
		add_padded(out, sp, cut, false);
	else
		return -EINVAL;
	return 0;
}

static const char *sign_of(const struct spec *sp, bool negative)
{
	return negative ? "-" : sp->plus ? "+" : sp->blank ? " " : "";
}

static int add_whole(struct buf *out, const struct spec *sp, const struct json_value *v)
{
	const char *sign = sign_of(sp, v->negative);
	char text[32];

	if (sp->verb == 'x')
		snprintf(text, sizeof(text), "%s%" PRIx64, sign, v->magnitude);
	else if (sp->verb == 'X')
		snprintf(text, sizeof(text), "%s%" PRIX64, sign, v->magnitude);
	else if (sp->verb == 'o')
		snprintf(text, sizeof(text), "%s%" PRIo64, sign, v->magnitude);
	else if (sp->verb == 'd' || sp->verb == 'v')
		snprintf(text, sizeof(text), "%s%" PRIu64, sign, v->magnitude);
	else
		return -EINVAL;
	add_padded(out, sp, text, true);
	return 0;
}

static int add_real(struct buf *out, const struct spec *sp, double v)
{
	double size = v < 0 ? -v : v;
	char text[400]; /* %f of the largest number, and MAX_PRECISION */
	bool exponent = size != 0 && (size < 1e-4 || size >= 1e6);
	const char *sign = sign_of(sp, false);
	int digits = json_real_digits(v);

	if (v < 0)
		sign = "";
	if (sp->verb == 'f' || sp->verb == 'e')
		snprintf(text, sizeof(text), sp->verb == 'f' ? "%s%.*f" : "%s%.*e", sign,
			 sp->precision < 0 ? 6 : sp->precision, v);
	else if (sp->verb != 'v' && sp->verb != 'g')
		return -EINVAL;
	else if (sp->precision >= 0)
		snprintf(text, sizeof(text), "%s%.*g", sign, sp->precision, v);
	else if (exponent)
		snprintf(text, sizeof(text), "%s%.*e", sign, digits - 1, v);
	else
		snprintf(text, sizeof(text), "%s%.*g", sign, digits < 6 ? 6 : digits, v);
	add_padded(out, sp, text, true);
	return 0;
}

static int add_bool(struct buf *out, const struct spec *sp, bool b)
{
	if (sp->verb != 't' && sp->verb != 'v')
		return -EINVAL;
	add_padded(out, sp, b ? "true" : "false", false);
	return 0;
}

/* Each element by the verb, as Go does. */
static int add_value(struct buf *out, const struct spec *sp, const struct json_value *v);

static int add_array(struct buf *out, const struct spec *sp, const struct json_value *v)
{
	int r = 0;

	buf_addc(out, '[');
	for (size_t i = 0; i < v->n && r == 0; i++) {
		buf_adds(out, i ? " " : "");
		r = add_value(out, sp, &v->items[i]);
	}
	buf_addc(out, ']');
	return r;
}

/* As Go prints a struct. */
static int add_record(struct buf *out, const struct spec *sp, const struct json_value *v)
{
	int r = 0;

	buf_addc(out, '{');
	for (size_t i = 0; i < v->n && r == 0; i++) {
		buf_adds(out, i ? " " : "");
		r = add_value(out, sp, &v->members[i].value);
	}
	buf_addc(out, '}');
	return r;
}

/* As Go prints a map. */
static int add_object(struct buf *out, const struct spec *sp, const struct json_value *v)
{
	AUTO(pool_done) struct pool p = { 0 };
	size_t n;
	const struct json_member **members = print_sorted(&p, v, &n);
	int r = members ? 0 : -ENOMEM;

	buf_adds(out, "map[");
	for (size_t i = 0; i < n && r == 0; i++) {
		buf_adds(out, i ? " " : "");
		r = add_string(out, strchr("svqxX", sp->verb) ? sp : &plain, members[i]->key);
		buf_addc(out, ':');
		if (r == 0)
			r = add_value(out, sp, &members[i]->value);
	}
	buf_addc(out, ']');
	return r;
}

static int add_value(struct buf *out, const struct spec *sp, const struct json_value *v)
{
	switch (v->kind) {
	case JSON_NULL:
		if (sp->verb != 'v')
			return -EINVAL;
		add_padded(out, sp, "<nil>", false);
		return 0;
	case JSON_BOOL:
		return add_bool(out, sp, v->boolean);
	case JSON_WHOLE:
		return add_whole(out, sp, v);
	case JSON_REAL:
		return add_real(out, sp, v->real);
	case JSON_STRING:
		return add_string(out, sp, v->string);
	case JSON_ARRAY:
		return add_array(out, sp, v);
	case JSON_OBJECT:
		break;
	}
	return v->record ? add_record(out, sp, v) : add_object(out, sp, v);
}

void print_value(struct buf *out, const struct json_value *v, bool top)
{
	if (top && v->kind == JSON_NULL)
		buf_adds(out, "<no value>");
	else if (add_value(out, &plain, v) < 0)
		out->failed = true;
}

/* --- printf */

/* Digits up to MAX_WIDTH. */
static int read_number(const char **p, int *ret)
{
	int n = 0;

	while (**p >= '0' && **p <= '9') {
		n = n * 10 + (*(*p)++ - '0');
		if (n > MAX_WIDTH)
			return -ERANGE;
	}
	*ret = n;
	return 0;
}

static void read_flags(const char **p, struct spec *sp)
{
	for (;; (*p)++) {
		if (**p == '-')
			sp->minus = true;
		else if (**p == '+')
			sp->plus = true;
		else if (**p == '0')
			sp->zero = true;
		else if (**p == ' ')
			sp->blank = true;
		else
			return;
	}
}

/* p is behind the percent sign. */
static int read_spec(const char **p, struct spec *ret, struct err *e)
{
	struct spec sp = { .precision = -1 };
	int r;

	read_flags(p, &sp);
	r = read_number(p, &sp.width);
	if (r == 0 && **p == '.') {
		(*p)++;
		r = read_number(p, &sp.precision);
	}
	if (r < 0 || sp.precision > MAX_PRECISION)
		return err_set(e, EINVAL, "a width above %d or a precision above %d", MAX_WIDTH,
			       MAX_PRECISION);
	if (!**p || !strchr("vsqdxXotfeg%", **p))
		return err_set(e, EINVAL, "unknown verb %%%.1s (there are v s q d x X o t f e g)", *p);
	sp.verb = *(*p)++;
	*ret = sp;
	return 0;
}

int print_formatted(struct buf *out, const char *fmt, const struct json_value *const *args, size_t n,
		    struct err *e)
{
	size_t i = 0;

	while (*fmt && out->len <= MAX_OUTPUT) {
		size_t len = strcspn(fmt, "%");
		struct spec sp;
		int r;

		buf_add(out, fmt, len);
		fmt += len;
		if (!*fmt++)
			break;
		r = read_spec(&fmt, &sp, e);
		if (r < 0)
			return r;
		if (sp.verb == '%') {
			buf_addc(out, '%');
			continue;
		}
		if (i == n)
			return err_set(e, EINVAL, "%%%c has no value", sp.verb);
		r = add_value(out, &sp, args[i]);
		if (r == -EINVAL)
			return err_set(e, EINVAL, "%%%c does not print %s", sp.verb, value_kind(args[i]));
		if (r < 0)
			return r;
		i++;
	}
	return i == n || out->len > MAX_OUTPUT ? 0 : err_set(e, EINVAL, "%zu values more than verbs", n - i);
}
