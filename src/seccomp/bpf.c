/* bpf.c - a small interpreter of seccomp's classic BPF */
#include "seccomp/bpf.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static int load(const struct seccomp_data *d, uint32_t off, uint32_t *acc)
{
	if (off % 4 || off >= sizeof(*d))
		return -EINVAL;
	memcpy(acc, (const char *)d + off, sizeof(*acc));
	return 0;
}

static bool jump_taken(const struct sock_filter *in, uint32_t acc)
{
	switch (BPF_OP(in->code)) {
	case BPF_JEQ:
		return acc == in->k;
	case BPF_JGT:
		return acc > in->k;
	case BPF_JGE:
		return acc >= in->k;
	default:
		return acc & in->k; /* BPF_JSET */
	}
}

int bpf_run(const struct sock_filter *prog, size_t n, const struct seccomp_data *d, uint32_t *ret_action)
{
	uint32_t acc = 0;

	/* Jumps go forward only, so this ends. */
	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *in = &prog[pc];

		switch (in->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (load(d, in->k, &acc) < 0)
				return -EINVAL;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			acc &= in->k;
			break;
		case BPF_JMP | BPF_JA:
			pc += in->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
		case BPF_JMP | BPF_JGT | BPF_K:
		case BPF_JMP | BPF_JGE | BPF_K:
		case BPF_JMP | BPF_JSET | BPF_K:
			pc += jump_taken(in, acc) ? in->jt : in->jf;
			break;
		case BPF_RET | BPF_K:
			*ret_action = in->k;
			return 0;
		default:
			return -EINVAL;
		}
	}
	return -EINVAL;
}
