/* compile.c - libseccomp's program, or a shorter one proven equal to it
 *
 * libseccomp gives every call a comparison of its own, and loading a filter costs 1.8 us per instruction at
 * each start; compact.c needs a comparison per run of calls with one answer.  Which answer is right is
 * libseccomp's to say: our program is used only if both agree (equal.c), else libseccomp's.
 */
#include "seccomp/compile.h"

#include <errno.h>
#include <linux/audit.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "seccomp/asm.h"

#define FILTER_MAX (BPF_MAXINSNS * sizeof(struct sock_filter))
#define API_LEVEL  6 /* all actions; what this kernel has does not change the program */

static void free_ctx(scmp_filter_ctx *ctx)
{
	if (*ctx)
		seccomp_release(*ctx);
}

static int add_rules(scmp_filter_ctx ctx, const struct ruleset *rs)
{
	int r;

	for (size_t i = 0; i < rs->n; i++) {
		const struct rule *rule = &rs->rules[i];

		r = seccomp_rule_add_array(ctx, rule->action, rule->nr, rule->n_cmp, rule->cmp);
		if (r < 0 && r != -EEXIST) /* the same rule twice */
			return r;
	}
	return 0;
}

static int add_abis(scmp_filter_ctx ctx, const struct rules *rs)
{
	int r = 0;

	for (size_t i = 1; i < rs->n && r == 0; i++)
		r = seccomp_arch_add(ctx, rs->abi[i].abi);
	return r;
}

static int export(scmp_filter_ctx ctx, struct buf *ret)
{
	autoclose int fd = memfd_create("seccomp", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	r = seccomp_export_bpf(ctx, fd);
	if (r < 0)
		return r;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	return read_to_end(fd, FILTER_MAX, ret);
}

static int build_filter(const struct rules *rs, struct buf *ret, struct err *e)
{
	AUTO(free_ctx) scmp_filter_ctx ctx = NULL;
	int r;

	seccomp_api_set(API_LEVEL);
	ctx = seccomp_init(rs->asked.default_action);
	if (!ctx)
		return err_set(e, ENOMEM, "libseccomp: cannot start a filter");
	r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, ACTION_BAD_ARCH);
	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* binary tree */
	if (r == 0)
		r = add_abis(ctx, rs);
	if (r == 0)
		r = add_rules(ctx, &rs->asked);
	if (r == 0)
		r = export(ctx, ret);
	return r < 0 ? err_sys(e, -r, "libseccomp") : 0;
}

/* Emits: the number is loaded; above the newest call of the ABI it is ENOSYS. */
static void emit_newer(struct assembler *a, const struct ruleset *rs, int others)
{
	if (rs && rs->has_newer)
		asm_jump(a, BPF_JGT, rs->newest, asm_ret(a, SECCOMP_RET_ERRNO | ENOSYS), others);
	else
		asm_goto(a, others);
}

/* What goes in front of libseccomp's program, which goes on at its end. */
static int add_newer(const struct rules *rs, struct buf *b)
{
	const struct ruleset *x86 = rules_find(rs, SCMP_ARCH_X86), *x32 = rules_find(rs, SCMP_ARCH_X32);
	struct assembler *a = asm_new();
	int end, foreign, x32_numbers, r;

	if (!a)
		return -ENOMEM;
	end = asm_label(a);
	foreign = asm_label(a);
	x32_numbers = asm_label(a);
	asm_load(a, offsetof(struct seccomp_data, arch));
	asm_jump(a, BPF_JEQ, AUDIT_ARCH_X86_64, ASM_NEXT, foreign);
	asm_load(a, offsetof(struct seccomp_data, nr));
	asm_jump(a, BPF_JGE, X32_BIT, x32_numbers, ASM_NEXT);
	emit_newer(a, &rs->abi[0], end);
	asm_place(a, x32_numbers);
	emit_newer(a, x32, end);
	asm_place(a, foreign);
	asm_jump(a, BPF_JEQ, AUDIT_ARCH_I386, ASM_NEXT, end);
	asm_load(a, offsetof(struct seccomp_data, nr));
	emit_newer(a, x86, end);
	asm_end_section(a);
	asm_place(a, end);
	r = asm_finish(a, b);
	asm_free(a);
	return r;
}

int compile_libseccomp(const struct rules *rs, struct buf *ret, struct err *e)
{
	bool any = false;
	int r;

	for (size_t i = 0; i < rs->n; i++)
		any = any || rs->abi[i].has_newer;
	r = any ? add_newer(rs, ret) : 0;
	return r < 0 ? err_sys(e, -r, "seccomp") : build_filter(rs, ret, e);
}

int seccomp_compile(const struct rules *rs, struct buf *ret, struct err *e)
{
	AUTO(buf_done) struct buf theirs = { 0 }, ours = { 0 };
	const struct buf *best = &theirs;
	int r = compile_libseccomp(rs, &theirs, e);

	if (r < 0)
		return r;
	if (compile_compact(rs, &ours) == 0 && ours.len < theirs.len && compile_equal(rs, &theirs, &ours))
		best = &ours;
	if (best->len > FILTER_MAX)
		return err_set(e, E2BIG, "the filter is larger than the kernel takes (%d instructions)",
			       BPF_MAXINSNS);
	buf_add(ret, best->data, best->len);
	return buf_ok(ret) ? 0 : err_set(e, ENOMEM, "out of memory");
}
