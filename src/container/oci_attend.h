/* oci_attend.h - what the maker of a process of ketch-oci does for it on its way, until the process needs nobody any more */
#ifndef CONTAINER_OCI_ATTEND_H
#define CONTAINER_OCI_ATTEND_H

#include "container/container_int.h"
#include "container/oci.h"

/* Start from ATTENDANCE. */
struct attendance {
	const struct oci_start *start;
	const struct oci_create *create; /* NULL: exec */
	struct buf state; /* JSON, as create->made has it */
	pid_t pid;
	int pidfd; /* of the child; the caller may take it */
	int report, go; /* our ends; go -1: the child does not wait */
	bool hold_signals; /* before a child of exec may begin its program */
	int go_child; /* its end: as long as we have it, too, a word to a child that has failed is no broken pipe */
};

#define ATTENDANCE(start_, create_)                                                                          \
	{                                                                                                    \
		.start = (start_), .create = (create_), .pidfd = -1, .report = -1, .go = -1, .go_child = -1  \
	}

/* What the child said last. */
enum heard { HEARD_END, HEARD_READY, HEARD_LISTENER, HEARD_HOOKS, HEARD_CLOSED };

/* Clones the child of l, which gets its ends of the pipes; must_wait: for its IDs, or for hooks. */
int attend_launch(struct attendance *a, struct container *c, struct launch *l, bool must_wait, struct err *e);
/* Records it and maps its IDs, as far as it is a container's first process. */
int attend_made(struct attendance *a, struct container *c, struct err *e);
/* Returns HEARD_END when its program runs, HEARD_READY when it waits for `start`; else -errno, and *ret_status is the
 * exit status for it. */
int attend_until_ready(struct attendance *a, int *ret_status, struct err *e);
void attendance_done(struct attendance *a);

#endif
