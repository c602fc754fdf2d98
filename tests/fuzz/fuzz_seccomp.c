/* fuzz_seccomp.c - a profile from anybody: refused, or compiled to a program that ends with an answer */
#include <stdlib.h>

#include "base/auto.h"
#include "seccomp/compile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Any program that comes out must answer for any call. */
static void run_all(const struct buf *program)
{
	for (int nr = 0; nr < 512; nr++) {
		struct seccomp_data d = { .nr = nr, .arch = 0xc000003e };
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
	const struct rule_facts facts = { .caps = &caps, .kernel_release = "6.1.0" };
	struct err e = { 0 };

	if (profile_parse((const char *)data, size, PROFILE_FILE, &p, &e) < 0 ||
	    rules_make(&p, &facts, &rs, &e) < 0)
		return 0;
	if (compile_compact(&rs, &compact) == 0)
		run_all(&compact);
	return 0;
}
