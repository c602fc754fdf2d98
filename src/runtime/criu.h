/* criu.h - what CRIU is told of a container of ketch-oci; within this room only */
#ifndef RUNTIME_CRIU_H
#define RUNTIME_CRIU_H

#include <sys/types.h>

#include "criu/criu.h"
#include "oci/runtime.h"
#include "runtime/runtime.h"

/* verb: "dump", "pre-dump" or "restore"; the images' directory is made unless it is the last.  c: uninitialised memory, also
 * after a failure the caller's to criu_done. */
int criu_begin(struct criu *c, const struct runtime *rt, const char *verb, const struct criu_args *a,
	       struct err *e);
/* What CRIU cannot do, or not by its command line. */
int criu_check_spec(const struct oci_spec *s, const struct runtime *rt, struct err *e);

/* criu_pages.c: where a dump sends its pages, or serves them with --lazy-pages. */
int criu_add_pages(struct criu *c, const struct checkpoint_args *a, struct err *e);

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
