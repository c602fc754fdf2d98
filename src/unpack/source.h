/* source.h - streams of bytes that are pulled, piece by piece, through a chain
 *
 * file -> hash of the blob -> decoder -> thread -> hash of the tar -> reader of the tar.  Each link owns the one
 * below it.  Nobody holds more than a few pieces, whatever the length of the stream.
 */
#ifndef UNPACK_SOURCE_H
#define UNPACK_SOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "unpack/hash.h"

#define PIECE_BYTES (1 << 20) /* the most that one read gives */

struct source;

struct source_ops {
	/* As source_read. */
	ssize_t (*read)(struct source *s, const void **ret, struct err *e);
	/* Frees what the link itself holds, with its memory. */
	void (*free)(struct source *s);
};

/* Every link begins with this. */
struct source {
	const struct source_ops *ops;
	struct source *below; /* owned; NULL at the lower end */
};

/* Gives the next piece: its length, with *ret valid until the next call; 0 at the end; or -errno. */
ssize_t source_read(struct source *s, const void **ret, struct err *e);
struct source *source_free(struct source *s);
/* Reads to the end. */
int source_drain(struct source *s, struct err *e);

/* The lower ends.  fd is borrowed; size -1: to the end of file, read(2) from where it stands; else pread(2) from
 * offset, and an earlier end is an error. */
struct source *source_file(int fd, off_t offset, int64_t size);
/* The first `size` bytes of a blob that may be on the way yet, in the layout `layout_fd` (unpack/arrive.h). */
struct source *source_arriving(int fd, int64_t size, int layout_fd);
struct source *source_memory(const void *data, size_t n); /* borrowed */

/* Links; they take `below` even on failure (NULL: no memory), and accept NULL. */
struct source *source_hash(struct source *below, struct hash *h); /* h is borrowed */
struct source *source_thread(struct source *below); /* reads ahead in a thread of its own */
/* gzip, zstd, xz, bzip2 or none, by the first bytes, with the limits of limits.h. */
struct source *source_decode(struct source *below);
struct source *source_gzip(struct source *below); /* compresses */

#endif
