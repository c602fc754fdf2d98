/* asm.c - instructions in a row, jumps by label until the end */
#include "seccomp/asm.h"

#include <errno.h>
#include <stdlib.h>

#include "base/auto.h"

#define MAX_INSNS  1500
#define MAX_LABELS (2 * MAX_INSNS)

struct insn {
	struct sock_filter f;
	int yes, no; /* labels of a jump, or ASM_NEXT */
};

struct assembler {
	struct insn insns[MAX_INSNS];
	size_t n;
	int at[MAX_LABELS]; /* label -> index of an instruction; -1: not yet */
	size_t n_labels;
	struct {
		uint32_t action;
		int label;
	} rets[MAX_INSNS];
	size_t n_rets;
	bool full;
};

struct assembler *asm_new(void)
{
	return calloc(1, sizeof(struct assembler));
}

struct assembler *asm_free(struct assembler *a)
{
	free(a);
	return NULL;
}

void asm_give_up(struct assembler *a)
{
	a->full = true;
}

bool asm_is_full(const struct assembler *a)
{
	return a->full;
}

int asm_label(struct assembler *a)
{
	if (a->n_labels == MAX_LABELS) {
		a->full = true;
		return 0;
	}
	a->at[a->n_labels] = -1;
	return (int)a->n_labels++;
}

void asm_place(struct assembler *a, int label)
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

void asm_load(struct assembler *a, uint32_t off)
{
	emit(a, (struct insn){ .f = { .code = BPF_LD | BPF_W | BPF_ABS, .k = off } });
}

void asm_and(struct assembler *a, uint32_t mask)
{
	emit(a, (struct insn){ .f = { .code = BPF_ALU | BPF_AND | BPF_K, .k = mask } });
}

void asm_jump(struct assembler *a, uint16_t op, uint32_t k, int yes, int no)
{
	emit(a, (struct insn){ .f = { .code = BPF_JMP | op | BPF_K, .k = k }, .yes = yes, .no = no });
}

void asm_goto(struct assembler *a, int label)
{
	emit(a, (struct insn){ .f = { .code = BPF_JMP | BPF_JA }, .yes = label });
}

int asm_ret(struct assembler *a, uint32_t action)
{
	for (size_t i = 0; i < a->n_rets; i++)
		if (a->rets[i].action == action)
			return a->rets[i].label;
	if (a->n_rets == ARRAY_LEN(a->rets)) {
		a->full = true;
		return 0;
	}
	a->rets[a->n_rets].action = action;
	a->rets[a->n_rets].label = asm_label(a);
	return a->rets[a->n_rets++].label;
}

void asm_end_section(struct assembler *a)
{
	for (size_t i = 0; i < a->n_rets; i++) {
		asm_place(a, a->rets[i].label);
		emit(a, (struct insn){ .f = { .code = BPF_RET | BPF_K, .k = a->rets[i].action } });
	}
	a->n_rets = 0;
}

static int resolve(const struct assembler *a, size_t from, int label, size_t max, uint32_t *ret)
{
	int distance = label == ASM_NEXT ? 0 : a->at[label] - (int)from - 1;

	if (distance < 0 || (size_t)distance > max)
		return -E2BIG;
	*ret = (uint32_t)distance;
	return 0;
}

static int resolve_jumps(const struct assembler *a, size_t i, struct sock_filter *f)
{
	const struct insn *in = &a->insns[i];
	uint32_t yes, no;

	if (BPF_CLASS(f->code) != BPF_JMP)
		return 0;
	if (f->code == (BPF_JMP | BPF_JA))
		return resolve(a, i, in->yes, MAX_INSNS, &f->k);
	if (resolve(a, i, in->yes, UINT8_MAX, &yes) < 0 || resolve(a, i, in->no, UINT8_MAX, &no) < 0)
		return -E2BIG;
	f->jt = (uint8_t)yes;
	f->jf = (uint8_t)no;
	return 0;
}

int asm_finish(struct assembler *a, struct buf *ret)
{
	int r = 0;

	if (a->n_rets)
		asm_end_section(a);
	if (a->full)
		return -E2BIG;
	for (size_t i = 0; i < a->n && r == 0; i++) {
		r = resolve_jumps(a, i, &a->insns[i].f);
		buf_add(ret, &a->insns[i].f, sizeof(a->insns[i].f));
	}
	if (r < 0)
		return r;
	return buf_ok(ret) ? 0 : -ENOMEM;
}
