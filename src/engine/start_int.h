/* start_int.h - a start, between the two files that do it */
#ifndef ENGINE_START_INT_H
#define ENGINE_START_INT_H

#include "engine/engine_int.h"
#include "instance/boot.h"

struct starter {
	struct engine *en;
	const struct instance_spec *spec; /* under the lock: `now`, if there is a record */
	struct instance_spec now;
	struct boot boot; /* its fds are ours to close */
	struct net_wiring *net; /* of net_start */
	int dir_fd; /* ROOT/instances/ID, also in boot */
	const struct instance_state *was; /* its monitor starts it again, and it was so; NULL */
	const struct snapshot *saved; /* goes on with its memory; NULL: boots */
	const struct writable *scratch; /* it has no record, and writes here (scratch.h); NULL */
};

/* start_give.c: hands fd (taken) to the monitor under this name. */
int start_give(struct starter *s, const char *name, int fd, struct err *e);
/* The directory of the instance, that of its run, the journal of events. */
int start_give_dirs(struct starter *s, struct err *e);
/* Fills in the boot document and opens all that it names. */
int start_give_all(struct starter *s, struct err *e);
/* The connection of whoever starts it; ours is the other end. */
int start_give_client(struct starter *s, int *ret_ours, struct err *e);
/* The program of the monitor, to be executed by descriptor. */
int start_give_program(struct starter *s, struct err *e);

#endif
