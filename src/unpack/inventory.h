/* inventory.h - which packages a layer holds: read out of its tree when it is complete */
#ifndef UNPACK_INVENTORY_H
#define UNPACK_INVENTORY_H

#include "unpack/tree.h"

/* Writes packages/HEX of the stage in the form of packages/package.h.  A file that cannot be read as what it should be is no
 * failure: the inventory says so. */
int inventory_write(struct tree *tree, int stage_fd, const char *hex, struct err *e);

#endif
