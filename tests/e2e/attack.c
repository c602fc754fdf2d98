/* attack.c - what a hostile program tries first, a line for each: its name, and the error, "signal N" or "done"
 *
 * Static, so that it runs in any image.  both/attack.bats feeds it to an instance and knows the answers.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define X32		0x40000000
#define I386_GETPID	20
#define I386_SOCKETCALL 102

/* --- what takes more than one call */

static long int80(long nr)
{
	long r;

	__asm__ volatile("int $0x80" : "=a"(r) : "a"(nr), "b"(1), "c"(0), "d"(0) : "memory");
	return r;
}

static long i386(void)
{
	return int80(I386_GETPID);
}

static long i386_socketcall(void)
{
	return int80(I386_SOCKETCALL);
}

static long cgroup_v1(void)
{
	mkdir("/tmp/cgroup", 0700);
	return mount("cgroup", "/tmp/cgroup", "cgroup", 0, "memory");
}

static long device(void)
{
	return mknod("/tmp/kvm", S_IFCHR | 0666, makedev(10, 232));
}

/* What this kernel does not have is as good as read-only. */
static long write_to(const char *path)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 && errno == ENOENT)
		errno = EROFS;
	return fd;
}

static long core_pattern(void)
{
	return write_to("/proc/sys/kernel/core_pattern");
}

static long sysrq(void)
{
	return write_to("/proc/sysrq-trigger");
}

static long sysfs(void)
{
	return write_to("/sys/kernel/mm/transparent_hugepage/enabled");
}

static long cgroup_procs(void)
{
	return write_to("/sys/fs/cgroup/cgroup.procs");
}

static long release_agent(void)
{
	return write_to("/sys/fs/cgroup/memory/release_agent");
}

/* --- the list */

static const struct {
	const char *name;
	long (*fn)(void); /* or a system call */
	long nr, args[3];
} attempts[] = {
	{ "alg", NULL, SYS_socket, { 38, SOCK_SEQPACKET, 0 } },
	{ "vsock", NULL, SYS_socket, { 40, SOCK_STREAM, 0 } },
	{ "packet", NULL, SYS_socket, { AF_PACKET, SOCK_RAW, 0 } },
	{ "raw", NULL, SYS_socket, { AF_INET, SOCK_RAW, 1 } },
	{ "i386", i386, 0, { 0 } },
	{ "i386-socketcall", i386_socketcall, 0, { 0 } },
	{ "x32", NULL, X32 | SYS_getpid, { 0 } },
	{ "unshare-user", NULL, SYS_unshare, { CLONE_NEWUSER | CLONE_NEWCGROUP } },
	{ "unshare-mount", NULL, SYS_unshare, { CLONE_NEWNS } },
	{ "setns", NULL, SYS_setns, { -1, 0 } },
	{ "cgroup-v1", cgroup_v1, 0, { 0 } },
	{ "cgroup-procs", cgroup_procs, 0, { 0 } },
	{ "release-agent", release_agent, 0, { 0 } },
	{ "bpf", NULL, SYS_bpf, { 0 } },
	{ "io_uring", NULL, SYS_io_uring_setup, { 1, 0 } },
	{ "userfaultfd", NULL, SYS_userfaultfd, { 0 } },
	{ "keyctl", NULL, SYS_keyctl, { 0 } },
	{ "handle", NULL, SYS_open_by_handle_at, { -1, 0, 0 } },
	{ "fsopen", NULL, SYS_fsopen, { (long)"tmpfs", 0 } },
	{ "open_tree", NULL, SYS_open_tree, { AT_FDCWD, (long)"/", 1 } },
	{ "module", NULL, SYS_finit_module, { -1, (long)"", 0 } },
	{ "device", device, 0, { 0 } },
	{ "core_pattern", core_pattern, 0, { 0 } },
	{ "sysrq", sysrq, 0, { 0 } },
	{ "sysfs", sysfs, 0, { 0 } },
};

int main(void)
{
	for (size_t i = 0; i < sizeof(attempts) / sizeof(*attempts); i++) {
		const long *a = attempts[i].args;
		pid_t pid = fork();
		int status;

		if (!pid) {
			long r =
				attempts[i].fn ? attempts[i].fn() : syscall(attempts[i].nr, a[0], a[1], a[2]);

			_exit(r < 0 ? errno : 0);
		}
		if (waitpid(pid, &status, 0) != pid)
			return 1;
		if (WIFSIGNALED(status))
			printf("%s signal %d\n", attempts[i].name, WTERMSIG(status));
		else
			printf("%s %s\n", attempts[i].name,
			       WEXITSTATUS(status) ? strerrorname_np(WEXITSTATUS(status)) : "done");
	}
	return 0;
}
