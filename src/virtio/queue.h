/* queue.h - a split virtqueue (virtio 1.2, section 2.7): the one door for what a guest's driver sends
 *
 *	descriptors     size x {addr, len, flags, next}: buffers, chained by `next`
 *	available ring  flags, idx, ring[size], used_event: heads of chains, from the driver
 *	used ring       flags, idx, ring[size] of {id, len}, avail_event: the same heads, given back
 *
 * Everything is read once, copied, then checked.  What breaks the specification (an index or address out of range, a
 * loop, a zero length, a table in a table, readable behind writable buffers, more bytes than 4 GiB) breaks the
 * queue: the device needs a reset (virtio/device.h), and nobody else notices.
 */
#ifndef VIRTIO_QUEUE_H
#define VIRTIO_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "virtio/ram.h"

#define VQ_MAX_SIZE 1024 /* entries that a device may offer */
#define VQ_MAX_SEGS 256 /* buffers in one chain; more is refused: seg_max of a device must be less */

/* Its saved form: all that the driver set, and how far we are. */
struct vq_state {
	uint64_t desc_gpa, avail_gpa, used_gpa;
	uint16_t size; /* a power of two */
	uint16_t next_avail, next_used; /* free-running */
	bool ready;
};

struct vq {
	struct vq_state s;
	const struct ram *ram;
	bool started, broken, event_idx, indirect;
	uint16_t signalled; /* next_used when the driver was told last */
	const volatile uint8_t *desc;
	volatile uint16_t *avail, *used;
};

/* One request of the driver.  The buffers lie in guest RAM: their bytes can change under us, their places cannot. */
struct vq_chain {
	uint16_t head;
	unsigned n_out, n_in; /* iov[0..n_out): to the device; then n_in from it */
	uint32_t out_bytes, in_bytes;
	struct iovec iov[VQ_MAX_SEGS];
};

/* Checks what the driver set in q->s and finds the rings; the features that count are event_idx and indirect.
 * 0, or -EINVAL: they are not wholly in RAM, not aligned, or the size is not a power of two. */
int vq_start(struct vq *q, const struct ram *ram, bool event_idx, bool indirect);
/* Forgets the rings; q->s stays. */
void vq_stop(struct vq *q);
/* The next chain: 1; 0 there is none; -EPROTO: broken, now and from now on. */
int vq_pop(struct vq *q, struct vq_chain *ret);
/* A chain that was popped and not pushed, read and checked anew: 1, or -EPROTO if it is broken by now. */
int vq_reread(struct vq *q, uint16_t head, struct vq_chain *ret);
/* Takes back the last vq_pop: the chain will come again.  Not after a vq_push of it. */
void vq_unpop(struct vq *q);
/* Gives a chain back, `written` bytes of its `in` buffers filled. */
void vq_push(struct vq *q, uint16_t head, uint32_t written);
/* Does the driver want an interrupt for what was pushed since it was last told?  Says yes once. */
bool vq_must_notify(struct vq *q);
/* Asks the driver not to kick, or to kick at the next chain.  vq_kicks_on: is there more already? */
void vq_kicks_off(struct vq *q);
bool vq_kicks_on(struct vq *q);
/* After vq_kicks_on: not at the next chain but at the n-th, if the driver can be told so (EVENT_IDX); for a device that will
 * look by itself before long. */
void vq_kicks_after(struct vq *q, uint16_t n);

/* Copies n bytes from the `out` buffers, skipping the first `skip`; false: there are not so many. */
bool vq_chain_read(const struct vq_chain *c, size_t skip, void *to, size_t n);
/* The same into these places, and into the `in` buffers. */
bool vq_iov_write(const struct iovec *iov, unsigned n_iov, size_t skip, const void *from, size_t n);
bool vq_chain_write(const struct vq_chain *c, size_t skip, const void *from, size_t n);
/* The `out` (or `in`) buffers without their first `skip` and beyond n bytes: fills at most max of ret, returns how many;
 * 0 when there are not so many bytes or not so many places. */
unsigned vq_chain_out(const struct vq_chain *c, size_t skip, size_t n, struct iovec *ret, unsigned max);
unsigned vq_chain_in(const struct vq_chain *c, size_t skip, size_t n, struct iovec *ret, unsigned max);

#endif
