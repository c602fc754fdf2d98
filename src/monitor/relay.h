/* relay.h - between the clients of an instance and its back end: who hears what, and in whose numbers
 *
 * Each client numbers its own streams; the back end knows one number per process.  Stream 0 is the main
 * process: what it says goes to the log and to every client that attached to it; the first that attaches to
 * its stdin owns that.  An exec belongs to the client that started it.  A process outlives its client: what
 * it says then is thrown away; a copy of files is ended.
 *
 * stdin of stream 0 has one owner at a time (input.h).
 *
 * A question (STATS, TOP, UPDATE) is answered to who asked it (questions.h).
 *
 * Flow: bytes count as consumed, and CREDIT goes back, once they are logged and no client that hears them has
 * more than CONN_HIGH queued.
 */
#ifndef MONITOR_RELAY_H
#define MONITOR_RELAY_H

#include "base/loop.h"
#include "monitor/log.h"
#include "wire/msg.h"

struct relay;

struct relay_ops {
	void (*to_backend)(void *arg, const struct msg *m);
	void (*stop)(void *arg, int signo, unsigned timeout_s);
	/* 0: relay_paused follows; or -errno: why not. */
	int (*pause)(void *arg, bool pause);
	/* Is it? */
	bool (*is_paused)(void *arg);
	/* PORT: fd is the callee's; negative: none came.  0 or -errno. */
	int (*port)(void *arg, enum port_step step, const char *name, int fd);
	/* START of a further process (not of a copy), and later its EXIT or FAILED; may be NULL. */
	void (*exec)(void *arg, uint32_t id, const struct msg *m);
	/* Of a process of the monitor's own (relay_begin): a message. */
	void (*own)(void *arg, uint32_t id, const struct msg *m);
	/* The first client (the command that starts the instance) has attached, or has gone before it did. */
	void (*first_client_settled)(void *arg, bool attached);
	void *arg;
	bool keep_stdin; /* of the main process, when who is attached to it goes: a terminal waits for the next */
};

/* ops and log are borrowed for its life; log may be NULL.  NULL with errno. */
struct relay *relay_new(struct loop *loop, const struct relay_ops *ops, struct log *log);
struct relay *relay_free(struct relay *r);
/* Takes fd.  first: see relay_ops.  0 or -errno. */
int relay_add_client(struct relay *r, int fd, bool first);
/* Starts a process of the monitor's own: JSON of struct process.  Returns its number, or 0: out of memory. */
uint32_t relay_begin(struct relay *r, const struct buf *json);
void relay_kill(struct relay *r, uint32_t id);
/* A message of the back end, except EXIT and FAILED of stream 0. */
void relay_from_backend(struct relay *r, const struct msg *m);
/* What became of `pause`: no 0: done. */
void relay_paused(struct relay *r, int no, const char *text);
/* The last words: EXIT or FAILED of stream 0 to whoever attached, an end to every exec; waits until they are
 * written, at most timeout_ms a client. */
void relay_finish(struct relay *r, const struct msg *last, int timeout_ms);
/* Is the command that started the instance still there and attached? */
bool relay_has_first_client(const struct relay *r);

#endif
