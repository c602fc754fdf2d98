/* sandbox.c - ketch-registry gives up what it does not need, before it reads the first byte from the network */
#include "distribution/sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/sanitized.h"
#include "sys/caps.h"
#include "sys/confine.h"
#include "sys/landlock.h"
#include "sys/seccomp.h"

#define DATA_MAX (256LL << 20) /* OpenSSL, libcurl and 128 layers under way take 20 MiB */

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

static int limit(void)
{
	static const struct {
		int which;
		rlim_t value;
	} limits[] = {
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_NOFILE, 512 },
#if !SANITIZED
		{ RLIMIT_DATA, DATA_MAX },
#endif
	};

	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		const struct rlimit l = { limits[i].value, limits[i].value };

		if (setrlimit(limits[i].which, &l) < 0 && errno != EPERM)
			return -errno;
	}
	return 0;
}

/* Who is not root, or has no other user to become, keeps its own. */
static int become(uid_t uid)
{
	int r = uid ? confine_user(uid, 0) : caps_set(&(struct cap_sets){ 0 });

	if (r == 0 && !uid &&
	    (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0))
		r = -errno;
	/* a change of user has forgotten it */
	return r == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? -errno : r;
}

static int leave_files(int blobs_fd)
{
	static const char *const read[] = { "/etc",
					    "/usr",
					    "/lib",
					    "/lib64",
					    "/run/systemd/resolve",
					    "/run/nscd",
					    "/dev/urandom",
					    "/var/lib/extrausers" };
	autoclose int set = landlock_new();
	int r = 0;

	if (set < 0)
		return set == -ENOSYS || set == -EOPNOTSUPP ? 0 : set;
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(read); i++)
		r = landlock_allow_path(set, read[i], false);
	if (r == 0 && blobs_fd >= 0)
		r = landlock_allow_files(set, blobs_fd);
	return r < 0 ? r : landlock_enter(set);
}

/* Who looks up names is the machine's affair (nsswitch.conf), so what is allowed cannot be listed: this is what a
 * process that only speaks with servers has no use for. */
static const int refused[] = {
	SYS_execve,
	SYS_execveat,
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_kill,
	SYS_tkill,
	SYS_pidfd_send_signal,
	SYS_pidfd_open,
	SYS_pidfd_getfd,
	SYS_mount,
	SYS_umount2,
	SYS_move_mount,
	SYS_open_tree,
	SYS_fsopen,
	SYS_mount_setattr,
	SYS_pivot_root,
	SYS_chroot,
	SYS_unshare,
	SYS_setns,
	SYS_bpf,
	SYS_perf_event_open,
	SYS_userfaultfd,
	SYS_io_uring_setup,
	SYS_keyctl,
	SYS_add_key,
	SYS_request_key,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_kexec_load,
	SYS_reboot,
	SYS_swapon,
	SYS_quotactl,
	SYS_acct,
	SYS_open_by_handle_at,
	SYS_mknodat,
	SYS_symlinkat,
	SYS_linkat,
	SYS_setxattr,
	SYS_personality,
	SYS_kcmp,
	SYS_name_to_handle_at,
};

#define LOAD(field)	 BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, field))
#define RETURN(v)	 BPF_STMT(BPF_RET | BPF_K, (v))
#define JUMP_EQ(v, t, f) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(v), (t), (f))

/* clone3 hides its flags from a filter: ENOSYS makes glibc use clone, which may only make threads. */
static int filter_calls(void)
{
	const struct sock_filter head[] = {
		LOAD(arch),
		JUMP_EQ(ARCH, 1, 0),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(nr),
		/* numbers of x32 */
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		JUMP_EQ(SYS_clone3, 0, 1),
		RETURN(SECCOMP_RET_ERRNO | ENOSYS),
		JUMP_EQ(SYS_clone, 0, 4),
		LOAD(args[0]),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1),
		RETURN(SECCOMP_RET_ALLOW),
		RETURN(SECCOMP_RET_ERRNO | EPERM),
#ifdef SYS_fork
		JUMP_EQ(SYS_fork, 1, 0),
		JUMP_EQ(SYS_vfork, 0, 1),
		RETURN(SECCOMP_RET_ERRNO | EPERM),
#endif
	};
	struct sock_filter filter[ARRAY_LEN(head) + 2 * ARRAY_LEN(refused) + 1];
	struct sock_fprog prog = { .filter = filter };
	unsigned short n = 0;

	for (size_t i = 0; i < ARRAY_LEN(head); i++)
		filter[n++] = head[i];
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		filter[n++] = (struct sock_filter)JUMP_EQ(refused[i], 0, 1);
		filter[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ERRNO | EPERM);
	}
	filter[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
	prog.len = n;
	return seccomp_install(&prog, 0);
}

int registry_sandbox_enter(uid_t uid, int blobs_fd, struct err *e)
{
	int r = limit();

	if (r < 0)
		return err_sys(e, -r, "sandbox: limits");
	r = become(uid);
	if (r < 0)
		return err_sys(e, -r, "sandbox: user");
	r = leave_files(blobs_fd);
	if (r < 0)
		return err_sys(e, -r, "sandbox: Landlock");
	r = filter_calls();
	return r < 0 ? err_sys(e, -r, "sandbox: system calls") : 0;
}
