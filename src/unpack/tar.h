/* tar.h - a tar stream (ustar, PAX, GNU; libarchive) as the entries of a layer */
#ifndef UNPACK_TAR_H
#define UNPACK_TAR_H

#include "unpack/source.h"
#include "unpack/tree.h"

/* Reads `tar` to its end and puts every entry in `tree`; a tree of NULL takes nothing: all checks that need no file
 * system are made all the same.  The first fault ends it: the tree is then of no use.
 * *ret_complete: is the mark of the end there?  A tar cut between two entries can be told by nothing else. */
int tar_unpack(struct source *tar, struct tree *tree, bool *ret_complete, struct err *e);

#endif
