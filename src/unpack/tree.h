/* tree.h - one layer's tree as it is made: entries by path
 *
 * In one of two forms: below a directory that nothing can leave (tree_dir.c), or as one EROFS file (tree_erofs.c).  Links
 * inside the layer are followed, inside the layer.  Deletions are kept as overlayfs wants them (kernel,
 * Documentation/filesystems/overlayfs.rst): a character device 0:0 hides a name, trusted.overlay.opaque=y on
 * a directory hides what is below it.
 */
#ifndef UNPACK_TREE_H
#define UNPACK_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sha256.h"
#include "files/entry.h"

struct tree;

/* rootfd: an empty directory; it is borrowed.  scratch_fd: a directory for a nameless temporary file. */
int tree_open_dir(int rootfd, int scratch_fd, struct tree **ret, struct err *e);
/* fd: an empty file; it is borrowed. */
int tree_open_erofs(int fd, int scratch_fd, struct tree **ret, struct err *e);
struct tree *tree_close(struct tree *t);

/* Is this xattr one that an image may bring?  Not those that steer overlayfs or belong to the host. */
bool tree_keeps_xattr(const char *name);

/* Makes the entry, in the place of what was there (a directory stays a directory).  After a regular file its content
 * follows by tree_write, in order (what is left out is a hole), and then tree_end_file with the same entry. */
int tree_put(struct tree *t, const struct entry *en, struct err *e);
int tree_write(struct tree *t, const void *data, size_t n, uint64_t offset, struct err *e);
int tree_end_file(struct tree *t, const struct entry *en, struct err *e);
/* Where the content of a regular file lies that was put just now (and will lie, for who reads the finished layer). */
struct content_place {
	const char *
		path; /* below the directory of the layer, borrowed from the entry; NULL: it is an EROFS file, and then */
	uint64_t size, block,
		tail; /* what fills blocks from this block on, the rest there in the metadata area */
};
void tree_place(const struct tree *t, const struct entry *en, struct content_place *ret);
/* Was something removed that such a place led to?  Of an EROFS file never. */
bool tree_has_lost(const struct tree *t);
/* Hides `path` of the layers below. */
int tree_whiteout(struct tree *t, const char *path, struct err *e);
/* Hides all of directory `path`, which may not be the root, of the layers below. */
int tree_opaque(struct tree *t, const char *path, struct err *e);
/* The last step: what can be known and set only now. */
int tree_finish(struct tree *t, struct err *e);
/* The paths of files that may tell about packages (packages/parsers.h), as they came: each ends with a NUL; some may come
 * twice, or have been replaced since.  *ret_all: there were no more than are kept. */
const struct buf *tree_package_files(const struct tree *t, bool *ret_all);
/* Of a finished tree: copies the regular file `path` to the end of to_fd.  Silently, -ENOENT: there is no such file, -ELOOP: a
 * link is on the way to it, -EFBIG: it has more than max bytes; or another error, said. */
int tree_copy_file(struct tree *t, const char *path, uint64_t max, int to_fd, uint64_t *ret_bytes,
		   struct err *e);
/* Bytes of the regular files so far. */
uint64_t tree_bytes(const struct tree *t);
/* The fs-verity digest of the EROFS file, once it is finished; NULL: it is a directory. */
const uint8_t *tree_verity(const struct tree *t);

#endif
