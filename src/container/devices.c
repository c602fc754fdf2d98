/* devices.c - which device nodes may be opened: a list of rules, for cgroup v1 files or as a v2 program */
#include "container/devices.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/strv.h"
#include "sys/bpf.h"

#define MAX_RULES 64
#define MAX_INSNS (6 + MAX_RULES * 6 + 2)

static int parse_number(const char *s, int64_t *ret)
{
	uint32_t v;

	if (!strcmp(s, "*")) {
		*ret = -1;
		return 0;
	}
	if (parse_u32(s, &v) < 0)
		return -EINVAL;
	*ret = v;
	return 0;
}

static int parse_access(const char *s, unsigned *ret)
{
	unsigned a = 0;

	for (; *s; s++) {
		if (*s == 'r')
			a |= BPF_DEVCG_ACC_READ;
		else if (*s == 'w')
			a |= BPF_DEVCG_ACC_WRITE;
		else if (*s == 'm')
			a |= BPF_DEVCG_ACC_MKNOD;
		else
			return -EINVAL;
	}
	*ret = a;
	return a ? 0 : -EINVAL;
}

int device_rule_parse(const char *text, struct device_rule *ret)
{
	AUTO(strv_done) struct strv w = { 0 };
	struct device_rule d = { 0 };

	if (strv_split(&w, text, " :") < 0)
		return -ENOMEM;
	if (w.n != 4 || (strcmp(w.v[0], "c") && strcmp(w.v[0], "b")))
		return -EINVAL;
	d.type = w.v[0][0];
	if (parse_number(w.v[1], &d.major) < 0 || parse_number(w.v[2], &d.minor) < 0 ||
	    parse_access(w.v[3], &d.access) < 0)
		return -EINVAL;
	*ret = d;
	return 0;
}

int devices_apply_v1(const char *dir, const char *rules, struct err *e)
{
	autoclose int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(strv_done) struct strv list = { 0 };
	int r;

	if (fd < 0)
		return err_sys(e, errno, "cannot open the device cgroup");
	r = strv_split(&list, rules, ",");
	if (r == 0)
		r = write_existing(fd, "devices.deny", "a");
	for (size_t i = 0; i < list.n && r == 0; i++)
		r = write_existing(fd, "devices.allow", list.v[i]);
	return r < 0 ? err_sys(e, -r, "cannot set the device rules") : 0;
}

/* --- v2: r2 = type, r3 = access, r4 = major, r5 = minor; a rule that does not match jumps to the next one */

struct program {
	struct bpf_insn insns[MAX_INSNS];
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

static void emit_rule(struct program *p, const struct device_rule *d)
{
	size_t start = p->n;

	emit(p, BPF_JMP | BPF_JNE | BPF_K, DST(2), 0,
	     d->type == 'c' ? BPF_DEVCG_DEV_CHAR : BPF_DEVCG_DEV_BLOCK);
	emit(p, BPF_JMP | BPF_JSET | BPF_K, DST(3), 0, (int32_t)(~d->access & 7)); /* asks for more */
	if (d->major >= 0)
		emit(p, BPF_JMP | BPF_JNE | BPF_K, DST(4), 0, (int32_t)d->major);
	if (d->minor >= 0)
		emit(p, BPF_JMP | BPF_JNE | BPF_K, DST(5), 0, (int32_t)d->minor);
	emit(p, BPF_ALU64 | BPF_MOV | BPF_K, DST(0), 0, 1);
	emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0);
	for (size_t i = start; i < p->n - 2; i++)
		p->insns[i].off = (int16_t)(p->n - i - 1);
}

int devices_apply_v2(int cgroup_fd, const char *rules, struct err *e)
{
	AUTO(strv_done) struct strv list = { 0 };
	struct program p = { 0 };
	struct device_rule d;
	int r = strv_split(&list, rules, ",");

	if (r < 0 || list.n > MAX_RULES)
		return err_set(e, r < 0 ? ENOMEM : E2BIG, "too many device rules");
	emit_head(&p);
	for (size_t i = 0; i < list.n; i++) {
		if (device_rule_parse(list.v[i], &d) < 0)
			return err_set(e, EINVAL, "bad device rule \"%s\"", list.v[i]);
		emit_rule(&p, &d);
	}
	emit(&p, BPF_ALU64 | BPF_MOV | BPF_K, DST(0), 0, 0);
	emit(&p, BPF_JMP | BPF_EXIT, 0, 0, 0);
	r = bpf_attach_device_filter(cgroup_fd, p.insns, p.n);
	return r < 0 ? err_sys(e, -r, "cannot attach the device program") : 0;
}
