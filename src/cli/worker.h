/* worker.h - this host's end of a copy: a child that reads or writes files while its parent speaks with the monitor
 *
 * The archive that comes out of an instance is hostile.  Who reads it has only three descriptors and, of root's
 * capabilities, those that files ask for; where it writes, see files/restore.h.
 */
#ifndef CLI_WORKER_H
#define CLI_WORKER_H

#include <stdbool.h>

#include "files/receive.h"
#include "files/send.h"

struct work {
	const struct place *from; /* sends this, or, where it is NULL, */
	const struct destination *to; /* receives here */
	const char *name; /* of the first entry */
	bool archive; /* receives its entries as they are */
	int flags; /* RESTORE_* */
};

struct worker {
	int pid;
	int archive_fd; /* to read what it sends, or to write what it receives */
	int report_fd;
};

/* 0, or -errno; *ret by worker_end. */
int worker_start(const struct work *w, struct worker *ret, struct err *e);
/* Closes the archive and waits for the end.  0, or -errno; e->msg is empty when a signal ended it. */
int worker_end(struct worker *w, struct err *e);

#endif
