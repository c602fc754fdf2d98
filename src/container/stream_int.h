/* stream_int.h - one stream as its two halves see it: stream.c (life) and stream_io.c (bytes) */
#ifndef CONTAINER_STREAM_INT_H
#define CONTAINER_STREAM_INT_H

#include "container/restore.h"
#include "container/stream.h"

/* One direction of output. */
struct output {
	struct stream *s;
	struct watch w; /* fd -1: at its end */
	enum msg_type type;
	uint32_t credit;
	size_t left; /* once the process is dead: what of its own it can have left in the pipe */
};

struct stream {
	uint32_t id;
	struct container *c;
	struct loop *loop;
	const struct stream_ops *ops;
	bool tty;
	bool copies; /* a process of ours, which a kill ends at any moment */
	int pid;
	int master; /* of the terminal, for resizing; -1 */
	int slave; /* kept open while an init system lives, which closes its console and opens it again: else it would hang
		    * up; -1 */
	struct watch exit; /* the pidfd */
	struct watch report; /* the pipe that exec closes */
	struct watch idle; /* timer after death */
	struct watch criu; /* the pidfd of what restores it, which `restoring` owns; fd -1: nothing does */
	struct restoring restoring;
	struct watch in; /* stdin; watched only while there is something to write */
	struct buf in_queue, report_text;
	bool in_eof;
	size_t in_old; /* bytes at the front of in_queue that nobody waits to have credited */
	size_t in_owed; /* bytes that were taken and not yet credited */
	bool detached, muted;
	struct output out[2];
	uint64_t oom_before;
	bool running, dead;
	uint64_t early_signals; /* those that came before it had begun, by bits: given to it then */
	int status;
	char data[MSG_MAX_DATA]; /* what is read, on its way out */
};

/* Watches own their descriptors here.  A paused one is out of the loop altogether: a hang-up would be reported
 * even without events. */
void watch_close(struct stream *s, struct watch *w);
void watch_pause(struct stream *s, struct watch *w, bool pause);

/* It has a process, and says so. */
void stream_has_begun(struct stream *s);
void stream_close_all(struct stream *s);

/* stream_restore.c */
void stream_restore_init(struct stream *s);
/* Gives out the one message that `b` holds as a frame, and empties b. */
void stream_give(struct stream *s, enum msg_type t, struct buf *b);
void stream_later(struct stream *s, enum msg_type t, uint32_t v, uint32_t w, const char *text);
/* FAILED or EXIT, once the process is reaped and all that it said is told.  May free s. */
void stream_finish_if_done(struct stream *s);

/* stream_io.c */
void stream_io_init(struct stream *s); /* sets the watches of both directions, without descriptors */
void stream_io_begin(struct stream *s); /* the process runs */
void stream_io_after_death(struct stream *s); /* reads what it has left, as far as there is credit */
void stream_queue_input(struct stream *s, const struct msg *m);
void stream_queue_eof(struct stream *s);
void stream_close_input(struct stream *s);
void stream_add_credit(struct stream *s, const struct msg *m);
bool stream_has_output(const struct stream *s);

/* stream_ends.c */
/* Is it process 1 of --system? */
bool stream_is_system(const struct stream *s);
/* A pipe whose end `ours` (0: we read) becomes *ret_ours, non-blocking; the other one is the child's. */
int stream_open_pipe(const struct container *c, int ours, int *ret_ours, int *ret_child);
/* The child's ends are in l->stdio, for stream_close_child_ends. */
int stream_open_pipes(struct stream *s, bool with_stdin, struct launch *l);
int stream_open_terminal(struct stream *s, const struct process *p, struct launch *l);
void stream_close_child_ends(struct launch *l);

#endif
