/* compact.c - rules -> few instructions
 *
 * Call numbers with one answer form runs; a balanced tree of JGE finds the run.  A lone number inside a run
 * is an exception, tested with one JEQ at the run's leaf, instead of two borders in the tree.  Calls with
 * conditions get a block each (conditions.c).
 *
 *	arch, ABI | tree | blocks | one RET per answer
 *
 * Only loads of nr and arch, JEQ, JGE and RET stand on the way to an unconditional answer, so that the kernel's
 * action cache (since 5.11) takes those calls past the filter.  What does not fit is left to libseccomp.
 */
#include <errno.h>
#include <linux/audit.h>
#include <stdlib.h>

#include "base/auto.h"
#include "seccomp/compile.h"
#include "seccomp/conditions.h"

#define MAX_CHAIN 4 /* exceptions of one run: bounds the steps of one call */
#define X32_BIT	  0x40000000u

struct run { /* of call numbers, from `start` to the next run */
	uint32_t start;
	int label;
	unsigned n_exceptions;
	struct {
		uint32_t nr;
		int label;
	} exceptions[MAX_CHAIN];
};

struct runs {
	struct run *v; /* room for two for each rule, and one */
	size_t n;
};

/* From number `start` on, until said otherwise, the answer is at `label`. */
static void add_run(struct runs *s, uint32_t start, int label)
{
	if (s->n && s->v[s->n - 1].start == start)
		s->n--;
	if (s->n && s->v[s->n - 1].label == label)
		return;
	s->v[s->n++] = (struct run){ .start = start, .label = label };
}

/* Is run i a lone number between two pieces of the run `before`? */
static bool is_exception(const struct runs *s, size_t i, const struct run *before)
{
	return i + 1 < s->n && s->v[i].start + 1 == s->v[i + 1].start && s->v[i + 1].label == before->label &&
	       before->n_exceptions < MAX_CHAIN;
}

static void fold_exceptions(struct runs *s)
{
	size_t n = 1;

	for (size_t i = 1; i < s->n; i++) {
		struct run *before = &s->v[n - 1];

		if (is_exception(s, i, before)) {
			before->exceptions[before->n_exceptions].nr = s->v[i].start;
			before->exceptions[before->n_exceptions++].label = s->v[i].label;
			i++; /* the other piece */
		} else {
			s->v[n++] = s->v[i];
		}
	}
	s->n = n;
}

/* Where runs lo..hi-1 are decided: their label when there is nothing left to ask, else ASM_NEXT. */
static int decided(const struct runs *s, size_t lo, size_t hi)
{
	return hi - lo == 1 && !s->v[lo].n_exceptions ? s->v[lo].label : ASM_NEXT;
}

static void emit_leaf(struct assembler *a, const struct run *run)
{
	for (unsigned i = 0; i < run->n_exceptions; i++)
		asm_jump(a, BPF_JEQ, run->exceptions[i].nr, run->exceptions[i].label,
			 i + 1 < run->n_exceptions ? ASM_NEXT : run->label);
}

static void emit_tree(struct assembler *a, const struct runs *s, size_t lo, size_t hi)
{
	size_t mid = lo + (hi - lo) / 2;
	int left, right, far;

	if (hi - lo == 1) {
		emit_leaf(a, &s->v[lo]);
		return;
	}
	left = decided(s, lo, mid);
	right = decided(s, mid, hi);
	far = right == ASM_NEXT && left == ASM_NEXT ? asm_label(a) : right;
	asm_jump(a, BPF_JGE, s->v[mid].start, far, left);
	if (left == ASM_NEXT)
		emit_tree(a, s, lo, mid);
	if (right != ASM_NEXT)
		return;
	if (far != ASM_NEXT)
		asm_place(a, far);
	emit_tree(a, s, mid, hi);
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

/* Runs from rules; blocks[i] gets the label of the call that begins at rule i. */
static void make_runs(struct assembler *a, const struct ruleset *rs, struct runs *s, int *blocks)
{
	int fail = asm_ret(a, rs->default_action);
	size_t n;

	add_run(s, 0, fail);
	for (size_t i = 0; i < rs->n; i += n) {
		const struct rule *r = rs->rules + i, *always;

		n = rules_of_one_call(rs, i);
		always = unconditional(r, n);
		blocks[i] = always ? asm_ret(a, always->action) : asm_label(a);
		add_run(s, (uint32_t)r->nr, blocks[i]);
		add_run(s, (uint32_t)r->nr + 1, fail);
	}
	fold_exceptions(s);
}

static void emit_calls(struct assembler *a, const struct ruleset *rs, struct runs *s, int *blocks)
{
	int fail = asm_ret(a, rs->default_action);
	size_t n;

	make_runs(a, rs, s, blocks);
	if (decided(s, 0, s->n) != ASM_NEXT)
		asm_give_up(a); /* nothing to decide: not worth a second way */
	else
		emit_tree(a, s, 0, s->n);
	for (size_t i = 0; i < rs->n && !asm_is_full(a); i += n) {
		n = rules_of_one_call(rs, i);
		if (unconditional(rs->rules + i, n))
			continue;
		asm_place(a, blocks[i]);
		conditions_emit(a, rs->rules + i, n, fail);
	}
}

static void emit_program(struct assembler *a, const struct ruleset *rs, struct runs *s, int *blocks)
{
	int bad_arch = asm_ret(a, ACTION_BAD_ARCH), calls = asm_label(a);

	asm_load(a, offsetof(struct seccomp_data, arch));
	asm_jump(a, BPF_JEQ, AUDIT_ARCH_X86_64, ASM_NEXT, bad_arch);
	asm_load(a, offsetof(struct seccomp_data, nr));
	asm_jump(a, BPF_JGE, X32_BIT, ASM_NEXT, calls);
	asm_jump(a, BPF_JEQ, UINT32_MAX, asm_ret(a, rs->default_action),
		 bad_arch); /* -1: a tracer skips it */
	asm_place(a, calls);
	emit_calls(a, rs, s, blocks);
}

int compile_compact(const struct ruleset *rs, struct buf *ret)
{
	struct runs s = { .v = calloc(2 * rs->n + 2, sizeof(*s.v)) };
	int *blocks = calloc(rs->n + 1, sizeof(*blocks)), r = -ENOMEM;
	struct assembler *a = asm_new();

	if (a && blocks && s.v) {
		emit_program(a, rs, &s, blocks);
		r = asm_finish(a, ret);
	}
	asm_free(a);
	free(blocks);
	free(s.v);
	return r;
}
