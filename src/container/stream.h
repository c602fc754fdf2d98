/* stream.h - one process of an instance: its three streams, its credit and its end
 *
 * A stream reads from its process only what it has credit for, gives credit back for what the process really
 * took, and reports the end after all output.
 *
 * States: NEW -stream_start-> STARTING -(exec)-> RUNNING (STARTED) -(death, then the end of its output)-> gone
 * (EXIT); STARTING -(report of a failure, death)-> gone (FAILED).  One that is restored: STARTING -(CRIU has ended)-> RUNNING,
 * or gone.
 */
#ifndef CONTAINER_STREAM_H
#define CONTAINER_STREAM_H

#include <stdint.h>

#include "base/loop.h"
#include "container/container_int.h"
#include "wire/msg.h"

struct stream;

struct stream_ops {
	/* From the loop only. */
	void (*message)(void *arg, const struct msg *m);
	/* From the loop, once, last: the owner frees s.  status: as in EXIT, or -1 after FAILED. */
	void (*gone)(void *arg, struct stream *s, int status);
	/* From inside a call: to be given out by the loop.  text: for MSG_ERROR; else two numbers. */
	void (*later)(void *arg, enum msg_type t, uint32_t id, uint32_t v, uint32_t w, const char *text);
	void *arg;
};

/* Stream 0 is the first process, which makes the container; others join it.  NULL with errno. */
struct stream *stream_new(uint32_t id, struct container *c, struct loop *l, const struct stream_ops *ops);
/* A process that still runs is the caller's to kill and reap. */
struct stream *stream_free(struct stream *s);
uint32_t stream_id(const struct stream *s);
/* Starts p.  On failure e is filled and nothing was sent. */
int stream_start(struct stream *s, const struct process *p, struct err *e);
/* In place of stream_start for stream 0: it is made of images (restore.h). */
int stream_restore(struct stream *s, const struct process *p, struct err *e);
/* Starts a copy of files; the container must be running.  As stream_start. */
int stream_start_copy(struct stream *s, const struct file_copy *cp, struct err *e);
/* STDIN, STDIN_EOF, RESIZE, SIGNAL, CREDIT of this stream. */
void stream_send(struct stream *s, const struct msg *m);
/* Nothing more is read of it; and again, for a receiver that knows of no bytes under way. */
void stream_detach(struct stream *s);
void stream_attach(struct stream *s);
/* Nothing is said of it any more, its output is thrown away. */
void stream_mute(struct stream *s);
bool stream_is_mute(const struct stream *s);
/* SIGKILL.  0 or -errno. */
int stream_kill(struct stream *s);
int stream_pid(const struct stream *s); /* 0 before it was started */
int stream_pidfd(const struct stream *s); /* borrowed; -1 before it was started */
bool stream_is_running(const struct stream *s); /* exec has been done, the end has not been seen */

#endif
