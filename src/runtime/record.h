/* record.h - what ketch-oci remembers of a container, in ROOT/ID: state.json (this), config.json (a copy), seccomp.bpf,
 * and `start`, the FIFO at which its process waits
 *
 * The directory is made first and removed last: while it is there, `delete --force` finds all that there can be.
 */
#ifndef RUNTIME_RECORD_H
#define RUNTIME_RECORD_H

#include <sys/types.h>

#include "base/json.h"
#include "base/strv.h"

struct record {
	char *id;
	char *bundle, *rootfs; /* absolute */
	char *oci_version;
	int64_t created_ns;
	int pid; /* of its first process; 0: not yet made */
	uint64_t pid_start; /* /proc/PID/stat, field 22: tells it from a later process of the same number */
	struct strv cgroups; /* "controller=directory" */
	struct strv annotations;
	char *keyring; /* NULL: none of its own */
	char *personality; /* linux.personality.domain or NULL */
	uint64_t filter_flags; /* of seccomp.bpf */
	char *listener, *listener_metadata; /* of its agent; NULL: none */
	bool user_namespace;
	bool own_pids; /* the end of its first process is that of all the others */
	bool restoring; /* CRIU may be in its cgroups already */
	bool shared_mounts; /* its mounts are in the namespace of whoever made it */
	bool poststart, poststop; /* has such hooks */
};

enum container_status {
	CONTAINER_CREATING,
	CONTAINER_CREATED,
	CONTAINER_RUNNING,
	CONTAINER_PAUSED,
	CONTAINER_STOPPED
};
extern const char *const container_status_names[];

/* "[A-Za-z0-9_+.-]+", not "." or "..". */
bool record_id_is_valid(const char *id);
int record_write(int dir, const struct record *r, struct err *e);
/* -ENOENT: the container was never begun in earnest. */
int record_read(int dir, struct record *ret, struct err *e);
void record_done(struct record *r);
/* When process `pid` began, in clock ticks since boot; of one that has ended, too, as long as nobody has reaped it; -ESRCH. */
int record_pid_start(pid_t pid, uint64_t *ret);
/* A pidfd of its first process; -ESRCH when that has ended. */
int record_open_process(const struct record *r);
/* Takes away the mounts that it made in its maker's namespace, if it has none of its own. */
void record_unmount(const struct record *r);
#define RECORD_FILTERS ".seccomp" /* beside the containers' directories: compiled filters, by digest */

/* Ends what is in its cgroups and removes them, as far as they are its own. */
int record_remove_cgroups(const struct record *r, struct err *e);
/* Whoever makes a container holds this lock of ROOT/ID, and so does the child, which has the descriptor from its maker, until
 * it has heard that it is recorded: who gets the lock finds in the record all that there is.  -EBUSY: not in that time. */
int record_lock(int dir, int wait_ms);
/* What it does now. */
enum container_status record_status(int dir, const struct record *r);

#endif
