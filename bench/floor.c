/* floor.c - what the kernel alone takes for a container, and nothing else: the bottom against which runtimes are measured
 *
 *	floor ROOT FILTER V2DIR|- [V1DIR:FILE=VALUE ...] -- COMMAND...
 *
 * New mount, PID, IPC, UTS, network and cgroup namespaces; a cgroup in each directory with its settings; ROOT with
 * /proc, /dev (tmpfs, six nodes), /dev/pts, /dev/shm, /dev/mqueue, /sys; seven masked and five read-only paths;
 * pivot_root; five capability calls; the BPF program of FILTER ("-": none); exec; wait; the cgroups removed.  No config,
 * no state, no checks, no messages: it is no runtime.
 */
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_CGROUPS 16

static char dirs[MAX_CGROUPS][256];
static int n_dirs, unified = -1;

static void die(const char *what)
{
	perror(what);
	_exit(125);
}

static void put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		die(path);
	close(fd);
}

/* "DIR:FILE=VALUE"; one cgroup for each different DIR. */
static void add_cgroup(char *text)
{
	char *file = strchr(text, ':'), *value = file ? strchr(file, '=') : NULL, path[512], own[256];

	if (file)
		*file++ = '\0';
	snprintf(own, sizeof(own), "%s/floor-%d", text, (int)getpid());
	for (int i = 0; i <= n_dirs; i++) {
		if (i == n_dirs) {
			if (n_dirs == MAX_CGROUPS || mkdir(own, 0755) < 0)
				die(own);
			strcpy(dirs[n_dirs++], own);
		}
		if (!strcmp(dirs[i], own))
			break;
	}
	if (!value)
		return;
	*value++ = '\0';
	snprintf(path, sizeof(path), "%s/%s", own, file);
	put(path, value);
}

static void fs(const char *type, const char *at, unsigned long flags, const char *data)
{
	if (mkdir(at, 0755) < 0 && access(at, F_OK) < 0)
		die(at);
	if (mount(type, at, type, flags, data) < 0)
		die(at);
}

static void make_root(const char *root)
{
	static const struct {
		const char *name;
		int minor;
	} nodes[] = { { "null", 3 }, { "zero", 5 }, { "full", 7 }, { "random", 8 }, { "urandom", 9 } };
	static const char *const masked[] = { "proc/acpi",	 "proc/kcore",	    "proc/keys",
					      "proc/timer_list", "proc/interrupts", "sys/firmware" },
				 *const read_only[] = { "proc/bus", "proc/fs", "proc/irq", "proc/sys",
							"proc/sysrq-trigger" };
	const unsigned long nsdx = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ||
	    mount(root, root, NULL, MS_BIND | MS_REC, NULL) < 0 || chdir(root) < 0)
		die(root);
	fs("proc", "proc", nsdx, NULL);
	fs("tmpfs", "dev", MS_NOSUID, "mode=755,size=65536k");
	for (unsigned i = 0; i < sizeof(nodes) / sizeof(*nodes); i++) {
		char path[32];

		snprintf(path, sizeof(path), "dev/%s", nodes[i].name);
		if (mknod(path, S_IFCHR | 0666, makedev(1, (unsigned)nodes[i].minor)) < 0)
			die(path);
	}
	mknod("dev/tty", S_IFCHR | 0666, makedev(5, 0));
	fs("devpts", "dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5");
	fs("tmpfs", "dev/shm", nsdx, "mode=1777,size=65536k");
	fs("mqueue", "dev/mqueue", nsdx, NULL);
	fs("sysfs", "sys", nsdx | MS_RDONLY, NULL);
	for (unsigned i = 0; i < sizeof(masked) / sizeof(*masked); i++) {
		struct stat st;

		if (stat(masked[i], &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode))
			mount("tmpfs", masked[i], "tmpfs", MS_RDONLY, NULL);
		else
			mount("dev/null", masked[i], NULL, MS_BIND, NULL);
	}
	for (unsigned i = 0; i < sizeof(read_only) / sizeof(*read_only); i++) {
		mount(read_only[i], read_only[i], NULL, MS_BIND | MS_REC, NULL);
		mount(NULL, read_only[i], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | nsdx, NULL);
	}
	if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		die("pivot_root");
}

static void load_filter(const char *path, struct sock_fprog *ret)
{
	static struct sock_filter program[4096];
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t n = fd < 0 ? 0 : read(fd, program, sizeof(program));

	ret->len = (unsigned short)(n / (ssize_t)sizeof(*program));
	ret->filter = program;
}

static void child(const char *root, const struct sock_fprog *filter, char **argv)
{
	char path[300];

	for (int i = unified >= 0; i < n_dirs; i++) {
		snprintf(path, sizeof(path), "%s/cgroup.procs", dirs[i]);
		put(path, "0");
	}
	if (unshare(CLONE_NEWCGROUP) < 0)
		die("cgroup namespace");
	sethostname("floor", 5);
	make_root(root);
	setsid();
	for (int i = 0; i < 41; i++)
		if (i > 13)
			prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (filter->len && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, filter) < 0)
		die("seccomp");
	execv(argv[0], argv);
	die(argv[0]);
}

int main(int argc, char **argv)
{
	struct clone_args a = { .exit_signal = SIGCHLD,
				.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
					 CLONE_NEWNET };
	struct sock_fprog filter;
	int i = 4, status;
	long pid;

	if (argc < 6)
		return 125;
	load_filter(argv[2], &filter);
	if (strcmp(argv[3], "-")) {
		add_cgroup(argv[3]);
		unified = open(dirs[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
		a.flags |= CLONE_INTO_CGROUP;
		a.cgroup = (uint64_t)unified;
	}
	for (; i < argc && strcmp(argv[i], "--"); i++)
		add_cgroup(argv[i]);
	pid = syscall(SYS_clone3, &a, sizeof(a));
	if (pid < 0)
		die("clone3");
	if (pid == 0)
		child(argv[1], &filter, argv + i + 1);
	waitpid((pid_t)pid, &status, 0);
	for (int k = 0; k < n_dirs; k++)
		rmdir(dirs[k]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
