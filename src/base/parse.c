/* parse.c - strict numbers, sizes and names: any doubt is an error, never a default */
#include "base/parse.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/auto.h"

/* Digits of base 8 or 10 up to the first other character; at least one. */
static int parse_digits(const char **s, unsigned base, uint64_t *ret)
{
	uint64_t n = 0;
	const char *p = *s;

	if (*p < '0' || *p >= (char)('0' + base))
		return -EINVAL;
	for (; *p >= '0' && *p < (char)('0' + base); p++)
		if (__builtin_mul_overflow(n, base, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
			return -ERANGE;
	*s = p;
	*ret = n;
	return 0;
}

int parse_u64(const char *s, uint64_t *ret)
{
	uint64_t n;
	int r = parse_digits(&s, 10, &n);

	if (r < 0)
		return r;
	if (*s)
		return -EINVAL;
	*ret = n;
	return 0;
}

int parse_u32(const char *s, uint32_t *ret)
{
	uint64_t n;
	int r = parse_u64(s, &n);

	if (r < 0)
		return r;
	if (n > UINT32_MAX)
		return -ERANGE;
	*ret = (uint32_t)n;
	return 0;
}

int parse_i64(const char *s, int64_t *ret)
{
	bool minus = *s == '-';
	uint64_t n;
	int r = parse_u64(s + minus, &n);

	if (r < 0)
		return r;
	if (n > INT64_MAX)
		return -ERANGE;
	*ret = minus ? -(int64_t)n : (int64_t)n;
	return 0;
}

/* The digits after a '.', as thousandths; more than three digits are refused. */
static int parse_fraction(const char **s, uint64_t *ret)
{
	unsigned digits = 0;
	uint64_t n = 0;

	for (; isdigit((unsigned char)**s); (*s)++, digits++)
		n = n * 10 + (uint64_t)(**s - '0');
	if (!digits || digits > 3)
		return -EINVAL;
	for (; digits < 3; digits++)
		n *= 10;
	*ret = n;
	return 0;
}

static int parse_thousandths(const char **s, uint64_t *ret)
{
	uint64_t whole, part = 0;
	int r = parse_digits(s, 10, &whole);

	if (r == 0 && **s == '.') {
		(*s)++;
		r = parse_fraction(s, &part);
	}
	if (r < 0)
		return r;
	if (__builtin_mul_overflow(whole, 1000, &whole) || __builtin_add_overflow(whole, part, ret))
		return -ERANGE;
	return 0;
}

int parse_milli(const char *s, uint64_t *ret)
{
	uint64_t n;
	int r = parse_thousandths(&s, &n);

	if (r < 0)
		return r;
	if (*s)
		return -EINVAL;
	*ret = n;
	return 0;
}

int parse_bytes(const char *s, uint64_t *ret)
{
	static const char units[] = "bkmgt";
	const char *unit;
	uint64_t n, factor;
	int r;

	r = parse_thousandths(&s, &n);
	if (r < 0)
		return r;
	unit = *s ? strchr(units, tolower((unsigned char)*s)) : units;
	if (!unit)
		return -EINVAL;
	if (*s && unit != units && (!strcasecmp(s + 1, "b") || !strcasecmp(s + 1, "ib")))
		s += strlen(s);
	else if (*s)
		s++;
	if (*s)
		return -EINVAL;
	factor = (uint64_t)1 << (10 * (unit - units));
	if (__builtin_mul_overflow(n, factor, &n))
		return -ERANGE;
	*ret = n / 1000;
	return 0;
}

int parse_mode(const char *s, uint32_t *ret)
{
	uint64_t n;
	int r = parse_digits(&s, 8, &n);

	if (r < 0)
		return r;
	if (*s)
		return -EINVAL;
	if (n > 07777)
		return -ERANGE;
	*ret = (uint32_t)n;
	return 0;
}

static int parse_rt_signal(const char *s, int *ret)
{
	bool max = !strncasecmp(s, "RTMAX", 5);
	uint32_t off = 0;

	if (!max && strncasecmp(s, "RTMIN", 5))
		return -EINVAL;
	if (s[5] && (s[5] != (max ? '-' : '+') || parse_u32(s + 6, &off) < 0 || off > 30))
		return -EINVAL;
	/* the kernel's numbers, not glibc's SIGRTMIN: Docker and kill(1) count from 34 */
	*ret = max ? 64 - (int)off : 34 + (int)off;
	return 0;
}

int parse_signal(const char *s, int *ret)
{
	uint32_t n;

	if (parse_u32(s, &n) == 0) {
		if (n < 1 || n > 64)
			return -ERANGE;
		*ret = (int)n;
		return 0;
	}
	if (!strncasecmp(s, "SIG", 3))
		s += 3;
	for (int i = 1; i < 32; i++) {
		const char *name = sigabbrev_np(i);

		if (name && !strcasecmp(s, name)) {
			*ret = i;
			return 0;
		}
	}
	return parse_rt_signal(s, ret);
}

static bool is_name(const char *s, size_t least, size_t most)
{
	size_t n = strlen(s);

	if (n < least || n > most || !isalnum((unsigned char)s[0]))
		return false;
	return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == n;
}

bool is_instance_name(const char *s)
{
	return is_name(s, 2, 128);
}

bool is_snapshot_name(const char *s)
{
	return is_name(s, 1, SNAPSHOT_NAME_MAX);
}

void hex_encode(const void *s, unsigned n, char *ret)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = s;

	for (unsigned i = 0; i < n; i++) {
		*ret++ = digits[p[i] >> 4];
		*ret++ = digits[p[i] & 15];
	}
	*ret = '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int hex_decode(const char *s, unsigned n, void *ret)
{
	unsigned char *out = ret;

	if (strlen(s) != (size_t)n * 2)
		return -EINVAL;
	for (unsigned i = 0; i < n; i++) {
		int hi = hex_digit(s[2 * i]), lo = hex_digit(s[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return -EINVAL;
		out[i] = (unsigned char)(hi << 4 | lo);
	}
	return 0;
}
