/* copy.h - a directory becomes a layer: walked by descriptors, hashed as canon.h says */
#ifndef UNPACK_COPY_H
#define UNPACK_COPY_H

#include "oci/digest.h"
#include "unpack/tree.h"

/* Copies what is below from_fd into the tree: hard links, xattrs, devices, holes, times and owners stay.  Another file
 * system mounted below is an empty directory (from_fd is a mount of one alone); sockets are left out.  What changes
 * while it is copied is a clear error or one of its two states, never an escape.  *ret_diff_id: of the stream. */
int copy_directory(int from_fd, struct tree *tree, struct digest *ret_diff_id, struct err *e);

#endif
