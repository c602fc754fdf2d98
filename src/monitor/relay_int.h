/* relay_int.h - what the files of the relay share: its clients, its streams */
#ifndef MONITOR_RELAY_INT_H
#define MONITOR_RELAY_INT_H

#include "monitor/input.h"
#include "monitor/questions.h"
#include "monitor/relay.h"
#include "wire/conn.h"

struct client {
	struct client *next;
	struct relay *relay;
	struct conn *conn;
	bool greeted; /* has sent HELLO */
	bool first;
	bool attached; /* to stream 0 */
	bool awaits_pause;
	bool saves; /* a machine stands still for it */
	uint32_t attach; /* enum attach_flags */
};

/* An exec, or a copy of files: a process besides the main one. */
struct stream {
	struct stream *next;
	uint32_t id; /* for the back end */
	struct client *client; /* NULL: gone */
	uint32_t client_id;
	uint32_t owed[3]; /* CREDIT held back, per descriptor */
	bool copies; /* files: of no use without its client */
	bool own; /* the monitor's */
};

struct relay {
	struct loop *loop;
	const struct relay_ops *ops;
	struct log *log;
	struct client *clients;
	unsigned n_clients;
	struct stream main; /* id 0 */
	struct stream *execs;
	struct client *stdin_owner; /* of stream 0 */
	struct input input;
	struct questions questions;
	uint32_t last_id;
	bool first_settled;
};

/* --- streams (relay_streams.c) */

/* By the back end's number; NULL: there is none. */
struct stream *relay_find_stream(struct relay *r, uint32_t id);
/* A further stream with a number of its own, else as `like`; NULL: out of memory. */
struct stream *relay_add_stream(struct relay *r, const struct stream *like);
void relay_remove_stream(struct relay *r, struct stream *s);
/* A message of this type, with the payload of `like` (NULL: none), to the back end. */
void relay_send_down(struct relay *r, enum msg_type type, uint32_t id, const struct msg *like);
/* Gives back the credit for output that is due, unless somebody who hears the stream lags behind. */
void relay_settle_credit(struct relay *r, struct stream *s);
void relay_settle_all_credit(struct relay *r);
/* STDIN and STDIN_EOF of stream 0, of its owner. */
void relay_send_input(struct relay *r, const struct msg *m);
/* What the new owner said while input of the last one was under way. */
void relay_release_input(struct relay *r);
void relay_leave_stdin(struct relay *r);
/* START and end of an exec, for who wants to know (relay_ops). */
void relay_tell_exec(const struct relay *r, const struct stream *s, const struct msg *m);

#endif
