/* sandbox.c - ketch-image gives up all that it does not need, before it reads the first foreign byte */
#include "unpack/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/sanitized.h"
#include "unpack/limits.h"

/* --- 1: files.  The stage becomes the root, everything else is unmounted. */

static int shed_files(int stage_fd, struct err *e)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(e, errno, "sandbox: make mounts private");
	if (move_mount(stage_fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, errno, "sandbox: mount the stage");
	if (fchdir(stage_fd) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return err_sys(e, errno, "sandbox: pivot_root");
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return err_sys(e, errno, "sandbox: leave the old root");
	return 0;
}

/* --- 2: limits */

static int shed_resources(struct err *e)
{
	static const struct {
		int which;
		rlim_t value;
	} limits[] = {
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_NOFILE, 512 },
		{ RLIMIT_FSIZE, LAYER_BYTES_MAX + (1 << 20) },
#if !SANITIZED
		{ RLIMIT_DATA, JOB_DATA_MAX },
#endif
	};

	signal(SIGXFSZ, SIG_IGN); /* write(2) then says EFBIG */
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		const struct rlimit l = { limits[i].value, limits[i].value };

		if (setrlimit(limits[i].which, &l) < 0 && errno != EPERM)
			return err_sys(e, errno, "sandbox: limit %d", limits[i].which);
	}
	return 0;
}

/* --- 3: capabilities */

static int shed_capabilities(struct err *e)
{
	/* SYS_ADMIN: trusted.overlay.* ; what else it could do, the filter refuses */
	static const int kept[] = { CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER,   CAP_FSETID,
				    CAP_MKNOD, CAP_SETFCAP,	 CAP_SYS_ADMIN };
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		d[CAP_TO_INDEX(kept[i])].permitted |= CAP_TO_MASK(kept[i]);
	d[0].effective = d[0].permitted;
	d[1].effective = d[1].permitted;
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (!(d[CAP_TO_INDEX(cap)].permitted & CAP_TO_MASK(cap)) && prctl(PR_CAPBSET_DROP, cap) < 0 &&
		    errno != EINVAL)
			return err_sys(e, errno, "sandbox: drop capability %d", cap);
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 || syscall(SYS_capset, &h, d) < 0)
		return err_sys(e, errno, "sandbox: set capabilities");
	return 0;
}

/* --- 4: system calls */

#if !SANITIZED

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

/* *at forms only where glibc uses them; what begins threads and memory is glibc's. */
static const int allowed[] = {
	SYS_read,
	SYS_write,
	SYS_pread64,
	SYS_pwrite64,
	SYS_readv,
	SYS_writev,
	SYS_lseek,
	SYS_close,
	SYS_fcntl,
	SYS_openat,
	SYS_openat2,
	SYS_fstat,
	SYS_newfstatat,
	SYS_statx,
	SYS_getdents64,
	SYS_readlinkat,
	SYS_fchdir,
	SYS_mkdirat,
	SYS_mknodat,
	SYS_symlinkat,
	SYS_linkat,
	SYS_unlinkat,
	SYS_renameat,
	SYS_renameat2,
	SYS_ftruncate,
	SYS_fallocate,
	SYS_fsync,
	SYS_fdatasync,
	SYS_fchown,
	SYS_fchownat,
	SYS_fchmod,
	SYS_fchmodat,
	SYS_utimensat,
	SYS_fsetxattr,
	SYS_lsetxattr,
	SYS_lgetxattr,
	SYS_llistxattr,
	SYS_fgetxattr,
	SYS_copy_file_range,
	SYS_mmap,
	SYS_munmap,
	SYS_mprotect,
	SYS_mremap,
	SYS_madvise,
	SYS_brk,
	SYS_futex,
	SYS_set_robust_list,
	SYS_rseq,
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_sigaltstack,
	SYS_gettid,
	SYS_getpid,
	SYS_tgkill,
	SYS_exit,
	SYS_exit_group,
	SYS_clock_gettime,
	SYS_gettimeofday,
	SYS_clock_nanosleep,
	SYS_sched_yield,
	SYS_sched_getaffinity,
	SYS_getrandom,
	SYS_restart_syscall,
	SYS_poll,
	SYS_umask,
	SYS_sysinfo,
	SYS_fadvise64,
	SYS_faccessat,
	SYS_faccessat2,
#ifdef SYS_unlink
	SYS_renameat,
	SYS_rename,
	SYS_unlink,
	SYS_time,
	SYS_lstat,
	SYS_stat,
	SYS_readlink,
	SYS_access,
	SYS_arch_prctl,
#endif
};

#define LOAD(field)	 BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, field))
#define RETURN(v)	 BPF_STMT(BPF_RET | BPF_K, (v))
#define JUMP_EQ(v, t, f) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(v), (t), (f))

/* clone3 hides its flags from a filter: ENOSYS makes glibc use clone, which may only make threads. */
static int shed_syscalls(struct err *e)
{
	const struct sock_filter head[] = {
		LOAD(arch),
		JUMP_EQ(ARCH, 1, 0),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(nr),
		JUMP_EQ(SYS_clone3, 0, 1),
		RETURN(SECCOMP_RET_ERRNO | ENOSYS),
		JUMP_EQ(SYS_clone, 0, 4),
		LOAD(args[0]),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1),
		RETURN(SECCOMP_RET_ALLOW),
		RETURN(SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_filter filter[ARRAY_LEN(head) + 2 * ARRAY_LEN(allowed) + 1];
	struct sock_fprog prog = { .filter = filter };
	unsigned short n = 0;

	for (size_t i = 0; i < ARRAY_LEN(head); i++)
		filter[n++] = head[i];
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++) {
		filter[n++] = (struct sock_filter)JUMP_EQ(allowed[i], 0, 1);
		filter[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
	}
	filter[n++] = (struct sock_filter)RETURN(SECCOMP_RET_KILL_PROCESS);
	prog.len = n;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)
		return err_sys(e, errno, "sandbox: set the system call filter");
	return 0;
}

#else

/* The sanitizers' own threads and calls would end it. */
static int shed_syscalls(struct err *e)
{
	return 0;
}

#endif

int sandbox_enter(int stage_fd, struct err *e)
{
	int r = shed_files(stage_fd, e);

	if (r == 0)
		r = shed_resources(e);
	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = err_sys(e, errno, "sandbox: no_new_privs");
	if (r == 0)
		r = shed_capabilities(e);
	return r < 0 ? r : shed_syscalls(e);
}
