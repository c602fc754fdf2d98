/* criu.h - the program criu (criu(8)), told by its command line what to dump or to restore */
#ifndef CRIU_CRIU_H
#define CRIU_CRIU_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/strv.h"
#include "cgroup/cgroup.h"

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
	bool own_session; /* a key pressed on our terminal does not end it half-way */
	int passed; /* one of fds that only criu is to keep: closed when it runs; 0: none */
	bool terminal; /* there is one whose other end is outside: CRIU is told all of this by RPC (criu/call.h) */
	/* What comes of that. */
	pid_t restored; /* the first process, for which there is no --pidfile then */
	int master; /* the other end of the terminal; -1: none */
};

/* Where a restored container is made: in these cgroups, with its root as a mount that nobody else sees. */
struct criu_place {
	const struct cgroups *cgroups;
	const char *rootfs; /* absolute; NULL: `enter` has it mounted */
	bool own_cgroupns;
	bool no_new_privs; /* CRIU 3.17 forgets it; its children inherit it */
	/* What else is to be made in the mount namespace, by the child that becomes CRIU: 0 or -errno.  NULL: nothing. */
	int (*enter)(void *arg);
	void *arg;
};

/* verb: "dump", "pre-dump" or "restore".  images: the directory, taken, also after a failure; work: that of the log,
 * borrowed.  c: uninitialised memory, also after a failure the caller's to criu_done. */
int criu_init_take(struct criu *c, const char *verb, int images, int work, struct err *e);
/* Adds an argument.  0 or -ENOMEM. */
int criu_add(struct criu *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Passes a descriptor on: its number there, or -E2BIG. */
int criu_add_fd(struct criu *c, int fd);
/* Runs it to its end, however long that takes: killed half-way it would leave the processes stopped.  place NULL: here.
 * A failure is named by the first error in the log's end. */
int criu_run(struct criu *c, const struct criu_place *place, struct err *e);
/* The same in two steps, where there is no terminal: it runs until pidfd says that it has ended, then criu_end reaps it and
 * tells what criu_run does. */
struct criu_job {
	int pidfd, said;
};
#define CRIU_JOB_INIT ((struct criu_job){ -1, -1 })
int criu_start(const struct criu *c, const struct criu_place *place, struct criu_job *ret, struct err *e);
int criu_end(const struct criu *c, struct criu_job *j, struct err *e);
void criu_job_done(struct criu_job *j);
/* Is it installed, and does it work on this kernel?  -ENOENT, -EIO with its reason. */
int criu_check(struct err *e);
void criu_done(struct criu *c);

/* external.c: the mount at dest, a path in the tree `root`, is not in the images: dump: named so in them (NULL: by its place);
 * restore: made of this source.  0 or -ENOMEM. */
int criu_add_external(struct criu *c, int root, const char *dest, const char *source);
/* Where dest is, seen from root, with links followed: owned; NULL: out of memory. */
char *criu_true_place(int root, const char *dest);

#endif
