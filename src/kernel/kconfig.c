/* kconfig.c - options of a kernel's build: what was wanted, and what its rules made of it */
#include "kernel/kconfig.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define PREFIX	   "CONFIG_"
#define PREFIX_LEN (sizeof(PREFIX) - 1)
#define NOT_SET	   " is not set"

struct option {
	const char *name; /* without CONFIG_ */
	size_t name_len;
	const char *value; /* "n" for what is not set */
	size_t value_len;
};

static size_t name_length(const char *s)
{
	return strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
}

/* The option of a line of n bytes; false: it is none. */
static bool parse_line(const char *line, size_t n, struct option *ret)
{
	const size_t not_set = sizeof(NOT_SET) - 1;
	const bool commented = n > 2 && !memcmp(line, "# ", 2);
	struct option o = { .value = "n", .value_len = 1 };

	if (commented) {
		line += 2;
		n -= 2;
	}
	if (n <= PREFIX_LEN || memcmp(line, PREFIX, PREFIX_LEN))
		return false;
	o.name = line + PREFIX_LEN;
	n -= PREFIX_LEN;
	o.name_len = name_length(o.name);
	if (!o.name_len || o.name_len > n)
		return false;
	*ret = o;
	if (commented)
		return n - o.name_len == not_set && !memcmp(o.name + o.name_len, NOT_SET, not_set);
	ret->value = o.name + o.name_len + 1;
	ret->value_len = n - o.name_len - 1;
	return n > o.name_len + 1 && o.name[o.name_len] == '=';
}

/* Begins with *at at the start of a text; false: it has ended.  Lines come without their "\n". */
static bool next_line(const char **at, const char **ret_line, size_t *ret_n)
{
	if (!**at)
		return false;
	*ret_line = *at;
	*ret_n = strcspn(*at, "\n");
	*at += *ret_n + ((*at)[*ret_n] == '\n');
	return true;
}

static bool same_text(const char *a, size_t a_len, const char *b, size_t b_len)
{
	return a_len == b_len && !memcmp(a, b, a_len);
}

/* Has the configuration the option so?  What it does not name is not set. */
static bool has(const char *config, const struct option *o)
{
	const char *line;
	struct option c;
	size_t n;

	while (next_line(&config, &line, &n))
		if (parse_line(line, n, &c) && same_text(c.name, c.name_len, o->name, o->name_len))
			return same_text(c.value, c.value_len, o->value, o->value_len);
	return same_text("n", 1, o->value, o->value_len);
}

int kconfig_lost(const char *wanted, const char *config, struct strv *ret, struct err *e)
{
	bool optional = false;
	const char *line;
	struct option o;
	size_t n;

	while (next_line(&wanted, &line, &n)) {
		if (!n) {
			optional = false;
		} else if (parse_line(line, n, &o)) {
			if (!optional && !has(config, &o) &&
			    strv_addf(ret, "%.*s=%.*s", (int)o.name_len, o.name, (int)o.value_len, o.value) <
				    0)
				return err_set(e, ENOMEM, "out of memory");
		} else if (line[0] == '#') {
			optional = optional || same_text(line, n, "# optional", 10);
		} else {
			return err_set(e, EINVAL, "no option of a kernel: %.*s", n > 80 ? 80 : (int)n, line);
		}
	}
	return 0;
}
