/* tree.h - one layer's tree as it is made: entries by path, below one directory that nothing can leave
 *
 * Parents are opened with RESOLVE_IN_ROOT (a link inside the layer is followed, inside the layer), the last
 * component is made with *at calls that never follow.  Deletions are kept as overlayfs wants them (kernel,
 * Documentation/filesystems/overlayfs.rst): a character device 0:0 hides a name, trusted.overlay.opaque=y on
 * a directory hides what is below it.
 */
#ifndef UNPACK_TREE_H
#define UNPACK_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "files/entry.h"

struct tree;

/* rootfd: an empty directory; it is borrowed.  scratch_fd: a directory for a nameless temporary file. */
int tree_open(int rootfd, int scratch_fd, struct tree **ret, struct err *e);
struct tree *tree_close(struct tree *t);

/* Is this xattr one that an image may bring?  Not those that steer overlayfs or belong to the host. */
bool tree_keeps_xattr(const char *name);

/* Makes the entry, in the place of what was there (a directory stays a directory).  For a regular file *ret_fd is
 * its descriptor: the caller writes the content and calls tree_finish_file.  Else -1. */
int tree_put(struct tree *t, const struct entry *en, int *ret_fd, struct err *e);
/* Takes fd: sets what has to be set after the content. */
int tree_finish_file(struct tree *t, const struct entry *en, int fd, struct err *e);
/* Hides `path` of the layers below. */
int tree_whiteout(struct tree *t, const char *path, struct err *e);
/* Hides all of directory `path`, which may not be the root, of the layers below. */
int tree_opaque(struct tree *t, const char *path, struct err *e);
/* The last step: times of directories. */
int tree_finish(struct tree *t, struct err *e);
/* Bytes of the regular files so far. */
uint64_t tree_bytes(const struct tree *t);

#endif
