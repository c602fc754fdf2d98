/* doctor_kernel.c - what the kernel has: tried, where trying is cheap, not looked up */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "engine/doctor_int.h"
#include "sys/ns.h"

#define NOBODY	     65534
#define FIX_BACKPORT "install a newer kernel: apt-get install linux-image-amd64"

/* The first line of a small file, owned; NULL when it cannot be read. */
static char *read_line(const char *path)
{
	AUTO(buf_done) struct buf b = { 0 };

	if (read_file(AT_FDCWD, path, 64 * 1024, &b) < 0)
		return NULL;
	return strndup(b.data ? b.data : "", strcspn(b.data ? b.data : "", "\n"));
}

static bool file_says(const char *path, const char *text)
{
	autofree char *line = read_line(path);

	return line && !strcmp(line, text);
}

/* --- the kernel and its cgroups */

void doctor_kernel(struct doctor *d)
{
	const char *release = d->facts->kernel_release ? d->facts->kernel_release : "";
	unsigned major = 0, minor = 0;

	if (sscanf(release, "%4u.%4u", &major, &minor) != 2 || major < 5 || (major == 5 && minor < 12))
		doctor_add(d, "kernel", DOCTOR_MISSING, FIX_BACKPORT,
			   "Linux %s: mounts by descriptor need 5.12", release);
	else
		doctor_add(d, "kernel", DOCTOR_OK, NULL, "Linux %s", release);
}

static const struct {
	const char *v1, *v2; /* the controller's name; v2 NULL: not a controller there */
	const char *flag; /* what needs it */
	bool needed;
} controllers[] = {
	{ "memory", "memory", "-m", true },	  { "cpu", "cpu", "--cpus", true },
	{ "pids", "pids", "--pids-limit", true }, { "devices", NULL, "device access", true },
	{ "freezer", NULL, "pause", false },	  { "cpuset", "cpuset", "CPU placement", false },
	{ "blkio", "io", "I/O limits", false },
};

static const char *controller_fix(const struct doctor *d, const char *name)
{
	if (!strcmp(name, "memory"))
		return "add cgroup_enable=memory to GRUB_CMDLINE_LINUX in /etc/default/grub; update-grub; "
		       "reboot";
	if (d->facts->cgroup_mode == CGROUP_V2)
		return "this cgroup is a part of another's: its owner must delegate the controller "
		       "(systemd: Delegate=yes)";
	return "mount the controller: mkdir /sys/fs/cgroup/NAME; mount -t cgroup -o NAME cgroup "
	       "/sys/fs/cgroup/NAME";
}

static void check_controller(struct doctor *d, size_t i)
{
	bool v2 = d->facts->cgroup_mode == CGROUP_V2;
	const char *name = v2 ? controllers[i].v2 : controllers[i].v1;
	const char *where = name ? strv_env_get(&d->facts->cgroups, name) : NULL;
	char row[64];

	if (!name) /* v2 does it without a controller */
		return;
	snprintf(row, sizeof(row), "cgroup %s", name);
	if (where)
		doctor_add(d, row, DOCTOR_OK, NULL, "%s", where);
	else
		doctor_add(d, row, controllers[i].needed ? DOCTOR_MISSING : DOCTOR_WARN,
			   controller_fix(d, name), "no such controller: no %s", controllers[i].flag);
}

void doctor_cgroups(struct doctor *d)
{
	static const char *const words[] = { NULL, "version 1",
					     "version 1, with an empty version 2 beside it", "version 2" };
	int mode = d->facts->cgroup_mode;

	if (mode == CGROUP_NONE) {
		doctor_add(d, "cgroups", DOCTOR_MISSING, "mount -t cgroup2 cgroup2 /sys/fs/cgroup",
			   "no cgroup hierarchy is mounted: no limits");
		return;
	}
	doctor_add(d, "cgroups", DOCTOR_OK, NULL, "%s", words[mode]);
	for (size_t i = 0; i < ARRAY_LEN(controllers); i++)
		check_controller(d, i);
}

/* --- namespaces */

static const struct {
	const char *name;
	int flag;
} namespaces[] = {
	{ "mount", CLONE_NEWNS },  { "pid", CLONE_NEWPID }, { "network", CLONE_NEWNET },
	{ "ipc", CLONE_NEWIPC },   { "uts", CLONE_NEWUTS }, { "cgroup", CLONE_NEWCGROUP },
	{ "user", CLONE_NEWUSER },
};

