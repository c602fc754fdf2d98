/* tar.h - a tar stream (ustar, PAX, GNU; libarchive) as the entries of a layer */
#ifndef UNPACK_TAR_H
#define UNPACK_TAR_H

#include "unpack/skeleton.h"

struct tar_into {
	struct tree *tree;
	struct skeleton *skeleton; /* what the tree does not keep; NULL: nobody wants it */
};

/* Reads `tar` to its end and puts every entry in a tree; a tree of NULL takes nothing: all checks that need no file
 * system are made all the same.  The first fault ends it: the tree is then of no use.
 * *ret_complete: is the mark of the end there?  A tar cut between two entries can be told by nothing else. */
int tar_unpack(struct source *tar, const struct tar_into *into, bool *ret_complete, struct err *e);

#endif
