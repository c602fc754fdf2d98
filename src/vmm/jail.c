/* jail.c - what ketch-vmm gives up before its guest runs */
#include "vmm/jail.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "base/auto.h"
#include "storage/stack.h"
#include "sys/confine.h"
#include "sys/mount.h"
#include "sys/ns.h"
#include "vmm/config.h"

#define MOST_THREADS                                                                                         \
	256 /* ours, and those that the kernel makes for io_uring where a file cannot be read at once */
#define MOST_FDS                                                                                             \
	(256 + CONFIG_MAX_BELOW + STACK_SPARES) /* what is open, and what comes over the control socket */

/* --- 1 */

int jail_keep_fds(const int *fds, unsigned n, struct err *e)
{
	int bad = -1, r = confine_fds(fds, n, &bad);

	if (r == -EBADF)
		return err_set(e, EBADF, "descriptor %d is not open", bad);
	return r < 0 ? err_sys(e, -r, "descriptors") : 0;
}

/* --- 2 to 5 */

static int enter_namespaces(void)
{
	int r = ns_unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS);

	return r < 0 ? r : mount_set_all(MS_PRIVATE);
}

int jail_enter(uid_t uid, struct err *e)
{
	int r = enter_namespaces();

	if (r < 0)
		return err_sys(e, -r, "jail, stage 2 (namespaces)");
	r = confine_root();
	if (r < 0)
		return err_sys(e, -r, "jail, stage 3 (empty root)");
	r = confine_user(uid, 0);
	if (r < 0)
		return err_sys(e, -r, "jail, stage 4 (user)");
	r = confine_files();
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
