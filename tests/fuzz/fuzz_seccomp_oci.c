/* fuzz_seccomp_oci.c - linux.seccomp from anybody: refused with its place, or a program that ends with an answer for
 * each ABI */
#include <linux/audit.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "seccomp/compile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_all(const struct buf *program, uint32_t arch, uint32_t from)
{
	for (uint32_t nr = from; nr < from + 600; nr++) {
		struct seccomp_data d = { .nr = (int)nr, .arch = arch };
		uint32_t action;

		if (bpf_run((const struct sock_filter *)(const void *)program->data,
			    program->len / sizeof(struct sock_filter), &d, &action) < 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(profile_done) struct profile p = { 0 };
	AUTO(rules_done) struct rules rs = { 0 };
	AUTO(buf_done) struct buf compact = { 0 };
	struct strv caps = { 0 };
	const struct rule_facts facts = { .caps = &caps, .kernel_release = "", .all_abis = true };
	struct err e = { 0 };

	if (profile_parse((const char *)data, size, PROFILE_OCI, &p, &e) < 0) {
		if (!e.msg[0] || strchr(e.msg, '\n'))
			abort();
		return 0;
	}
	if (rules_make(&p, &facts, &rs, &e) < 0 || compile_compact(&rs, &compact) < 0)
		return 0;
	run_all(&compact, AUDIT_ARCH_X86_64, 0);
	run_all(&compact, AUDIT_ARCH_X86_64, X32_BIT);
	run_all(&compact, AUDIT_ARCH_I386, 0);
	return 0;
}
