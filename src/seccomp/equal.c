/* equal.c - do two filters answer the same?
 *
 * Asked for every number up to NUMBERS, as such and as x32's, and the odd ones beyond, on each architecture.  A call with
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

static bool same_for_values(const struct pair *p, struct seccomp_data d, const struct values *s)
{
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

static bool same_for_rules(const struct pair *p, uint32_t arch, const struct rule *rules, size_t n)
{
	autofree struct values *s = calloc(6, sizeof(*s));
	bool ok = s;

	for (int i = 0; i < 6 && ok; i++)
		ok = add_value(&s[i], 0);
	for (size_t i = 0; i < n; i++)
		for (unsigned j = 0; j < rules[i].n_cmp && ok; j++)
			ok = add_around(&s[rules[i].cmp[j].arg], &rules[i].cmp[j]);
	return ok && same_for_values(p, (struct seccomp_data){ .nr = rules[0].nr, .arch = arch }, s);
}

static bool same_for_numbers(const struct pair *p)
{
	static const uint32_t odd[] = { 0x3fffffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff };
	static const uint32_t arches[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, 0 };

	for (size_t a = 0; a < ARRAY_LEN(arches); a++) {
		struct seccomp_data d = { .arch = arches[a] };

		for (uint32_t i = 0; i < 2 * NUMBERS; i++) {
			d.nr = (int)(i < NUMBERS ? i : X32_BIT + i - NUMBERS);
			if (!same_answer(p, &d))
				return false;
		}
		for (uint32_t i = 0; i < ARRAY_LEN(odd); i++) {
			d.nr = (int)odd[i];
			if (!same_answer(p, &d))
				return false;
		}
	}
	return true;
}

static bool same_for_abi(const struct pair *p, const struct ruleset *rs)
{
	uint32_t arch = rs->abi == SCMP_ARCH_X86 ? AUDIT_ARCH_I386 : AUDIT_ARCH_X86_64;
	size_t end;

	for (size_t i = 0; i < rs->n; i = end) {
		for (end = i + 1; end < rs->n && rs->rules[end].nr == rs->rules[i].nr; end++)
			;
		if (!same_for_rules(p, arch, rs->rules + i, end - i))
			return false;
	}
	return true;
}

bool compile_equal(const struct rules *rs, const struct buf *a, const struct buf *b)
{
	const struct pair p = { a, b };
	bool same = same_for_numbers(&p);

	for (size_t i = 0; i < rs->n && same; i++)
		same = same_for_abi(&p, &rs->abi[i]);
	return same;
}
