/* compact.c - rules -> few instructions
 *
 * Call numbers with one answer form runs; a balanced tree of JGE finds the run.  A lone number inside a run
 * is an exception, tested with one JEQ at the run's leaf, instead of two borders in the tree.  Calls with
 * conditions get a block each (conditions.c).
 *
 *	arch | for each ABI: tree | blocks | one RET per answer
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

/* The part of a program that is for one ABI. */
struct section {
	const struct ruleset *rs;
	int x32; /* in x86_64's: the label of x32's section, or ASM_NEXT */
	struct runs runs;
	int *blocks; /* blocks[i]: the label of the call that begins at rule i */
};

/* Runs from rules. */
static void make_runs(struct assembler *a, struct section *s)
{
	const struct ruleset *rs = s->rs;
	int fail = asm_ret(a, rs->default_action);
	size_t n;

	add_run(&s->runs, 0, fail);
	for (size_t i = 0; i < rs->n; i += n) {
		const struct rule *r = rs->rules + i, *always;

		n = rules_of_one_call(rs, i);
		always = unconditional(r, n);
		s->blocks[i] = always ? asm_ret(a, always->action) : asm_label(a);
		add_run(&s->runs, (uint32_t)r->nr, s->blocks[i]);
		add_run(&s->runs, (uint32_t)r->nr + 1, fail);
	}
	if (rs->has_newer)
		add_run(&s->runs, rs->newest + 1, asm_ret(a, SECCOMP_RET_ERRNO | ENOSYS));
}

/* Behind x86_64's numbers are those of x32; -1 is a call that a tracer skips. */
static void add_x32(struct assembler *a, struct section *s, int *ret_bridge)
{
	*ret_bridge = ASM_NEXT;
	if (s->rs->abi != SCMP_ARCH_X86_64)
		return;
	if (s->x32 != ASM_NEXT) {
		*ret_bridge = asm_label(a);
		add_run(&s->runs, X32_BIT, *ret_bridge);
	} else {
		add_run(&s->runs, X32_BIT, asm_ret(a, ACTION_BAD_ARCH));
		add_run(&s->runs, UINT32_MAX, asm_ret(a, s->rs->default_action));
	}
}

static void emit_blocks(struct assembler *a, const struct section *s)
{
	const struct ruleset *rs = s->rs;
	int fail = asm_ret(a, rs->default_action);
	size_t n;

	for (size_t i = 0; i < rs->n && !asm_is_full(a); i += n) {
		n = rules_of_one_call(rs, i);
		if (unconditional(rs->rules + i, n))
			continue;
		asm_place(a, s->blocks[i]);
		conditions_emit(a, &(struct conditions){ rs->rules + i, n, rs->abi != SCMP_ARCH_X86_64 },
				fail);
	}
}

static void emit_section(struct assembler *a, struct section *s)
{
	int bridge;

	asm_load(a, offsetof(struct seccomp_data, nr));
	make_runs(a, s);
	add_x32(a, s, &bridge);
	fold_exceptions(&s->runs);
	if (decided(&s->runs, 0, s->runs.n) != ASM_NEXT)
		asm_give_up(a); /* nothing to decide: not worth a second way */
	else
		emit_tree(a, &s->runs, 0, s->runs.n);
	emit_blocks(a, s);
	if (bridge != ASM_NEXT) {
		asm_place(a, bridge);
		asm_goto(a, s->x32);
	}
	asm_end_section(a);
}

static void emit_abi(struct assembler *a, const struct ruleset *rs, int x32)
{
	struct section s = { .rs = rs, .x32 = x32 };

	s.runs.v = calloc(2 * rs->n + 5, sizeof(*s.runs.v));
	s.blocks = calloc(rs->n + 1, sizeof(*s.blocks));
	if (s.runs.v && s.blocks)
		emit_section(a, &s);
	else
		asm_give_up(a);
	free(s.blocks);
	free(s.runs.v);
}

/* x86_64 first: its calls are the common ones. */
static void emit_program(struct assembler *a, const struct rules *rs)
{
	const struct ruleset *x86 = rules_find(rs, SCMP_ARCH_X86), *x32 = rules_find(rs, SCMP_ARCH_X32);
	int native = asm_label(a), foreign = asm_label(a), x32_label = x32 ? asm_label(a) : ASM_NEXT;

	asm_load(a, offsetof(struct seccomp_data, arch));
	asm_jump(a, BPF_JEQ, AUDIT_ARCH_X86_64, native, x86 ? ASM_NEXT : asm_ret(a, ACTION_BAD_ARCH));
	if (x86)
		asm_goto(a, foreign);
	asm_place(a, native);
	emit_abi(a, &rs->abi[0], x32_label);
	if (x86) {
		asm_place(a, foreign);
		asm_jump(a, BPF_JEQ, AUDIT_ARCH_I386, ASM_NEXT, asm_ret(a, ACTION_BAD_ARCH));
		emit_abi(a, x86, ASM_NEXT);
	}
	if (x32) {
		asm_place(a, x32_label);
		emit_abi(a, x32, ASM_NEXT);
	}
}

int compile_compact(const struct rules *rs, struct buf *ret)
{
	struct assembler *a = asm_new();
	int r = -ENOMEM;

	if (a) {
		emit_program(a, rs);
		r = asm_finish(a, ret);
	}
	asm_free(a);
	return r;
}
