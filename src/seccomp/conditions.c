/* conditions.c - rules with the same first condition share it; equal comparisons of one argument share its loads
 *
 * seccomp_data holds arguments as 64 bits, BPF computes with 32: each is compared in halves, or, where the ABI's
 * arguments are narrow, only in its lower one.
 */
#include "seccomp/conditions.h"

#include <stdlib.h>
#include <string.h>

/* --- one condition */

static uint32_t arg_low(unsigned arg)
{
	return (uint32_t)(offsetof(struct seccomp_data, args) + arg * 8);
}

static uint32_t arg_high(unsigned arg)
{
	return arg_low(arg) + 4; /* little endian */
}

struct test {
	const struct scmp_arg_cmp *c;
	bool narrow;
	int yes, no; /* labels */
};

/* Goes on if the upper half is equal, or does not count. */
static void emit_high_equal(struct assembler *a, const struct test *t, int other)
{
	if (t->narrow)
		return;
	asm_load(a, arg_high(t->c->arg));
	asm_jump(a, BPF_JEQ, (uint32_t)(t->c->datum_a >> 32), ASM_NEXT, other);
}

static void emit_greater(struct assembler *a, const struct test *t, uint16_t op)
{
	uint32_t high = (uint32_t)(t->c->datum_a >> 32);

	if (!t->narrow) {
		asm_load(a, arg_high(t->c->arg));
		asm_jump(a, BPF_JGT, high, t->yes, ASM_NEXT);
		asm_jump(a, BPF_JEQ, high, ASM_NEXT, t->no);
	}
	asm_load(a, arg_low(t->c->arg));
	asm_jump(a, op, (uint32_t)t->c->datum_a, t->yes, t->no);
}

static void emit_equal(struct assembler *a, const struct test *t)
{
	emit_high_equal(a, t, t->no);
	asm_load(a, arg_low(t->c->arg));
	asm_jump(a, BPF_JEQ, (uint32_t)t->c->datum_a, t->yes, t->no);
}

static void emit_masked_half(struct assembler *a, uint32_t off, uint32_t mask, uint32_t want, int yes, int no)
{
	asm_load(a, off);
	if (mask != UINT32_MAX)
		asm_and(a, mask);
	asm_jump(a, BPF_JEQ, want, yes, no);
}

static void emit_masked(struct assembler *a, const struct test *t)
{
	const struct scmp_arg_cmp *c = t->c;
	uint32_t high = (uint32_t)(c->datum_a >> 32), low = (uint32_t)c->datum_a;

	if (high && !t->narrow)
		emit_masked_half(a, arg_high(c->arg), high, (uint32_t)(c->datum_b >> 32),
				 low ? ASM_NEXT : t->yes, t->no);
	if (low || t->narrow || !high)
		emit_masked_half(a, arg_low(c->arg), low, (uint32_t)c->datum_b, t->yes, t->no);
}

static struct test opposite(const struct test *t)
{
	return (struct test){ .c = t->c, .narrow = t->narrow, .yes = t->no, .no = t->yes };
}

static void emit_test(struct assembler *a, const struct test *t)
{
	const struct test not = opposite(t);

	switch (t->c->op) {
	case SCMP_CMP_EQ:
		emit_equal(a, t);
		break;
	case SCMP_CMP_NE:
		emit_equal(a, &not );
		break;
	case SCMP_CMP_GT:
		emit_greater(a, t, BPF_JGT);
		break;
	case SCMP_CMP_GE:
		emit_greater(a, t, BPF_JGE);
		break;
	case SCMP_CMP_LE:
		emit_greater(a, &not, BPF_JGT);
		break;
	case SCMP_CMP_LT:
		emit_greater(a, &not, BPF_JGE);
		break;
	case SCMP_CMP_MASKED_EQ:
		emit_masked(a, t);
		break;
	case _SCMP_CMP_MIN:
	case _SCMP_CMP_MAX:
		asm_give_up(a);
		break;
	}
}

/* --- the rules of one call */

struct group {
	const struct rule *r; /* sorted by conditions */
	size_t n;
	bool narrow;
	unsigned depth; /* conditions 0..depth-1 are known to hold */
};

static bool same_cmp(const struct scmp_arg_cmp *x, const struct scmp_arg_cmp *y)
{
	return x->arg == y->arg && x->op == y->op && x->datum_a == y->datum_a && x->datum_b == y->datum_b;
}

