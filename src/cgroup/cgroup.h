/* cgroup.h - the cgroups of one instance, on v1, hybrid and v2
 *
 * A controller lives in a v1 hierarchy of its own or in the unified one; hybrid hosts have both.  Nothing here
 * waits for the kernel longer than CGROUP_DEADLINE_MS.
 */
#ifndef CGROUP_CGROUP_H
#define CGROUP_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strv.h"
#include "instance/host.h"
#include "instance/stats.h"

#define CGROUP_DEADLINE_MS 10000
#define CGROUP_PARENT                                                                                        \
	"/ketch" /* whose children the cgroups of instances are, unless they are asked for elsewhere */

/* Who holds it may kill what is in the cgroups: they were made, or found empty, while nobody else could take them. */
struct cgroup_claim {
	bool held;
	int fd; /* the locked directory; -1: a scope of systemd, whose name is its own, or nothing */
};

#define CGROUP_CLAIM_INIT ((struct cgroup_claim){ .fd = -1 })

/* Start from CGROUPS_INIT. */
struct cgroups {
	struct strv by_controller; /* "memory=/sys/fs/cgroup/memory/ketch/ID" */
	int unified; /* directory of the v2 one, for CLONE_INTO_CGROUP; -1: none */
	int *tasks; /* v1: open "tasks" files */
	size_t n_tasks;
	int holder; /* pidfd of a child that keeps a systemd scope alive; -1: none */
	struct cgroup_claim claim;
};

#define CGROUPS_INIT                                                                                         \
	{                                                                                                    \
		.unified = -1, .holder = -1, .claim = {.fd = -1 }                                            \
	}

/* Makes the directory DIR (and those above it) for the controllers "a,b" and opens what joining needs. */
int cgroup_make(struct cgroups *cg, const char *dir, const char *controllers, bool v2, struct err *e);
/* Only makes it, and those above it.  0 or -errno. */
int cgroup_make_dirs(const char *dir);
/* claim.c.  Makes the directory and locks it for cg->claim, unless that has one.  -EBUSY: another container is being made in
 * it.  The claim is held once the caller has seen that nobody is in there. */
int cgroup_claim(struct cgroups *cg, const char *dir, struct err *e);
void cgroup_claim_done(struct cgroup_claim *c);
/* Opens what joining a directory that exists needs.  0 or -errno. */
int cgroups_open_dir(struct cgroups *cg, const char *dir, bool v2);
/* v2: hands the controllers "+a +b" down to the children of dir. */
int cgroup_enable(const char *dir, const char *controllers, struct err *e);
/* Moves the calling process (single-threaded) into the v1 ones.  0 or -errno. */
int cgroup_enter(const struct cgroups *cg);
/* How often the kernel has killed for want of memory; 0 where it does not tell. */
uint64_t cgroup_oom_kills(const struct cgroups *cg);
/* Returns false where nobody counts what goes to block devices: no such controller is in use. */
bool cgroup_stats(const struct cgroups *cg, struct stats *ret);
void cgroups_done(struct cgroups *cg); /* frees and closes; the cgroups stay */

/* Thaws, kills whatever is left in the directories (absolute; missing ones are fine) and below them, and removes
 * them.  Also for an instance whose monitor was killed.  0, or an error when something is left. */
int cgroup_kill_and_remove(const struct strv *dirs, struct err *e);
/* The same for the cgroups of an instance by its parent (NULL: the usual) and id alone, in all hierarchies: works when nothing was recorded. */
int cgroup_clear(const struct host_facts *h, const char *parent, const char *id, struct err *e);
/* Only the first part: starts the end of everything in them, without waiting. */
void cgroup_kill(const struct strv *dirs);

#endif
