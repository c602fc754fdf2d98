/* compile.c - libseccomp's program, or a shorter one proven equal to it
 *
 * libseccomp gives every call a comparison of its own, and loading a filter costs 1.8 us per instruction at
 * each start; compact.c needs a comparison per run of calls with one answer.  Which answer is right is
 * libseccomp's to say: our program is used only if both agree (equal.c), else libseccomp's.
 */
#include "seccomp/compile.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"

#define FILTER_MAX (BPF_MAXINSNS * sizeof(struct sock_filter))
#define X32_BIT	   0x40000000u

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

int compile_libseccomp(const struct ruleset *rs, struct buf *ret, struct err *e)
{
	AUTO(free_ctx) scmp_filter_ctx ctx = NULL;
	int r;

	seccomp_api_set(4); /* what this kernel's probe says does not change the program */
	ctx = seccomp_init(rs->default_action);
	if (!ctx)
		return err_set(e, ENOMEM, "libseccomp: cannot start a filter");
	r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, ACTION_BAD_ARCH);
	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* binary tree */
	if (r == 0)
		r = add_rules(ctx, rs);
	if (r == 0)
		r = export(ctx, ret);
	return r < 0 ? err_sys(e, -r, "libseccomp") : 0;
}

static void add_insn(struct buf *b, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
	struct sock_filter f = { .code = code, .jt = jt, .jf = jf, .k = k };

	buf_add(b, &f, sizeof(f));
}

static void add_newer_are_enosys(const struct ruleset *rs, struct buf *b)
{
	if ((rs->default_action & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ERRNO || rs->largest < 0)
		return;
	add_insn(b, BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr));
	add_insn(b, BPF_JMP | BPF_JGT | BPF_K, 0, 2, (uint32_t)rs->largest);
	add_insn(b, BPF_JMP | BPF_JGE | BPF_K, 1, 0, X32_BIT);
	add_insn(b, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSYS);
}

int seccomp_compile(const struct ruleset *rs, struct buf *ret, struct err *e)
{
	AUTO(buf_done) struct buf theirs = { 0 }, ours = { 0 };
	const struct buf *best = &theirs;
	int r;

	if (rs->default_action == SECCOMP_RET_ALLOW && rs->n == 0)
		return err_set(e, EINVAL, "the profile refuses nothing; say seccomp=unconfined for that");
	r = compile_libseccomp(rs, &theirs, e);
	if (r < 0)
		return r;
	if (compile_compact(rs, &ours) == 0 && ours.len < theirs.len && compile_equal(rs, &theirs, &ours))
		best = &ours;
	add_newer_are_enosys(rs, ret);
	buf_add(ret, best->data, best->len);
	if (!buf_ok(ret))
		return err_set(e, ENOMEM, "out of memory");
	if (ret->len > FILTER_MAX)
		return err_set(e, E2BIG, "the filter is larger than the kernel takes (%d instructions)",
			       BPF_MAXINSNS);
	return 0;
}
