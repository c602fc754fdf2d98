/* compact.c - rules -> few instructions
 *
 * Call numbers with one answer form runs; a balanced tree of JGE finds the run.  A lone number inside a run
 * is an exception, tested with one JEQ at the run's leaf, instead of two borders in the tree.  Calls with
 * conditions get a block each, in which rules with the same first condition share it.
 *
 *	arch, ABI | tree | blocks | one RET per answer
 *
 * Only loads of nr and arch, JEQ, JGE and RET stand on the way to an unconditional answer, so that the kernel's
 * action cache (since 5.11) takes those calls past the filter.  Jumps are 8 bits wide: what does not fit is
 * left to libseccomp.
 */
#include <errno.h>
#include <linux/audit.h>
#include <string.h>

#include "base/auto.h"
#include "seccomp/compile.h"

#define MAX_INSNS  600
#define MAX_LABELS (2 * MAX_INSNS)
#define MAX_CHAIN  4 /* exceptions of one run: bounds the steps of one call */
#define NEXT	   (-1)
#define X32_BIT	   0x40000000u
#define NR	   ((uint32_t)offsetof(struct seccomp_data, nr))
#define ARCH	   ((uint32_t)offsetof(struct seccomp_data, arch))

struct insn {
	struct sock_filter f;
	int yes, no; /* labels of a jump, or NEXT */
};

struct run { /* of call numbers, from `start` to the next run */
	uint32_t start;
	int label;
	unsigned n_exceptions;
	struct {
		uint32_t nr;
		int label;
	} exceptions[MAX_CHAIN];
};

struct assembler {
	const struct ruleset *rs;
	struct insn insns[MAX_INSNS];
	size_t n;
	int at[MAX_LABELS]; /* label -> index of an instruction; -1: not yet */
	size_t n_labels;
	struct {
		uint32_t action;
		int label;
	} rets[MAX_INSNS];
	size_t n_rets;
	struct run runs[2 * MAX_INSNS];
	size_t n_runs;
	bool full;
};

/* --- instructions and labels */

static int new_label(struct assembler *a)
{
	if (a->n_labels == MAX_LABELS) {
		a->full = true;
		return 0;
	}
	a->at[a->n_labels] = -1;
	return (int)a->n_labels++;
}

static void place(struct assembler *a, int label)
{
	a->at[label] = (int)a->n;
}

static void emit(struct assembler *a, struct insn in)
{
	if (a->n == MAX_INSNS)
		a->full = true;
	else
		a->insns[a->n++] = in;
}

static void emit_load(struct assembler *a, uint32_t off)
{
	emit(a, (struct insn){ .f = { .code = BPF_LD | BPF_W | BPF_ABS, .k = off } });
}

static void emit_jump(struct assembler *a, uint16_t op, uint32_t k, int yes, int no)
{
	emit(a, (struct insn){ .f = { .code = BPF_JMP | op | BPF_K, .k = k }, .yes = yes, .no = no });
}

static int ret_label(struct assembler *a, uint32_t action)
{
	for (size_t i = 0; i < a->n_rets; i++)
		if (a->rets[i].action == action)
			return a->rets[i].label;
	if (a->n_rets == ARRAY_LEN(a->rets)) {
		a->full = true;
		return 0;
	}
	a->rets[a->n_rets].action = action;
	a->rets[a->n_rets].label = new_label(a);
	return a->rets[a->n_rets++].label;
}

static void emit_rets(struct assembler *a)
{
	for (size_t i = 0; i < a->n_rets; i++) {
		place(a, a->rets[i].label);
		emit(a, (struct insn){ .f = { .code = BPF_RET | BPF_K, .k = a->rets[i].action } });
	}
}

/* --- conditions on arguments */

static uint32_t arg_low(unsigned arg)
{
	return (uint32_t)(offsetof(struct seccomp_data, args) + arg * 8);
}

static uint32_t arg_high(unsigned arg)
{
	return arg_low(arg) + 4; /* little endian */
}

static void emit_greater(struct assembler *a, const struct scmp_arg_cmp *c, uint16_t op, int yes, int no)
{
	uint32_t high = (uint32_t)(c->datum_a >> 32);

	emit_load(a, arg_high(c->arg));
	emit_jump(a, BPF_JGT, high, yes, NEXT);
	emit_jump(a, BPF_JEQ, high, NEXT, no);
	emit_load(a, arg_low(c->arg));
	emit_jump(a, op, (uint32_t)c->datum_a, yes, no);
}

