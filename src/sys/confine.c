/* confine.c - what a process gives up for good */
#include "sys/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "sys/caps.h"
#include "sys/landlock.h"
#include "sys/mount.h"
#include "sys/seccomp.h"

/* --- descriptors */

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

int confine_fds(const int *fds, unsigned n, int *ret_bad)
{
	autofree int *sorted = calloc(n + 1, sizeof(*sorted));
	unsigned next = 3;

	if (!sorted)
		return -ENOMEM;
	memcpy(sorted, fds, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_number);
	for (unsigned i = 0; i < n; i++) {
		if (fd_set_cloexec(sorted[i], true) < 0) {
			*ret_bad = sorted[i];
			return -EBADF;
		}
		if ((unsigned)sorted[i] > next)
			close_range(next, (unsigned)sorted[i] - 1, 0);
		if ((unsigned)sorted[i] >= next)
			next = (unsigned)sorted[i] + 1;
	}
	close_range(next, ~0U, 0);
	return 0;
}

/* --- files */

int confine_root(void)
{
	autoclose int root =
		mount_new("tmpfs", "size=4k,nr_inodes=1,mode=555",
			  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	autoclose int place = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (root < 0)
		return root;
	if (place < 0)
		return -errno;
	r = mount_attach(root, place);
	return r < 0 ? r : mount_pivot(root);
}

int confine_files(void)
{
	autoclose int set = landlock_new();

	if (set >= 0)
		return landlock_enter(set);
	return set == -ENOSYS || set == -EOPNOTSUPP ? 0 : set;
}

/* --- user */

int confine_user(uid_t uid, uint64_t caps)
{
	int r = caps_limit_bounding(caps);

	if (r < 0)
		return r;
	if (caps && uid && (r = caps_keep_over_setuid(true)) < 0)
		return r;
	if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
		return -errno;
	r = caps_set(&(struct cap_sets){ .permitted = caps, .effective = caps });
	if (r < 0)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

/* --- system calls */

static void add(struct filter *f, struct sock_filter insn)
{
	if (f->n < FILTER_MAX_INSNS)
		f->insns[f->n++] = insn;
}

static void add_load(struct filter *f, size_t offset)
{
	add(f, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void add_return(struct filter *f, uint32_t what)
{
	add(f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, what));
}

void filter_begin(struct filter *f)
{
	f->n = 0;
	add_load(f, offsetof(struct seccomp_data, arch));
	add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0));
	filter_kill(f);
	add_load(f, offsetof(struct seccomp_data, nr)); /* x32's numbers are none of ours */
}

void filter_if(struct filter *f, uint32_t word, uint8_t n)
{
	add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, word, 0, n));
}

void filter_allow(struct filter *f, uint32_t word)
{
	filter_if(f, word, 1);
	add_return(f, SECCOMP_RET_ALLOW);
}

void filter_load_arg(struct filter *f, unsigned i)
{
	add_load(f, offsetof(struct seccomp_data, args) + (size_t)i * 8);
}

void filter_kill(struct filter *f)
{
	add_return(f, SECCOMP_RET_KILL_PROCESS);
}

int filter_enter(struct filter *f)
{
	const struct sock_fprog prog = { .len = f->n, .filter = f->insns };

	return f->n == FILTER_MAX_INSNS ? -E2BIG : seccomp_install(&prog, 0);
}
