/* output.h - where an archive goes: to stdout, or to a file that appears when it is whole */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stddef.h>

#include "base/err.h"

struct output {
	const char *path; /* NULL: stdout */
	char *part; /* owned; NULL: `path` itself is written, for it is no regular file */
	int fd; /* -1 at the beginning */
	int failed; /* -errno of the first write that failed */
};

/* A terminal is refused. */
int output_open(struct output *o, struct err *e);
/* Writes a piece; after a failure -EPIPE, and output_keep says why. */
int output_take(void *arg, const void *data, size_t n);
/* All is written: the file gets its name.  STATUS_FAILED when the reader has gone. */
int output_keep(const struct output *o, struct err *e);
void output_done(struct output *o);

#endif
