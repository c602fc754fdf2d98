/* compare_probe.c - the line that ketch-probe prints, and what a filter lets through */
#include <errno.h>
#include <linux/audit.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "engine/compare_int.h"
#include "seccomp/bpf.h"

#define NUMBERS 512 /* of system calls: more than there are */

static const struct jfield probe_fields[] = {
	J(J_STR, struct probe_result, kernel),
	JK(J_STR, struct probe_result, boot_id, "bootId"),
	J(J_U64, struct probe_result, processes),
	J(J_U64, struct probe_result, devices),
	J(J_U64, struct probe_result, capabilities),
	J(J_U64, struct probe_result, seccomp),
	J(J_U64, struct probe_result, cpus),
	JK(J_U64, struct probe_result, memory_bytes, "memory"),
	JK(J_U64, struct probe_result, syscall_ps, "syscallPicoseconds"),
	JK(J_U64, struct probe_result, fork_ps, "forkPicoseconds"),
	JK(J_U64, struct probe_result, page_fault_ps, "pageFaultPicoseconds"),
	JK(J_U64, struct probe_result, hash_bytes_s, "hashBytesPerSecond"),
	JK(J_U64, struct probe_result, files_s, "filesPerSecond"),
	JK(J_U64, struct probe_result, fsyncs_s, "fsyncsPerSecond"),
	JK(J_U64, struct probe_result, write_bytes_s, "writeBytesPerSecond"),
	JK(J_U64, struct probe_result, read_bytes_s, "readBytesPerSecond"),
	JK(J_U64, struct probe_result, pss_bytes, "pssBytes"),
	{ 0 },
};
const struct jtable probe_table = { sizeof(struct probe_result), probe_fields };

int compare_count_syscalls(int filter_fd)
{
	AUTO(buf_done) struct buf b = { 0 };
	int n = 0;

	if (read_to_end(filter_fd, BPF_MAXINSNS * sizeof(struct sock_filter), &b) < 0)
		return -1;
	for (int nr = 0; nr < NUMBERS; nr++) {
		struct seccomp_data d = { .nr = nr, .arch = AUDIT_ARCH_X86_64 };
		uint32_t action;

		if (bpf_run((const struct sock_filter *)(const void *)b.data,
			    b.len / sizeof(struct sock_filter), &d, &action) == 0)
			n += action == SECCOMP_RET_ALLOW;
	}
	return n;
}