static void emit_equal(struct assembler *a, const struct scmp_arg_cmp *c, int yes, int no)
{
	emit_load(a, arg_high(c->arg));
	emit_jump(a, BPF_JEQ, (uint32_t)(c->datum_a >> 32), NEXT, no);
	emit_load(a, arg_low(c->arg));
	emit_jump(a, BPF_JEQ, (uint32_t)c->datum_a, yes, no);
}

static void emit_masked_half(struct assembler *a, uint32_t off, uint32_t mask, uint32_t want)
{
	emit_load(a, off);
	if (mask != UINT32_MAX)
		emit(a, (struct insn){ .f = { .code = BPF_ALU | BPF_AND | BPF_K, .k = mask } });
	emit_jump(a, BPF_JEQ, want, NEXT, NEXT);
}

static void emit_masked(struct assembler *a, const struct scmp_arg_cmp *c, int yes, int no)
{
	uint32_t high = (uint32_t)(c->datum_a >> 32), low = (uint32_t)c->datum_a;

	if (high || !low) {
		emit_masked_half(a, arg_high(c->arg), high, (uint32_t)(c->datum_b >> 32));
		a->insns[a->n - 1].no = no;
		a->insns[a->n - 1].yes = low ? NEXT : yes;
	}
	if (low) {
		emit_masked_half(a, arg_low(c->arg), low, (uint32_t)c->datum_b);
		a->insns[a->n - 1].no = no;
		a->insns[a->n - 1].yes = yes;
	}
}

static void emit_cmp(struct assembler *a, const struct scmp_arg_cmp *c, int yes, int no)
{
	switch (c->op) {
	case SCMP_CMP_EQ:
		emit_equal(a, c, yes, no);
		break;
	case SCMP_CMP_NE:
		emit_load(a, arg_high(c->arg));
		emit_jump(a, BPF_JEQ, (uint32_t)(c->datum_a >> 32), NEXT, yes);
		emit_load(a, arg_low(c->arg));
		emit_jump(a, BPF_JEQ, (uint32_t)c->datum_a, no, yes);
		break;
	case SCMP_CMP_GT:
		emit_greater(a, c, BPF_JGT, yes, no);
		break;
	case SCMP_CMP_GE:
		emit_greater(a, c, BPF_JGE, yes, no);
		break;
	case SCMP_CMP_LE:
		emit_greater(a, c, BPF_JGT, no, yes);
		break;
	case SCMP_CMP_LT:
		emit_greater(a, c, BPF_JGE, no, yes);
		break;
	case SCMP_CMP_MASKED_EQ:
		emit_masked(a, c, yes, no);
		break;
	case _SCMP_CMP_MIN:
	case _SCMP_CMP_MAX:
		a->full = true;
		break;
	}
}

/* --- the rules of one call */

struct rules {
	const struct rule *r; /* sorted by conditions */
	size_t n;
	unsigned depth; /* conditions 0..depth-1 are known to hold */
};

static bool same_cmp(const struct scmp_arg_cmp *x, const struct scmp_arg_cmp *y)
{
	return x->arg == y->arg && x->op == y->op && x->datum_a == y->datum_a && x->datum_b == y->datum_b;
}

/* Takes from the front of *s the rules that share their next condition. */
static struct rules take_group(struct rules *s)
{
	struct rules g = { .r = s->r, .n = 1, .depth = s->depth + 1 };

	while (g.n < s->n && s->r[g.n].n_cmp > s->depth &&
	       same_cmp(&s->r[g.n].cmp[s->depth], &s->r[0].cmp[s->depth]))
		g.n++;
	s->r += g.n;
	s->n -= g.n;
	return g;
}

/* The answer once all conditions up to g->depth hold, or NULL when rules have more of them. */
static const struct rule *finished(const struct rules *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->r[i].n_cmp == g->depth)
			return &g->r[i];
	return NULL;
}

