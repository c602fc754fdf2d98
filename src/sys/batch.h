/* batch.h - a long-running program and all that it starts: followed line by line, ended as a whole */
#ifndef SYS_BATCH_H
#define SYS_BATCH_H

#include "base/strv.h"

#define BATCH_LINE_MAX 1024 /* what is longer is cut */

struct batch {
	char *const *argv; /* looked up in PATH */
	const struct strv *env; /* besides PATH and LC_ALL; NULL: nothing */
	int log_fd; /* what it says, stdout and stderr, goes there */
	int stop_fd; /* readable: it is ended (-ECANCELED); -1: none */
	void (*line)(void *arg, const char *line); /* each line of it; or NULL */
	void *arg;
};

/* Runs it to its end, in a session of its own with /dev/null as stdin and no descriptor of ours.  *ret_status: its exit
 * status, or 128 + signal.  -ENOENT: there is no such program.
 *
 * For root it is in a PID namespace of its own: when it ends, when we stop it, when we are killed, everything that
 * it has started ends with it.  Others may not make one: it alone is asked to end (SIGTERM), which make(1) passes on. */
int batch_run(const struct batch *b, int *ret_status);

#endif
