/* block_int.h - between block.c (the device and its queue) and block_request.c (what one request asks for) */
#ifndef VIRTIO_BLOCK_INT_H
#define VIRTIO_BLOCK_INT_H

#include "virtio/block.h"

enum { BLOCK_QUEUE };

/* Section 5.2.3. */
#define BLOCK_F_SEG_MAX	     (UINT64_C(1) << 2)
#define BLOCK_F_RO	     (UINT64_C(1) << 5)
#define BLOCK_F_BLK_SIZE     (UINT64_C(1) << 6)
#define BLOCK_F_FLUSH	     (UINT64_C(1) << 9)
#define BLOCK_F_DISCARD	     (UINT64_C(1) << 13)
#define BLOCK_F_WRITE_ZEROES (UINT64_C(1) << 14)

/* Section 5.2.6: what a request begins with. */
struct block_header {
	uint32_t type, reserved;
	uint64_t sector;
};

/* False: the chain has no header, or no place for a status. */
bool block_request_read(const struct vq_chain *c, struct block_header *ret);
/* Bytes that it moves, for a limit. */
uint64_t block_request_bytes(const struct block_header *h, const struct vq_chain *c);
/* Takes an idle request for it, of which there is one: checked, it becomes an operation, or ends at once. */
void block_request_begin(struct block *b, const struct block_header *h, const struct vq_chain *c);
/* An operation has ended; `done` of struct block_io. */
void block_request_result(void *block, uint16_t tag, int32_t result);

#endif
