/* lsm.c - the security label that a process gets with its program
 *
 * AppArmor has attr/apparmor/exec since Linux 5.8; before, and SELinux always, attr/exec.
 */
#include "container/lsm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "sys/procfs.h"

static int open_attr(int proc, bool apparmor)
{
	int fd = apparmor ? procfs_open_self(proc, "attr/apparmor/exec", O_WRONLY) : -ENOENT;

	return fd == -ENOENT ? procfs_open_self(proc, "attr/exec", O_WRONLY) : fd;
}

/* One write: the kernel takes the whole label at once.  -EOPNOTSUPP: no module of this kind; -EINVAL: that, or it does not
 * know the label. */
static int set_exec(int proc, bool apparmor, const char *text)
{
	autoclose int fd = open_attr(proc, apparmor);

	if (fd < 0)
		return fd == -ENOENT ? -EOPNOTSUPP : fd;
	if (write(fd, text, strlen(text)) >= 0)
		return 0;
	return -errno;
}

/* Its labels are USER:ROLE:TYPE, and those of no other module are. */
static bool is_selinux(int proc)
{
	autoclose int fd = procfs_open_self(proc, "attr/current", O_RDONLY);
	char label[256];
	ssize_t n = fd < 0 ? -1 : read(fd, label, sizeof(label) - 1);
	const char *role;

	label[n > 0 ? n : 0] = '\0';
	role = strchr(label, ':');
	return role && strchr(role + 1, ':');
}

static int set_apparmor(int proc, const char *profile, struct err *e)
{
	autofree char *text = str_printf("exec %s", profile);
	int r = text ? set_exec(proc, true, text) : -ENOMEM;

	if (r == -EINVAL)
		r = -EOPNOTSUPP;
	if (r == -EOPNOTSUPP && !strcmp(profile, "unconfined"))
		return 0;
	if (r == -EOPNOTSUPP)
		return err_set(
			e, EOPNOTSUPP,
			"apparmor failed to apply profile: this kernel does not have AppArmor enabled");
	if (r == -ENOENT)
		return err_set(e, ENOENT, "apparmor failed to apply profile: \"%.100s\" is not loaded",
			       profile);
	return r < 0 ? err_sys(e, -r, "apparmor failed to apply profile") : 0;
}

static int set_selinux(int proc, const char *label, struct err *e)
{
	int r = set_exec(proc, false, label);

	if (r == -EOPNOTSUPP || (r == -EINVAL && !is_selinux(proc)))
		return err_set(
			e, EOPNOTSUPP,
			"selinux label is specified in config, but selinux is disabled or not supported");
	return r < 0 ? err_sys(e, -r, "selinux failed to set the label \"%.100s\"", label) : 0;
}

int lsm_label_set_exec(int proc, const char *apparmor_profile, const char *selinux_label, struct err *e)
{
	int r = 0;

	if (selinux_label && *selinux_label)
		r = set_selinux(proc, selinux_label, e);
	if (r == 0 && apparmor_profile && *apparmor_profile)
		r = set_apparmor(proc, apparmor_profile, e);
	return r;
}
