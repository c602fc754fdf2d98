/* erofs_out.h - the file that an EROFS is written into, from its second block on and never back, with its digest */
#ifndef UNPACK_EROFS_OUT_H
#define UNPACK_EROFS_OUT_H

#include <stdint.h>

#include "base/err.h"
#include "base/sha256.h"

struct erofs_out;

int erofs_out_open(int fd, struct erofs_out **ret, struct err *e); /* fd: borrowed, empty */
struct erofs_out *erofs_out_close(struct erofs_out *o);
/* Where the next byte goes. */
uint64_t erofs_out_at(const struct erofs_out *o);
/* NULL: that many zeros, which take no room on the disk if they are many. */
int erofs_out_add(struct erofs_out *o, const void *data, uint64_t n, struct err *e);
/* Zeros to the next block. */
int erofs_out_align(struct erofs_out *o, struct err *e);
/* The first block, last of all, and the fs-verity digest of the file. */
int erofs_out_end(struct erofs_out *o, const void *first, uint8_t ret_verity[SHA256_BYTES], struct err *e);

#endif
