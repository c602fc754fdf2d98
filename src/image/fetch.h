/* fetch.h - runs ketch-registry: the child that speaks with registries (private to this room) */
#ifndef IMAGE_FETCH_H
#define IMAGE_FETCH_H

#include "base/err.h"
#include "registry/request.h"

#define FETCH_UID                                                                                            \
	2147418112 /* of the child; far from users, containers' ranges and those of virtual machines */

struct fetch_run {
	struct registry_request *request; /* its uid is set here */
	int blobs_fd; /* the directory for blobs, or -1 */
	/* Gets each message but the last; what it keeps of it, it empties. */
	int (*hear)(void *arg, struct registry_message *m, struct err *e);
	void *arg;
};

/* Returns when the child has ended; what it says at its end is the error. */
int fetch_run(const struct fetch_run *run, struct err *e);

/* The same in steps, for who has more to do meanwhile.  run->request is needed for the start only. */
struct fetch;
int fetch_start(const struct fetch_run *run, struct fetch **ret, struct err *e);
/* When it can be read there is a step to do; -1: it has ended. */
int fetch_fd(const struct fetch *f);
/* Hears what there is, or waits for it.  1: there may be more, 0: it has ended, well. */
int fetch_step(struct fetch *f, struct err *e);
struct fetch *fetch_free(struct fetch *f); /* ends it where it is; NULL is fine */

#endif