/* Do all compare one argument for equality, with the same upper half? */
static bool is_switch(const struct rules *s)
{
	const struct scmp_arg_cmp *first = &s->r[0].cmp[s->depth];

	for (size_t i = 0; i < s->n; i++) {
		const struct scmp_arg_cmp *c = &s->r[i].cmp[s->depth];

		if (c->op != SCMP_CMP_EQ || c->arg != first->arg || c->datum_a >> 32 != first->datum_a >> 32)
			return false;
	}
	return true;
}

static void emit_rules(struct assembler *a, struct rules s, int fail);

static void emit_group(struct assembler *a, const struct rules *g, int hit, int fail)
{
	if (!finished(g)) {
		place(a, hit);
		emit_rules(a, *g, fail);
	}
}

static int hit_label(struct assembler *a, const struct rules *g)
{
	const struct rule *end = finished(g);

	return end ? ret_label(a, end->action) : new_label(a);
}

static void emit_switch(struct assembler *a, struct rules s, int fail)
{
	const struct scmp_arg_cmp first = s.r[0].cmp[s.depth];

	emit_load(a, arg_high(first.arg));
	emit_jump(a, BPF_JEQ, (uint32_t)(first.datum_a >> 32), NEXT, fail);
	emit_load(a, arg_low(first.arg));
	while (s.n) {
		uint32_t value = (uint32_t)s.r[0].cmp[s.depth].datum_a;
		struct rules g = take_group(&s);
		int hit = hit_label(a, &g), other = s.n ? new_label(a) : fail;

		emit_jump(a, BPF_JEQ, value, hit, other);
		emit_group(a, &g, hit, fail); /* the values exclude each other: no way back */
		if (s.n)
			place(a, other);
	}
}

