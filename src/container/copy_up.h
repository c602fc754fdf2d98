/* copy_up.h - what covers a directory of the image begins with what the image has there */
#ifndef CONTAINER_COPY_UP_H
#define CONTAINER_COPY_UP_H

#include "base/err.h"

/* Fills the directory `to` with what the directory `from` holds: owners, modes, times, links, xattrs.  Does nothing
 * when `to` is not empty. */
int copy_up(int from, int to, struct err *e);
/* The same with the marks of an overlay, "trusted." xattrs: a writable layer that is nobody's root now. */
int copy_layer(int from, int to, struct err *e);

#endif
