/* send.h - a file, or a directory with all that is below it, becomes a tar stream */
#ifndef FILES_SEND_H
#define FILES_SEND_H

#include "files/place.h"

/* Is there something that can be sent?  0, or -errno without a message. */
int files_check(const struct place *from);
/* Writes it to out_fd as the form of canon.h, in the order in which directories give their names;
 * its first entry is called `as`, "" for the content of a directory alone.  Links are kept as they are, further names
 * of one file are hard links, sockets are left out.  What is removed meanwhile is left out, too. */
int files_send(const struct place *from, const char *as, int out_fd, struct err *e);
/* The same of an instance's root: of what the kernel makes up in it (/dev, /proc, /sys) the directories alone. */
int files_send_root(const struct place *root, const char *as, int out_fd, struct err *e);
/* The same of all that is below a directory, without the directory itself. */
int files_send_below(int dir_fd, int out_fd, struct err *e);

/* The tree of a layer as the store keeps it, with the deletions of overlayfs, becomes the archive of a layer: always
 * the same bytes, those of canon.h, deletions as the image-spec has them (layer.md).  out_fd -1: nothing is written,
 * only *ret filled. */
struct layer_sum {
	unsigned char sha256[32];
	uint64_t bytes;
};
int files_send_layer(int dir_fd, int out_fd, struct layer_sum *ret, struct err *e);

#endif
