/* call.h - a run of CRIU that is asked for by RPC: only so it hands over the master of a terminal that it has restored; within
 * this room only
 */
#ifndef CRIU_CALL_H
#define CRIU_CALL_H

#include "base/buf.h"
#include "criu/criu.h"

/* Start from CALL_NONE. */
struct call {
	struct buf request;
	int ours, theirs; /* the ends of the socket */
	int work; /* the directory of the log */
	char socket[16]; /* the number of its end there */
	char *argv[4]; /* with which it is run */
};
#define CALL_NONE                                                                                            \
	{                                                                                                    \
		.ours = -1, .theirs = -1, .work = -1                                                         \
	}

/* Before criu is run. */
int call_open(struct call *call, struct criu *c, struct err *e);
/* While it runs: the request, and all that it says to it.  Fills c->restored and c->master.  Returns 0; 1 when CRIU has
 * failed, whose log says why; or -errno. */
int call_make(struct call *call, struct criu *c, struct err *e);
void call_done(struct call *call);

#endif
