/* ops.h - what the verbs of an OCI runtime do to a container's cgroups, found by what was recorded of them
 *
 * A record is cgroup_plan_oci's: "controller=/absolute/directory", one entry for each v1 controller and one "unified="; maybe
 * a unit of systemd, "scope=NAME.scope" or "user-scope=...".
 */
#ifndef CGROUP_OPS_H
#define CGROUP_OPS_H

#include <sys/types.h>

#include "base/err.h"
#include "base/strv.h"
#include "cgroup/cgroup.h"
#include "cgroup/walk.h"

/* Where the files of a controller are: its own v1 directory, else the unified one (*ret_v2); borrowed.  NULL: nowhere. */
const char *cgroup_record_dir(const struct strv *record, const char *controller, bool *ret_v2);
/* The directories of a record, each once: as cgroup_kill_and_remove takes them. */
int cgroup_record_dirs(const struct strv *record, struct strv *ret);

/* Opens the cgroups of a running container for one more process: cgroup_enter for v1, ret->unified for CLONE_INTO_CGROUP.
 * init > 0: its first process; where that has handed controllers down on v2 (systemd), no process may be in the container's
 * own cgroup any more, and the newcomer goes where the first process went.  Directories that are missing are passed over. */
int cgroups_open(const struct strv *record, pid_t init, struct cgroups *ret, struct err *e);
/* The v2 cgroup, dir or one below it, that the process is in: a descriptor; -ENOENT: in none of them. */
int cgroup_open_of(const char *dir, pid_t pid);

/* Is there a process in these directories (absolute; missing ones are fine) or below them?  1, 0 or -errno. */
int cgroup_has_processes(const struct strv *dirs);
/* All processes in the container's cgroup and below it that this pid namespace shows, in ascending order.  0 or -errno. */
int cgroup_pids(const struct strv *record, struct pidv *ret);
/* Sends the signal to all of them, this process excepted; they are frozen meanwhile, so that none is born unseen, and
 * SIGKILL thaws what was frozen before.  How many there were, or -errno. */
int cgroup_signal_all(const struct strv *record, int signo, struct err *e);
/* Kills what is in them and removes them; see cgroup_kill_and_remove. */
int cgroup_record_remove(const struct strv *record, struct err *e);

/* below.c.  The record with the directories below its own that runc's words name: "PATH" for all, or several
 * "CONTROLLER,...:PATH" (v1); they must be there.  No words: a copy. */
int cgroup_record_below(const struct strv *record, const struct strv *words, struct strv *ret, struct err *e);

/* claim.c.  Removes those of them that nobody is in, for a container without processes of its own; those that are just dying
 * are waited for.  What somebody else is in, or makes a container in, stays: -EBUSY. */
int cgroup_record_leave(const struct strv *record);

/* freezer.c.  Freezes every process, or lets them go on; waits for it at most CGROUP_DEADLINE_MS, and what does not freeze is
 * let go again.  -ENOTSUP: no freezer here. */
int cgroup_freeze(const struct strv *record, struct err *e);
int cgroup_thaw(const struct strv *record, struct err *e);
/* 1, 0 or -errno (-ENOENT: the cgroup is gone). */
int cgroup_is_frozen(const struct strv *record);

/* oom.c.  Tells when the kernel kills for want of memory: fd becomes readable. */
struct cgroup_oom {
	int fd;
	char *events; /* v2: memory.events; v1: memory.oom_control */
	bool v2;
	uint64_t kills; /* v2: counted so far */
	char *members; /* v2: cgroup.events */
};

/* END: the cgroup is gone; on v2 already when nobody is in it. */
enum { CGROUP_OOM_KILL = 1, CGROUP_OOM_END = 2 };

int cgroup_oom_open(const struct strv *record, struct cgroup_oom *ret, struct err *e);
/* After fd became readable: what happened since, as CGROUP_OOM_* bits, or -errno.  Never waits. */
int cgroup_oom_read(struct cgroup_oom *o);
void cgroup_oom_done(struct cgroup_oom *o);

/* usage.c.  Appends the statistics as one JSON object: the "data" of `runc events --stats`. */
int cgroup_print_usage(const struct strv *record, struct buf *out);

#endif
