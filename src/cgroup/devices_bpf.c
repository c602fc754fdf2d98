/* devices_bpf.c - device rules as a program of a cgroup v2
 *
 * r2 = type, r3 = the access that is not yet allowed, r4 = major, r5 = minor.  The last rule comes first, since it wins: it
 * forbids, or takes what it allows from r3; a rule that does not match jumps to the next one.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>

#include "base/auto.h"
#include "cgroup/devices.h"
#include "sys/bpf.h"

#define MAX_PER_RULE 9
#define MAX_AROUND   10 /* head and tail */

struct program {
	struct bpf_insn *insns;
	size_t n;
};

static void emit(struct program *p, uint8_t code, uint8_t dst_src, int16_t off, int32_t imm)
{
	p->insns[p->n++] = (struct bpf_insn){
		.code = code, .dst_reg = dst_src & 0xf, .src_reg = dst_src >> 4, .off = off, .imm = imm
	};
}

#define DST(r)	   (uint8_t)(r)
#define BOTH(d, s) (uint8_t)((d) | (s) << 4)

static void emit_head(struct program *p)
{
	emit(p, BPF_LDX | BPF_MEM | BPF_W, BOTH(2, 1), 0, 0); /* access_type: access << 16 | type */
	emit(p, BPF_ALU | BPF_MOV | BPF_X, BOTH(3, 2), 0, 0);
	emit(p, BPF_ALU | BPF_AND | BPF_K, DST(2), 0, 0xffff);
	emit(p, BPF_ALU | BPF_RSH | BPF_K, DST(3), 0, 16);
	emit(p, BPF_LDX | BPF_MEM | BPF_W, BOTH(4, 1), 4, 0);
	emit(p, BPF_LDX | BPF_MEM | BPF_W, BOTH(5, 1), 8, 0);
}

static void emit_answer(struct program *p, bool allowed)
{
	emit(p, BPF_ALU64 | BPF_MOV | BPF_K, DST(0), 0, allowed);
	emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0);
}

/* A jump whose offset is filled in by emit_rule: to the next rule. */
static void emit_leave(struct program *p, uint8_t op, uint8_t reg, int32_t imm)
{
	emit(p, BPF_JMP | op | BPF_K, DST(reg), INT16_MIN, imm);
}

static void emit_rule(struct program *p, const struct device_rule *d)
{
	size_t start = p->n;

	if (d->type != 'a')
		emit_leave(p, BPF_JNE, 2, d->type == 'c' ? BPF_DEVCG_DEV_CHAR : BPF_DEVCG_DEV_BLOCK);
	if (d->major >= 0)
		emit_leave(p, BPF_JNE, 4, (int32_t)d->major);
	if (d->minor >= 0)
		emit_leave(p, BPF_JNE, 5, (int32_t)d->minor);
	if (!d->forbid) {
		emit(p, BPF_ALU | BPF_AND | BPF_K, DST(3), 0, (int32_t)(~d->access & DEVICE_ALL_ACCESS));
		emit_leave(p, BPF_JNE, 3, 0);
	} else if (d->access !=
		   DEVICE_ALL_ACCESS) { /* with all, even an access of none (ioctl only) is refused */
		emit(p, BPF_JMP | BPF_JSET | BPF_K, DST(3), 1, (int32_t)d->access);
		emit_leave(p, BPF_JA, 0, 0);
	}
	emit_answer(p, !d->forbid);
	for (size_t i = start; i < p->n; i++)
		if (p->insns[i].off == INT16_MIN)
			p->insns[i].off = (int16_t)(p->n - i - 1);
}

static int make_program(const struct device_rules *l, struct program *ret)
{
	struct program p = { calloc(l->n * MAX_PER_RULE + MAX_AROUND, sizeof(*p.insns)), 0 };
	bool allowed = false;

	if (!p.insns)
		return -ENOMEM;
	emit_head(&p);
	for (size_t i = l->n; i > 0; i--) {
		const struct device_rule *d = &l->v[i - 1];

		if (device_rule_is_everything(d)) {
			allowed = !d->forbid;
			break; /* instructions that nothing reaches are refused by the kernel */
		}
		emit_rule(&p, d);
	}
	emit_answer(&p, allowed);
	*ret = p;
	return 0;
}

int devices_apply_v2(int cgroup_fd, const char *rules, struct err *e)
{
	AUTO(device_rules_done) struct device_rules list = { 0 };
	struct program p = { 0 };
	int r = device_rules_parse(rules, &list, e);

	if (r < 0)
		return r;
	r = make_program(&list, &p);
	if (r == 0)
		r = bpf_attach_device_filter(cgroup_fd, p.insns, p.n);
	free(p.insns);
	return r < 0 ? err_sys(e, -r, "cannot attach the device program") : 0;
}
