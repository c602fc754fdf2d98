/* members.h - the files of an archive by name: a directory, a tar file, or a stream that is written down first */
#ifndef UNPACK_MEMBERS_H
#define UNPACK_MEMBERS_H

#include <stdbool.h>

#include "base/buf.h"
#include "unpack/source.h"

struct members;

/* fd is borrowed as long as *ret lives.  A compressed archive or a pipe is kept, expanded, in a nameless file in
 * scratch_fd. */
int members_open(int fd, int scratch_fd, struct members **ret, struct err *e);
struct members *members_close(struct members *m);

/* A file: borrowed descriptor, where it begins, its length.  Links are followed inside the archive. */
struct member {
	int fd;
	off_t offset;
	int64_t size;
	bool owned; /* fd is closed by member_done */
};
/* -ENOENT (without a message): no such file. */
int members_find(struct members *m, const char *name, struct member *ret, struct err *e);
void member_done(struct member *mb);
/* A small file whole; at most max bytes. */
int members_read(struct members *m, const char *name, size_t max, struct buf *ret, struct err *e);

#endif