static void emit_rules(struct assembler *a, struct rules s, int fail)
{
	while (s.n && !a->full) {
		struct scmp_arg_cmp c = s.r[0].cmp[s.depth];
		struct rules g;
		int hit, other;

		if (is_switch(&s)) {
			emit_switch(a, s, fail);
			return;
		}
		g = take_group(&s);
		hit = hit_label(a, &g);
		other = s.n ? new_label(a) : fail;
		emit_cmp(a, &c, hit, other);
		emit_group(a, &g, hit, other);
		if (s.n)
			place(a, other);
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

static const struct rule *unconditional(const struct rule *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!r[i].n_cmp)
			return &r[i];
	return NULL;
}

static size_t rules_of_one_call(const struct ruleset *rs, size_t from)
{
	size_t n = 1;

	while (from + n < rs->n && rs->rules[from + n].nr == rs->rules[from].nr)
		n++;
	return n;
}

static void emit_block(struct assembler *a, const struct rule *r, size_t n, int fail)
{
	struct rule *sorted = calloc(n, sizeof(*sorted));

	if (!sorted) {
		a->full = true;
		return;
	}
	memcpy(sorted, r, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_conditions);
	emit_rules(a, (struct rules){ .r = sorted, .n = n }, fail);
	free(sorted);
}

/* --- the tree of runs */

/* From number `start` on, until said otherwise, the answer is at `label`. */
static void add_run(struct assembler *a, uint32_t start, int label)
{
	if (a->n_runs && a->runs[a->n_runs - 1].start == start)
		a->n_runs--;
	if (a->n_runs && a->runs[a->n_runs - 1].label == label)
		return;
	if (a->n_runs == ARRAY_LEN(a->runs))
		a->full = true;
	else
		a->runs[a->n_runs++] = (struct run){ .start = start, .label = label };
}

/* Is runs[i] a lone number between two pieces of one run? */
static bool is_exception(const struct assembler *a, size_t i, const struct run *before)
{
	return i + 1 < a->n_runs && a->runs[i].start + 1 == a->runs[i + 1].start &&
	       a->runs[i + 1].label == before->label && before->n_exceptions < MAX_CHAIN;
}

static void fold_exceptions(struct assembler *a)
{
	size_t n = 1;

	for (size_t i = 1; i < a->n_runs; i++) {
		struct run *before = &a->runs[n - 1];

		if (is_exception(a, i, before)) {
			before->exceptions[before->n_exceptions].nr = a->runs[i].start;
			before->exceptions[before->n_exceptions++].label = a->runs[i].label;
			i++; /* the other piece */
		} else {
			a->runs[n++] = a->runs[i];
		}
	}
	a->n_runs = n;
}

/* Where runs lo..hi-1 are decided: their label when there is nothing left to ask, else NEXT. */
static int decided(const struct assembler *a, size_t lo, size_t hi)
{
	return hi - lo == 1 && !a->runs[lo].n_exceptions ? a->runs[lo].label : NEXT;
}

static void emit_tree(struct assembler *a, size_t lo, size_t hi)
{
	const struct run *run = &a->runs[lo];
	size_t mid = lo + (hi - lo) / 2;
	int left, right;

	if (hi - lo == 1) {
		for (unsigned i = 0; i < run->n_exceptions; i++)
			emit_jump(a, BPF_JEQ, run->exceptions[i].nr, run->exceptions[i].label,
				  i + 1 < run->n_exceptions ? NEXT : run->label);
		return;
	}
	left = decided(a, lo, mid);
	right = decided(a, mid, hi);
	if (right == NEXT && left == NEXT)
		right = new_label(a);
	emit_jump(a, BPF_JGE, a->runs[mid].start, right, left);
	if (left == NEXT)
		emit_tree(a, lo, mid);
	if (decided(a, mid, hi) == NEXT) {
		if (right != NEXT)
			place(a, right);
		emit_tree(a, mid, hi);
	}
}

static void emit_calls(struct assembler *a)
{
	int fail = ret_label(a, a->rs->default_action), *blocks;
	const struct rule *r = a->rs->rules;
	size_t i, n;

	blocks = calloc(a->rs->n + 1, sizeof(*blocks));
	if (!blocks) {
		a->full = true;
		return;
	}
	add_run(a, 0, fail);
	for (i = 0; i < a->rs->n && !a->full; i += n) {
		const struct rule *always;

		n = rules_of_one_call(a->rs, i);
		always = unconditional(r + i, n);
		blocks[i] = always ? ret_label(a, always->action) : new_label(a);
		add_run(a, (uint32_t)r[i].nr, blocks[i]);
		add_run(a, (uint32_t)r[i].nr + 1, fail);
	}
	fold_exceptions(a);
	if (a->n_runs > 1 || a->runs[0].n_exceptions)
		emit_tree(a, 0, a->n_runs);
	else
		a->full = true; /* nothing to decide: not worth a second way */
	for (i = 0; i < a->rs->n && !a->full; i += n) {
		n = rules_of_one_call(a->rs, i);
		if (unconditional(r + i, n))
			continue;
		place(a, blocks[i]);
		emit_block(a, r + i, n, fail);
	}
	free(blocks);
}

static int resolve(const struct assembler *a, size_t from, int label, uint8_t *ret)
{
	int distance = label == NEXT ? 0 : a->at[label] - (int)from - 1;

	if (distance < 0 || distance > UINT8_MAX)
		return -E2BIG;
	*ret = (uint8_t)distance;
	return 0;
}

static int assemble(struct assembler *a, struct buf *ret)
{
	for (size_t i = 0; i < a->n; i++) {
		struct insn *in = &a->insns[i];

		if (BPF_CLASS(in->f.code) == BPF_JMP &&
		    (resolve(a, i, in->yes, &in->f.jt) < 0 || resolve(a, i, in->no, &in->f.jf) < 0))
			return -E2BIG;
		buf_add(ret, &in->f, sizeof(in->f));
	}
	return buf_ok(ret) ? 0 : -ENOMEM;
}

int compile_compact(const struct ruleset *rs, struct buf *ret)
{
	autofree struct assembler *a = calloc(1, sizeof(*a));
	int bad_arch, calls;

	if (!a)
		return -ENOMEM;
	a->rs = rs;
	bad_arch = ret_label(a, ACTION_BAD_ARCH);
	calls = new_label(a);
	emit_load(a, ARCH);
	emit_jump(a, BPF_JEQ, AUDIT_ARCH_X86_64, NEXT, bad_arch);
	emit_load(a, NR);
	emit_jump(a, BPF_JGE, X32_BIT, NEXT, calls);
	emit_jump(a, BPF_JEQ, UINT32_MAX, ret_label(a, rs->default_action),
		  bad_arch); /* -1: a tracer skips it */
	place(a, calls);
	emit_calls(a);
	emit_rets(a);
	return a->full ? -E2BIG : assemble(a, ret);
}
