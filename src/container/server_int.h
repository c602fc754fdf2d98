/* server_int.h - one instance as the files of the process server see it */
#ifndef CONTAINER_SERVER_INT_H
#define CONTAINER_SERVER_INT_H

#include "container/container_int.h"
#include "container/stream.h"

struct running {
	struct container c;
	struct loop *loop;
	struct backend_events ev;
	struct stream_ops ops;
	struct stream **streams;
	size_t n_streams;
	struct watch wake; /* an eventfd: something is in `queue`, or is_ready or over changed */
	struct buf queue; /* frames for the loop to give out */
	bool tell_ready;
	bool paused; /* by the user: nothing but the user has it go on */
	bool started; /* START of stream 0 was seen */
	bool ending; /* stream 0 is gone, or kill */
	bool told_ended;
	bool detached; /* nobody listens */
	uint32_t still; /* the copy for which all stand still; 0: none */
};

/* server.c */
/* A frame for the loop to give out: with a number and a text, or, text NULL, two numbers.  arg: the running. */
void server_later(void *arg, enum msg_type t, uint32_t id, uint32_t v, uint32_t w, const char *text);
/* Not one that nobody hears any more: it ends by itself, and its number may be another's by then. */
struct stream *server_find_stream(const struct running *r, uint32_t id);
/* After a copy for which all stood still. */
void server_go_on(struct running *r);

/* server_start.c: what fails is told to whoever asked */
void server_start_process(struct running *r, const struct msg *m);
void server_start_copy(struct running *r, const struct msg *m);

#endif
