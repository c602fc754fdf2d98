/* attach.h - the pump between the user's descriptors and a process behind a monitor's connection */
#ifndef CLI_ATTACH_H
#define CLI_ATTACH_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/detach_keys.h"
#include "wire/msg.h"

/* What -it is told without a terminal; Docker's words in front. */
#define NOT_A_TTY "the input device is not a TTY: -it needs a terminal on stdin"

/* Takes what comes; -errno: no more of it is wanted. */
typedef int (*attach_sink)(void *arg, const void *data, size_t n);

struct attach {
	uint32_t stream; /* 0: the main process; exec, cp: 1 */
	/* JSON of a process, or of files to copy, to start on the stream; NULL: take part in the main process */
	const struct buf *start;
	enum msg_type start_type; /* START, GET or PUT; only with start */
	bool interactive; /* in_fd goes to the process */
	bool tty; /* the process has a terminal */
	bool detach; /* return once it has started */
	bool running; /* the main process has started already */
	bool keep_signals; /* they are for us, and not sent on (--sig-proxy=false) */
	uint32_t without; /* enum attach_flags: streams of the main process that are not ours to hear */
	struct detach_keys keys; /* on a terminal; .n 0: none */
	bool *ret_detached; /* the keys were typed: the process goes on; or NULL */
	void (*started)(void *arg); /* it runs; or NULL */
	void *arg;
	int in_fd, out_fd, err_fd; /* borrowed; never made non-blocking */
	attach_sink sink; /* in the place of out_fd; NULL: none */
	void *sink_arg;
	const sigset_t *held; /* from attach_hold_signals: the mask of afterwards; NULL: the one of now */
};

/* What is sent to the client from now on waits for attach_run. */
void attach_hold_signals(sigset_t *ret_before);

/* Speaks with the monitor behind fd (which is taken) until the process has ended; what goes wrong is told on
 * stderr.  Returns the exit status: the process's own, 0 once a detached one has started, that of a FAILED
 * start, 125 when the connection is lost; 0 when it was detached by keys.
 *
 * Signals: without a raw terminal those that can be caught are sent on to the process, but for such as were
 * ignored when we came; one that is meant to end us does so where the instance does not answer within five seconds, is
 * paused, or nobody reads what it says, and a second one before the answer at once.  With one the keys are bytes, and a
 * signal that ends us restores the terminal first.
 */
int attach_run(int fd, const struct attach *a);

#endif
