/* equal.c - do two filters answer the same?
 *
 * Asked for every number up to NUMBERS and the odd ones beyond, on our architecture and others.  A call with
 * conditions is asked for every combination of values around those that its rules compare with: the value,
 * one less, one more, each half changed, and for a mask each of its bits flipped and all others set.
 */
#include <errno.h>
#include <linux/audit.h>

#include "base/auto.h"
#include "seccomp/compile.h"

#define NUMBERS		 1024
#define MAX_VALUES	 512 /* of one argument */
#define MAX_COMBINATIONS 200000

struct values {
	size_t n;
	uint64_t v[MAX_VALUES];
};

struct pair {
	const struct buf *a, *b;
};

static bool same_answer(const struct pair *p, const struct seccomp_data *d)
{
	uint32_t x = 0, y = 1;

	return bpf_run((const struct sock_filter *)(const void *)p->a->data,
		       p->a->len / sizeof(struct sock_filter), d, &x) == 0 &&
	       bpf_run((const struct sock_filter *)(const void *)p->b->data,
		       p->b->len / sizeof(struct sock_filter), d, &y) == 0 &&
	       x == y;
}

static bool add_value(struct values *s, uint64_t v)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i] == v)
			return true;
	if (s->n == MAX_VALUES)
		return false;
	s->v[s->n++] = v;
	return true;
}

static bool add_around_mask(struct values *s, uint64_t mask, uint64_t v)
{
	bool ok = add_value(s, v) && add_value(s, v | ~mask);

	for (int bit = 0; bit < 64 && ok; bit++)
		if (mask & UINT64_C(1) << bit)
			ok = add_value(s, v ^ UINT64_C(1) << bit);
	return ok;
}

static bool add_around(struct values *s, const struct scmp_arg_cmp *c)
{
	uint64_t v = c->datum_a;

	if (c->op == SCMP_CMP_MASKED_EQ)
		return add_around_mask(s, c->datum_a, c->datum_b);
	return add_value(s, v) && add_value(s, v - 1) && add_value(s, v + 1) &&
	       add_value(s, v ^ UINT64_C(1) << 32) && add_value(s, v ^ 1) && add_value(s, v & UINT32_MAX) &&
	       add_value(s, v | UINT64_C(0xffffffff) << 32);
}

/* Counts through all combinations: an odometer of six wheels. */
static bool next_combination(const struct values *s, size_t at[6])
{
	for (int i = 0; i < 6; i++) {
		if (++at[i] < s[i].n)
			return true;
		at[i] = 0;
	}
	return false;
}

static bool same_for_values(const struct pair *p, int nr, const struct values *s)
{
	struct seccomp_data d = { .nr = nr, .arch = AUDIT_ARCH_X86_64 };
	size_t at[6] = { 0 };
	size_t n = 1;

	for (int i = 0; i < 6; i++)
		n = n > MAX_COMBINATIONS ? n : n * s[i].n;
	if (n > MAX_COMBINATIONS)
		return false;
	do {
		for (int i = 0; i < 6; i++)
			d.args[i] = s[i].v[at[i]];
		if (!same_answer(p, &d))
			return false;
	} while (next_combination(s, at));
	return true;
}

static bool same_for_rules(const struct pair *p, const struct rule *rules, size_t n)
{
	autofree struct values *s = calloc(6, sizeof(*s));
	bool ok = s;

	for (int i = 0; i < 6 && ok; i++)
		ok = add_value(&s[i], 0);
	for (size_t i = 0; i < n; i++)
		for (unsigned j = 0; j < rules[i].n_cmp && ok; j++)
			ok = add_around(&s[rules[i].cmp[j].arg], &rules[i].cmp[j]);
	return ok && same_for_values(p, rules[0].nr, s);
}

static bool same_for_numbers(const struct pair *p)
{
	static const uint32_t odd[] = {
		0x3fffffff, 0x40000000, 0x40000001, 0x7fffffff, 0x80000000, 0xffffffff
	};
	static const uint32_t arches[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, 0 };

	for (size_t a = 0; a < ARRAY_LEN(arches); a++) {
		for (uint32_t i = 0; i < NUMBERS + ARRAY_LEN(odd); i++) {
			struct seccomp_data d = { .arch = arches[a] };

			d.nr = (int)(i < NUMBERS ? i : odd[i - NUMBERS]);
			if (!same_answer(p, &d))
				return false;
		}
	}
	return true;
}

bool compile_equal(const struct ruleset *rs, const struct buf *a, const struct buf *b)
{
	const struct pair p = { a, b };
	size_t end;

	if (!same_for_numbers(&p))
		return false;
	for (size_t i = 0; i < rs->n; i = end) {
		for (end = i + 1; end < rs->n && rs->rules[end].nr == rs->rules[i].nr; end++)
			;
		if (!same_for_rules(&p, rs->rules + i, end - i))
			return false;
	}
	return true;
}