/* Takes from the front of *s the rules that share their next condition. */
static struct group take_group(struct group *s)
{
	struct group g = { .r = s->r, .n = 1, .narrow = s->narrow, .depth = s->depth + 1 };

	while (g.n < s->n && s->r[g.n].n_cmp > s->depth &&
	       same_cmp(&s->r[g.n].cmp[s->depth], &s->r[0].cmp[s->depth]))
		g.n++;
	s->r += g.n;
	s->n -= g.n;
	return g;
}

/* The answer once all conditions up to g->depth hold, or NULL when rules have more of them. */
static const struct rule *finished(const struct group *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->r[i].n_cmp == g->depth)
			return &g->r[i];
	return NULL;
}

/* Do all compare one argument for equality, with the same upper half? */
static bool is_switch(const struct group *s)
{
	const struct scmp_arg_cmp *first = &s->r[0].cmp[s->depth];

	for (size_t i = 0; i < s->n; i++) {
		const struct scmp_arg_cmp *c = &s->r[i].cmp[s->depth];

		if (c->op != SCMP_CMP_EQ || c->arg != first->arg || c->datum_a >> 32 != first->datum_a >> 32)
			return false;
	}
	return true;
}

static void emit_rules(struct assembler *a, struct group s, int fail);

static void emit_group(struct assembler *a, const struct group *g, int hit, int fail)
{
	if (!finished(g)) {
		asm_place(a, hit);
		emit_rules(a, *g, fail);
	}
}

static int hit_label(struct assembler *a, const struct group *g)
{
	const struct rule *end = finished(g);

	return end ? asm_ret(a, end->action) : asm_label(a);
}

static void emit_switch(struct assembler *a, struct group s, int fail)
{
	const struct scmp_arg_cmp first = s.r[0].cmp[s.depth];

	emit_high_equal(a, &(struct test){ .c = &first, .narrow = s.narrow }, fail);
	asm_load(a, arg_low(first.arg));
	while (s.n) {
		uint32_t value = (uint32_t)s.r[0].cmp[s.depth].datum_a;
		struct group g = take_group(&s);
		int hit = hit_label(a, &g), other = s.n ? asm_label(a) : fail;

		asm_jump(a, BPF_JEQ, value, hit, other);
		emit_group(a, &g, hit, fail); /* the values exclude each other: no way back */
		if (s.n)
			asm_place(a, other);
	}
}

static void emit_rules(struct assembler *a, struct group s, int fail)
{
	while (s.n && !asm_is_full(a)) {
		struct scmp_arg_cmp c = s.r[0].cmp[s.depth];
		struct group g;
		int hit, other;

		if (is_switch(&s)) {
			emit_switch(a, s, fail);
			return;
		}
		g = take_group(&s);
		hit = hit_label(a, &g);
		other = s.n ? asm_label(a) : fail;
		emit_test(a, &(struct test){ &c, s.narrow, hit, other });
		emit_group(a, &g, hit, other);
		if (s.n)
			asm_place(a, other);
	}
}

/* Shortest conditions last, equal first conditions together. */
static int by_conditions(const void *x, const void *y)
{
	const struct rule *a = x, *b = y;
	int r;

	for (unsigned i = 0; i < a->n_cmp && i < b->n_cmp; i++) {
		if (a->cmp[i].arg != b->cmp[i].arg)
			return a->cmp[i].arg < b->cmp[i].arg ? -1 : 1;
		r = memcmp(&a->cmp[i].op, &b->cmp[i].op, sizeof(a->cmp[i].op));
		if (r)
			return r;
		if (a->cmp[i].datum_a != b->cmp[i].datum_a)
			return a->cmp[i].datum_a < b->cmp[i].datum_a ? -1 : 1;
		if (a->cmp[i].datum_b != b->cmp[i].datum_b)
			return a->cmp[i].datum_b < b->cmp[i].datum_b ? -1 : 1;
	}
	return a->n_cmp != b->n_cmp ? (a->n_cmp > b->n_cmp ? -1 : 1) : 0;
}

void conditions_emit(struct assembler *a, const struct conditions *c, int fail)
{
	struct rule *sorted = calloc(c->n, sizeof(*sorted));

	if (!sorted) {
		asm_give_up(a);
		return;
	}
	memcpy(sorted, c->rules, c->n * sizeof(*sorted));
	qsort(sorted, c->n, sizeof(*sorted), by_conditions);
	emit_rules(a, (struct group){ .r = sorted, .n = c->n, .narrow = c->narrow }, fail);
	free(sorted);
}
