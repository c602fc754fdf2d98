/* block_io_int.h - between block_io.c (gathering, the ring) and block_plain.c (an operation by plain calls) */
#ifndef VIRTIO_BLOCK_IO_INT_H
#define VIRTIO_BLOCK_IO_INT_H

#include "virtio/block_io.h"

/* Of fallocate(2), for BLOCK_PUNCH and BLOCK_ZERO. */
int block_punch_mode(enum block_op_kind k);
/* Does it now, all but BLOCK_WRITE_ZEROES: the result as struct block_io's `done` has it. */
int32_t block_plain_do(int fd, const struct block_op *op);
int32_t block_stack_do(struct stack *d, const struct block_op *op);

#endif