/* Makes a namespace in a child of its own, as an ordinary user if asked.  0 or the errno. */
static int try_unshare(int flag, bool as_nobody)
{
	int status;
	pid_t child = fork();

	if (child < 0)
		return errno;
	if (child == 0) {
		if (as_nobody && geteuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
			_exit(errno & 0xff);
		_exit(-ns_unshare(flag) & 0xff);
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

static const char *userns_fix(void)
{
	if (file_says("/proc/sys/kernel/unprivileged_userns_clone", "0"))
		return "sysctl -w kernel.unprivileged_userns_clone=1";
	if (file_says("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"))
		return "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0";
	if (file_says("/proc/sys/user/max_user_namespaces", "0"))
		return "sysctl -w user.max_user_namespaces=15000";
	return "run ketch outside of the sandbox that forbids it";
}

void doctor_namespaces(struct doctor *d)
{
	const char *fix =
		geteuid() == 0 ? "run ketch outside of the sandbox that forbids it" : "run ketch as root";
	char row[64];
	int r;

	for (size_t i = 0; i < ARRAY_LEN(namespaces); i++) {
		bool user = namespaces[i].flag == CLONE_NEWUSER;

		r = try_unshare(namespaces[i].flag, false);
		snprintf(row, sizeof(row), "%s namespace", namespaces[i].name);
		if (r == 0)
			doctor_add(d, row, DOCTOR_OK, NULL, "works");
		else
			doctor_add(d, row, user ? DOCTOR_WARN : DOCTOR_MISSING, user ? userns_fix() : fix,
				   "cannot be made: %s", strerror(r));
	}
	r = try_unshare(CLONE_NEWUSER, true);
	if (r == 0)
		doctor_add(d, "unprivileged user namespace", DOCTOR_OK, NULL, "works");
	else
		doctor_add(d, "unprivileged user namespace", DOCTOR_WARN, userns_fix(),
			   "cannot be made by ordinary users: %s", strerror(r));
}

/* --- file systems, seccomp, security modules */

/* fsopen(2) loads the module if there is one.  Without the right to call it /proc/filesystems must do. */
static bool has_file_system(const char *type)
{
	AUTO(buf_done) struct buf list = { 0 };
	autoclose int fd = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
	char line[64];

	if (fd >= 0)
		return true;
	if (errno == ENODEV || read_file(AT_FDCWD, "/proc/filesystems", 64 * 1024, &list) < 0)
		return false;
	snprintf(line, sizeof(line), "\t%s\n", type);
	return list.data && strstr(list.data, line);
}

void doctor_file_systems(struct doctor *d)
{
	if (has_file_system("overlay"))
		doctor_add(d, "overlay", DOCTOR_OK, NULL, "the kernel has it");
	else
		doctor_add(d, "overlay", DOCTOR_MISSING, "modprobe overlay",
			   "the kernel has no overlay file system");
	if (has_file_system("erofs"))
		doctor_add(d, "erofs", DOCTOR_OK, NULL, "the kernel has it");
	else
		doctor_add(d, "erofs", DOCTOR_WARN, "modprobe erofs",
			   "the kernel has no EROFS: virtual machines bring their own");
}

void doctor_seccomp(struct doctor *d)
{
	const struct scmp_version *v = seccomp_version();
	unsigned action = SECCOMP_RET_KILL_PROCESS;

	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) < 0)
		doctor_add(d, "seccomp", DOCTOR_MISSING, FIX_BACKPORT,
			   "the kernel has no seccomp filters: %s", strerror(errno));
	else
		doctor_add(d, "seccomp", DOCTOR_OK, NULL, "filters, with libseccomp %u.%u.%u", v->major,
			   v->minor, v->micro);
}

static bool has_selinux(void)
{
	return access("/sys/fs/selinux/enforce", F_OK) == 0;
}

void doctor_lsm(struct doctor *d)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	if (file_says("/sys/module/apparmor/parameters/enabled", "Y"))
		doctor_add(d, "AppArmor or SELinux", DOCTOR_OK, NULL, "AppArmor is on");
	else if (has_selinux())
		doctor_add(d, "AppArmor or SELinux", DOCTOR_OK, NULL, "SELinux is on");
	else
		doctor_add(d, "AppArmor or SELinux", DOCTOR_WARN,
			   "apt-get install apparmor; boot with security=apparmor",
			   "neither is on: containers have one wall less");
	if (abi > 0)
		doctor_add(d, "Landlock", DOCTOR_OK, NULL, "version %ld", abi);
	else
		doctor_add(d, "Landlock", DOCTOR_WARN,
			   "boot with lsm=landlock in front of the list in /sys/kernel/security/lsm",
			   "the kernel has none: helper programs have one wall less");
}
