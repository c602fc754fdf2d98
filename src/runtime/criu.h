/* criu.h - the program criu (criu(8)), told by its command line what to dump or to restore; within this room only */
#ifndef RUNTIME_CRIU_H
#define RUNTIME_CRIU_H

#include <sys/types.h>

#include "cgroup/cgroup.h"
#include "oci/runtime.h"
#include "runtime/runtime.h"

/* Descriptor i of a run is CRIU_FD + i in criu: out of the way of those that it opens itself. */
#define CRIU_FD	     200
#define CRIU_FDS_MAX 8

/* One run. */
struct criu {
	struct strv argv;
	char *work; /* absolute: where the log will be */
	char *log; /* its name there */
	int images; /* the directory */
	int fds[CRIU_FDS_MAX]; /* borrowed; the first three are our standard streams */
	size_t n_fds;
};

/* Where a restored container is made: in these cgroups, with its root as a mount that nobody else sees. */
struct criu_place {
	const struct cgroups *cgroups;
	const char *rootfs; /* absolute */
	bool own_cgroupns;
	bool no_new_privs; /* CRIU 3.17 forgets it; its children inherit it */
};

/* verb: "dump", "pre-dump" or "restore"; the images' directory is made unless it is the last.  c: uninitialised memory, also
 * after a failure the caller's to criu_done. */
int criu_begin(struct criu *c, const struct runtime *rt, const char *verb, const struct criu_args *a,
	       struct err *e);
/* Adds an argument.  0 or -ENOMEM. */
int criu_add(struct criu *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Passes a descriptor on: its number there, or -E2BIG. */
int criu_add_fd(struct criu *c, int fd);
/* Runs it to its end, however long that takes: killed half-way it would leave the processes stopped.  place NULL: here.
 * A failure is named by the first error in the log's end. */
int criu_run(const struct criu *c, const struct criu_place *place, struct err *e);
void criu_done(struct criu *c);
/* What CRIU cannot do, or not by its command line. */
int criu_check_spec(const struct oci_spec *s, const struct runtime *rt, struct err *e);

/* The names that namespaces of others have in images; runc's. */
#define CRIU_NETNS "extRootNetNS"
#define CRIU_PIDNS "extRootPidNS"
/* The file beside the images that holds the names of the standard streams, and its limit. */
#define CRIU_STREAMS	 "descriptors.json"
#define CRIU_STREAMS_MAX 16384

/* criu_mounts.c: what is mounted from outside the container (binds, cgroups), named by its place: for the dump of process
 * `pid`, and for the restore below `rootfs`, where missing places are made.  The current directory is the bundle. */
int criu_add_mounts_of(struct criu *c, const struct oci_spec *s, pid_t pid, struct err *e);
struct criu_sources {
	const struct oci_spec *spec;
	const struct host_facts *facts;
	const struct strv *cgroups; /* "controller=directory" */
	int rootfs;
};
int criu_add_mounts_for(struct criu *c, const struct criu_sources *from, struct err *e);

#endif
