/* image.h - the files to boot from: checked reads, and their bytes straight into guest RAM */
#ifndef VMM_IMAGE_H
#define VMM_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "virtio/ram.h"

struct image {
	const char *what; /* "kernel": in messages; borrowed */
	int fd; /* borrowed */
	uint64_t bytes;
};

/* A regular file that is not empty, else -EINVAL. */
int image_init(struct image *i, const char *what, int fd, struct err *e);
/* The n bytes at offset; -EINVAL when the file has not so many. */
int image_read(const struct image *i, uint64_t offset, void *to, uint64_t n, struct err *e);
/* The same into guest RAM that is new, thus zero: holes of the file are left out.  n may be 0; -ENOSPC: not
 * all of it is RAM.  Moves the file positions of both. */
int image_load(const struct image *i, uint64_t offset, const struct ram *ram, uint64_t gpa, uint64_t n,
	       struct err *e);

#endif
