/* walk.h - cgroups with all below them; what they list */
#ifndef CGROUP_WALK_H
#define CGROUP_WALK_H

#include <sys/types.h>

#include "base/strv.h"

/* dirfd: the cgroup, `name` in `parent`.  0 or -errno. */
typedef int cgroup_visit_fn(int dirfd, const char *name, int parent, void *ctx);

/* Calls fn for each directory (absolute; missing ones are left out) and all below it, the deepest first.  All are visited;
 * returns the first error, or 0. */
int cgroup_walk(const struct strv *dirs, cgroup_visit_fn *fn, void *ctx);

struct pidv {
	pid_t *v;
	size_t n;
};

/* The processes of this cgroup alone, appended; 0: one in a pid namespace that is not shown here.  A cgroup that is removed
 * meanwhile has none. */
int cgroup_read_procs(int dirfd, struct pidv *ret);
/* Signals them by descriptor, each found to be still in the cgroup; never this process.  How many there were, or
 * -errno. */
int cgroup_signal_members(int dirfd, int signo);
void pidv_done(struct pidv *p);

#endif
