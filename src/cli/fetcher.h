/* fetcher.h - a child that fetches from an instance what it has written, as a layer, into a pipe
 *
 * At its other end somebody reads it for whom it is foreign bytes.
 */
#ifndef CLI_FETCHER_H
#define CLI_FETCHER_H

#include <stdbool.h>

#include "base/err.h"

struct fetcher {
	int pid;
	int layer_fd; /* to read; fetcher_end closes it */
	int report_fd; /* why it failed */
};

/* Takes fd, a connection for files.  name: in front of what the instance complains of; still: its processes stand still
 * meanwhile.  *ret by fetcher_end. */
int fetcher_start(int fd, const char *name, bool still, struct fetcher *ret, struct err *e);
/* Its failure explains that of who read.  0; STATUS_FAILED when it has told the reason itself; or -errno. */
int fetcher_end(struct fetcher *f, struct err *e);

#endif
