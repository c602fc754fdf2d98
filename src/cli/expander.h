/* expander.h - an archive that a user gives us may be compressed: ketch-image expands it, in its sandbox, on the way
 *
 * As in Docker the first bytes tell: gzip, bzip2, xz, zstd.  What is not compressed is not touched.
 */
#ifndef CLI_EXPANDER_H
#define CLI_EXPANDER_H

#include "cli/worker.h"
#include "engine/engine.h"

struct expander {
	int fd; /* the archive, expanded; borrowed */
	bool works; /* else fd is the one that was given */
	struct worker worker;
};

/* 0 or -errno; *ret by expander_end. */
int expander_start(struct engine *en, int fd, struct expander *ret, struct err *e);
/* Waits.  0, or -errno: why it could not be expanded; e->msg is empty where whoever reads it has had enough. */
int expander_end(struct expander *x, struct err *e);

#endif
