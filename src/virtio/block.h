/* block.h - virtio block device (virtio 1.2, section 5.2): a raw image or a block device of the host
 *
 * The driver's requests become operations of block_io.h: all that wait are taken, handed to the kernel in one
 * call, and what is complete together is given back with one interrupt.  Reset and save wait for what is
 * under way.
 *
 * The cache is the host's: VIRTIO_BLK_F_FLUSH is offered, and for a driver that does not take it each write
 * is durable before it is given back (section 5.2.6.2).  A discard that the file system cannot do is left
 * undone, as it may be; zeroes are written where it cannot make them.
 *
 * System calls after block_init beyond those of every device: io_uring_enter, also on a vcpu's thread, at a reset; preadv,
 * pwritev, fdatasync, fallocate where there is no io_uring or no helper for it, or a stack of images; madvise at block_push;
 * with limits timerfd_settime, clock_gettime.
 */
#ifndef VIRTIO_BLOCK_H
#define VIRTIO_BLOCK_H

#include "virtio/block_io.h"
#include "virtio/device.h"
#include "virtio/rate.h"

#define BLOCK_SERIAL_BYTES 20 /* section 5.2.6: NUL only if shorter */
#define BLOCK_SECTOR	   512
#define BLOCK_SPACE_BYTES  60 /* of struct block_space: up to what secure erase would have */

struct block_config {
	int fd; /* a regular file or block device; stays the caller's.  O_RDONLY: read-only */
	bool read_only;
	bool plain_io; /* no io_uring */
	const int
		*below; /* fd is qcow2 and stands on these, lowest first (storage/stack.h); NULL: it is raw */
	size_t n_below;
	const char *serial; /* at most BLOCK_SERIAL_BYTES are kept; NULL: none */
	const char *label; /* borrowed */
	struct rate_config rate;
};

/* Section 5.2.4; all little-endian. */
struct block_space {
	uint64_t capacity; /* in sectors of 512 bytes, as all sectors here */
	uint32_t size_max, seg_max;
	uint8_t geometry[4];
	uint32_t blk_size;
	uint8_t topology[8];
	uint8_t writeback, unused;
	uint16_t num_queues;
	uint32_t max_discard_sectors, max_discard_seg, discard_sector_alignment;
	uint32_t max_write_zeroes_sectors, max_write_zeroes_seg;
	uint8_t write_zeroes_may_unmap, unused1[3];
};

/* Under way. */
struct block_request {
	uint16_t head;
	uint8_t op; /* enum block_op_kind, as it was put last */
	bool discard;
	uint32_t bytes, written; /* on success: the operation's result, and what the driver is told */
	uint64_t offset;
	uint8_t *status; /* in guest RAM */
};

struct block {
	struct virtio_dev dev;
	int fd;
	bool read_only;
	struct block_space space;
	char serial[BLOCK_SERIAL_BYTES];
	struct block_io io;
	struct watch results;
	struct rate rate;
	bool starved; /* chains were left because every request is under way */
	bool stopping; /* a reset waits: what has not begun by then does not begin any more */
	struct block_request requests[BLOCK_IO_DEPTH];
	uint16_t idle[BLOCK_IO_DEPTH], n_idle; /* a stack of requests */
};

/* Nothing is under way in it. */
struct block_state {
	struct virtio_state dev;
	uint64_t capacity;
};

/* 0; -EINVAL: neither file nor block device, write-only, or O_APPEND; or another -errno. */
int block_init(struct block *b, const struct block_config *c, const struct ram *ram, struct loop *loop);
void block_done(struct block *b);
/* What the guest has written is in the files as they are, and goes to this empty image (qcow2_format) from now on; on success
 * fd is the device's, to the end of the process.  From the main thread.  0; -EROFS; -ENOSPC: there is no room for one more;
 * or another -errno: all is as before. */
int block_push(struct block *b, int fd);
/* Waits for what is under way.  Its vcpus rest; the lock is held, or nobody serves it. */
void block_save(struct block *b, struct block_state *ret);
/* 0, or -EINVAL: not a state of a disk like this one. */
int block_restore(struct block *b, const struct block_state *s);

#endif
