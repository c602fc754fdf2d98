/* words.c - tables of the runtime-spec's names (config-linux.md, Seccomp) */
#include "seccomp/words.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>

#include "base/auto.h"

struct word {
	const char *name;
	uint32_t value;
};

static const struct {
	const char *name;
	uint32_t value;
	bool has_errno;
} actions[] = {
	{ "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW, false },
	{ "SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0), true },
	{ "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD, false },
	{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS, false },
	{ "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD, false },
	{ "SCMP_ACT_LOG", SCMP_ACT_LOG, false },
	{ "SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY, false },
	{ "SCMP_ACT_TRACE", SCMP_ACT_TRACE(0), true },
	{ "SCMP_ACT_TRAP", SCMP_ACT_TRAP, false },
};

static const struct word operators[] = {
	{ "SCMP_CMP_EQ", SCMP_CMP_EQ }, { "SCMP_CMP_GE", SCMP_CMP_GE },
	{ "SCMP_CMP_GT", SCMP_CMP_GT }, { "SCMP_CMP_LE", SCMP_CMP_LE },
	{ "SCMP_CMP_LT", SCMP_CMP_LT }, { "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
	{ "SCMP_CMP_NE", SCMP_CMP_NE },
};

/* Names that are younger than the oldest libseccomp we build with have no token: they are not x86's. */
static const struct word arches[] = {
	{ "SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64 },
	{ "SCMP_ARCH_ARM", SCMP_ARCH_ARM },
	{ "SCMP_ARCH_LOONGARCH64", 0 },
	{ "SCMP_ARCH_M68K", 0 },
	{ "SCMP_ARCH_MIPS", SCMP_ARCH_MIPS },
	{ "SCMP_ARCH_MIPS64", SCMP_ARCH_MIPS64 },
	{ "SCMP_ARCH_MIPS64N32", SCMP_ARCH_MIPS64N32 },
	{ "SCMP_ARCH_MIPSEL", SCMP_ARCH_MIPSEL },
	{ "SCMP_ARCH_MIPSEL64", SCMP_ARCH_MIPSEL64 },
	{ "SCMP_ARCH_MIPSEL64N32", SCMP_ARCH_MIPSEL64N32 },
	{ "SCMP_ARCH_PARISC", SCMP_ARCH_PARISC },
	{ "SCMP_ARCH_PARISC64", SCMP_ARCH_PARISC64 },
	{ "SCMP_ARCH_PPC", SCMP_ARCH_PPC },
	{ "SCMP_ARCH_PPC64", SCMP_ARCH_PPC64 },
	{ "SCMP_ARCH_PPC64LE", SCMP_ARCH_PPC64LE },
	{ "SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64 },
	{ "SCMP_ARCH_S390", SCMP_ARCH_S390 },
	{ "SCMP_ARCH_S390X", SCMP_ARCH_S390X },
	{ "SCMP_ARCH_SH", 0 },
	{ "SCMP_ARCH_SHEB", 0 },
	{ "SCMP_ARCH_X32", SCMP_ARCH_X32 },
	{ "SCMP_ARCH_X86", SCMP_ARCH_X86 },
	{ "SCMP_ARCH_X86_64", SCMP_ARCH_X86_64 },
};

static const struct word flags[] = {
	{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ "SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC },
	{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", WORD_FLAG_WAIT_KILLABLE },
};

static int find(const struct word *words, size_t n, const char *name, uint32_t *ret)
{
	for (size_t i = 0; name && i < n; i++) {
		if (!strcmp(words[i].name, name)) {
			*ret = words[i].value;
			return 0;
		}
	}
	return -EINVAL;
}

int word_action(const char *name, uint32_t *ret, bool *ret_has_errno)
{
	for (size_t i = 0; name && i < ARRAY_LEN(actions); i++) {
		if (!strcmp(actions[i].name, name)) {
			*ret = actions[i].value;
			*ret_has_errno = actions[i].has_errno;
			return 0;
		}
	}
	return -EINVAL;
}

int word_operator(const char *name, int *ret)
{
	uint32_t value;
	int r = find(operators, ARRAY_LEN(operators), name, &value);

	if (r == 0)
		*ret = (int)value;
	return r;
}

int word_arch(const char *name, uint32_t *ret)
{
	return find(arches, ARRAY_LEN(arches), name, ret);
}

int word_flag(const char *name, uint32_t *ret)
{
	return find(flags, ARRAY_LEN(flags), name, ret);
}

int word_errno(const char *name, uint32_t *ret)
{
	for (int no = 1; no < 256; no++) {
		const char *s = strerrorname_np(no);

		if (s && !strcmp(s, name)) {
			*ret = (uint32_t)no;
			return 0;
		}
	}
	return -EINVAL;
}
