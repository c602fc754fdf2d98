/* jail.c - what a process of ketch-net gives up before it begins its work */
#include "network/jail.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/auto.h"
#include "sys/confine.h"
#include "sys/landlock.h"
#include "sys/mount.h"
#include "sys/ns.h"

#define MEMORY_MAX (64ULL << 20)
#define FDS_MORE   8 /* of a loop, and while something is looked at */

static int limit(unsigned most_fds)
{
	const struct {
		__rlimit_resource_t what;
		rlim_t most;
	} limits[] = {
		{ RLIMIT_NOFILE, most_fds }, { RLIMIT_NPROC, 0 },	{ RLIMIT_CORE, 0 },
		{ RLIMIT_FSIZE, 0 },	     { RLIMIT_AS, MEMORY_MAX },
	};

	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		if (setrlimit(limits[i].what, &(struct rlimit){ limits[i].most, limits[i].most }) < 0)
			return -errno;
	return 0;
}

static int confine_to(int dir)
{
	autoclose int set = landlock_new();
	int r = set < 0 ? set : landlock_allow(set, dir, true);

	if (set == -ENOSYS || set == -EOPNOTSUPP)
		return 0;
	return r < 0 ? r : landlock_enter(set);
}

int jail_enter(const struct jail *j)
{
	int bad, r = confine_fds(j->fds, j->n_fds, &bad);

	if (r == 0)
		r = ns_unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS);
	if (r == 0)
		r = mount_set_all(MS_PRIVATE);
	if (r == 0)
		r = confine_root();
	if (r == 0)
		r = limit(j->n_fds + j->opens + FDS_MORE);
	if (r == 0)
		r = confine_user(j->uid, j->caps);
	if (r == 0)
		r = j->writes_fd ? confine_to(j->writes_fd) : confine_files();
	return r < 0 ? r : j->seal();
}
