/* skeleton.h - what of a layer's tar archive is not the content of its files, kept so that the same bytes can be made again
 *
 * Header blocks, pax and GNU records, filling, end: all that the tree does not keep, as it came.  With it and the layer's
 * files the archive is put together again byte for byte, and so a saved or pushed image keeps its id (the idea is that of
 * tar-split, with which Docker and Podman do it).  Duplicates of a name are no trouble where the layer is one EROFS file:
 * contents are named by their place in it, and what was replaced lies there still.
 *
 * The form, a zstd stream: SKELETON_MAGIC, then steps.  A step begins with a number (LEB128), length << 2 | kind:
 *	RAW	that many bytes follow, which are the archive's
 *	CONTENT	so many bytes of the file come here, from where it was read last
 *	HOLE	so many bytes of the file are not in the archive
 *	FILE	another file, from its beginning.  Length 0, of an EROFS layer, three numbers: its size, its first block, and
 *		where its tail lies in the metadata area, both less those of the file before.  Else its path follows.
 */
#ifndef UNPACK_SKELETON_H
#define UNPACK_SKELETON_H

#include "unpack/source.h"
#include "unpack/tree.h"

#define SKELETON_MAGIC "ketch-skeleton-1"

enum skeleton_step { SKELETON_RAW, SKELETON_CONTENT, SKELETON_HOLE, SKELETON_FILE };

/* --- made as the archive goes by.  Positions are of the archive. */

struct skeleton;

int skeleton_open(int fd, struct skeleton **ret, struct err *e); /* fd: borrowed, empty */
struct skeleton *skeleton_close(struct skeleton *s);
/* The reader of the archive wants the next piece (skeleton_piece), and has done with what lies before `used`. */
int skeleton_before(struct skeleton *s, uint64_t used, struct err *e);
void skeleton_piece(struct skeleton *s, const void *data,
		    size_t n); /* borrowed until the next skeleton_before */
int skeleton_file(struct skeleton *s, const struct content_place *p, struct err *e);
/* n bytes from `at` on are of the file, from its `offset` on. */
int skeleton_content(struct skeleton *s, uint64_t at, size_t n, uint64_t offset, struct err *e);
/* All has gone by; *ret_bytes: how much. */
int skeleton_end(struct skeleton *s, uint64_t *ret_bytes, struct err *e);

/* --- read: the archive again */

/* below: the steps, decoded, taken even on failure; layer_fd: the EROFS file or the directory, borrowed.  NULL: no memory.
 * Nothing in the steps is taken on trust: who reads compares the digest of what comes. */
struct source *source_skeleton(struct source *below, int layer_fd);

#endif
