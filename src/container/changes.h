/* changes.h - what a container has changed in the files of its image: as a list, or as a layer */
#ifndef CONTAINER_CHANGES_H
#define CONTAINER_CHANGES_H

#include <stdbool.h>

#include "base/err.h"

/* The three views of an overlay; directories, O_PATH suffices. */
struct views {
	int merged; /* what the container sees, without what is mounted in it */
	int upper; /* where its writes went */
	int lower; /* the image; -1: it has no layers */
};

/* Both are of the same walk: depth first, names of one directory in the order of their bytes.
 *
 * A directory is different by its mode and owner, anything else also by its size and time (as `docker diff` has it); one
 * that something is different below is different, too.  Of a directory that was replaced, what is no more is deleted.  The
 * empty places that Ketch made for mounts of its own are not the container's doing.
 *
 * Writes records of instance/change.h, with stamps or without. */
int changes_list(const struct views *v, bool stamps, int out_fd, struct err *e);
/* The same list, without stamps, for any two directories: what is not in `is` as it was in `was`. */
int changes_between(int was, int is, int out_fd, struct err *e);
/* Writes a tar stream: what is in the writable layer, and a whiteout (".wh.NAME") for all that is deleted. */
int changes_send(const struct views *v, int out_fd, struct err *e);

#endif
