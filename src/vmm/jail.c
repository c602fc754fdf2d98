/* jail.c - what ketch-vmm gives up before its guest runs */
#include "vmm/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "sys/caps.h"
#include "sys/landlock.h"
#include "sys/mount.h"
#include "sys/ns.h"

#define MOST_THREADS                                                                                         \
	256 /* ours, and those that the kernel makes for io_uring where a file cannot be read at once */
#define MOST_FDS 256 /* what is open, and connections that come over the control socket */

/* --- 1 */

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

int jail_keep_fds(const int *fds, unsigned n, struct err *e)
{
	autofree int *sorted = calloc(n + 1, sizeof(*sorted));
	unsigned next = 3;

	if (!sorted)
		return err_set(e, ENOMEM, "out of memory");
	memcpy(sorted, fds, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_number);
	for (unsigned i = 0; i < n; i++) {
		if (fd_set_cloexec(sorted[i], true) < 0)
			return err_set(e, EBADF, "descriptor %d is not open", sorted[i]);
		if ((unsigned)sorted[i] > next)
			close_range(next, (unsigned)sorted[i] - 1, 0);
		if ((unsigned)sorted[i] >= next)
			next = (unsigned)sorted[i] + 1;
	}
	close_range(next, ~0U, 0);
	return 0;
}

/* --- 2 and 3 */

static int enter_empty_root(void)
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

static int enter_namespaces(void)
{
	int r = ns_unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS);

	return r < 0 ? r : mount_set_all(MS_PRIVATE);
}

/* --- 4 and 5 */

static int become(uid_t uid)
{
	int r = caps_limit_bounding(0);

	if (r < 0)
		return r;
	if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
		return -errno;
	r = caps_set(&(struct cap_sets){ 0 });
	if (r < 0)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

/* It binds a thread and those that it starts later: there must be no other yet. */
static int leave_files(void)
{
	autoclose int set = landlock_new();

	if (set >= 0)
		return landlock_enter(set);
	return set == -ENOSYS || set == -EOPNOTSUPP ? 0 : set;
}

int jail_enter(uid_t uid, struct err *e)
{
	int r = enter_namespaces();

	if (r < 0)
		return err_sys(e, -r, "jail, stage 2 (namespaces)");
	r = enter_empty_root();
	if (r < 0)
		return err_sys(e, -r, "jail, stage 3 (empty root)");
	r = become(uid);
	if (r < 0)
		return err_sys(e, -r, "jail, stage 4 (user)");
	r = leave_files();
	return r < 0 ? err_sys(e, -r, "jail, stage 5 (Landlock)") : 0;
}

/* --- 6 */

int jail_limit(struct err *e)
{
	static const struct {
		int what;
		rlim_t limit;
	} limits[] = {
		{ RLIMIT_NOFILE, MOST_FDS }, { RLIMIT_CORE, 0 },    { RLIMIT_NPROC, MOST_THREADS },
		{ RLIMIT_MSGQUEUE, 0 },	     { RLIMIT_MEMLOCK, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		if (setrlimit((__rlimit_resource_t)limits[i].what,
			      &(struct rlimit){ limits[i].limit, limits[i].limit }) < 0)
			return err_sys(e, errno, "jail, stage 6 (limits)");
	return 0;
}
