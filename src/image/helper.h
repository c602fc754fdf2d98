/* helper.h - a helper program of ours: started with nothing but its descriptors, heard line by line (private to this room)
 *
 * It dies with us.  What it says is foreign: it has read foreign bytes.
 */
#ifndef IMAGE_HELPER_H
#define IMAGE_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define HELPER_FDS_MAX 5
#define HELPER_FD_BASE 3

struct helper {
	const char *program; /* "ketch-image" */
	uint64_t namespaces; /* CLONE_NEW...: new ones */
	int fds[HELPER_FDS_MAX]; /* become 3, 4, ...; all others but stderr go */
	int n_fds;
	char *const *env;
};

/* A pidfd. */
int helper_start(const struct helper *c, struct err *e);

struct helper_reader {
	size_t line_max;
	int (*take)(void *arg, const char *line, size_t n, struct err *e);
	/* Called before each read; may be NULL.  An error ends the reading. */
	int (*wait)(void *arg, int fd, struct err *e);
	void *arg;
};

/* Reads once, into `text` what is no whole line yet.  1: there may be more, 0: the end. */
int helper_read_some(int fd, const struct helper_reader *rd, struct buf *text, struct err *e);
/* Reads lines until the end. */
int helper_read(int fd, const struct helper_reader *rd, struct err *e);
/* Waits for its end.  has_answered: an end without an answer is an error. */
int helper_end(int pidfd, const char *program, bool has_answered, struct err *e);

#endif
