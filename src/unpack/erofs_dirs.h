/* erofs_dirs.h - an EROFS as it is made, and its end: directories, metadata, superblock */
#ifndef UNPACK_EROFS_DIRS_H
#define UNPACK_EROFS_DIRS_H

#include "unpack/erofs_inode.h"
#include "unpack/erofs_meta.h"
#include "unpack/erofs_out.h"
#include "unpack/names.h"

struct erofs_image {
	struct names *names;
	struct erofs_meta *meta;
	struct erofs_out *out;
	uint32_t inodes; /* that were added */
};

int erofs_image_init(struct erofs_image *im, int fd, int scratch_fd, struct err *e);
void erofs_image_done(struct erofs_image *im);
/* Each directory has in its record the inode with attributes that it gets. */
int erofs_image_finish(struct erofs_image *im, uint8_t ret_verity[SHA256_BYTES], struct err *e);

#endif
