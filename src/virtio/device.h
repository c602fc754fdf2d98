/* device.h - what all virtio devices share: features, status, queues, interrupts; and their registers
 *
 * A device embeds a struct virtio_dev as its first member and gives it `ops`.  Its registers are those of virtio-mmio,
 * version 2 (virtio 1.2, section 4.2); no other code looks at them.
 *
 * Threads: `start`, `stop` and `config_written` are called by a vcpu thread, `kick` and the device's own watches by the
 * thread of its loop.  `lock` is held around each (a device's own watches take it themselves), so that the functions of a
 * device never run side by side.  loop_add and loop_del are for the loop's thread, `start` and `stop` may only loop_set.
 * Interrupt status and its acknowledgement need no lock: a vcpu never waits there.
 *
 * What reading the registers gives lies in `page`, kept up to date by virtio_show.  Where the guest sees that memory
 * (vmm/memory.h), its reads are no exits.
 *
 * How a device lives: made (before the guest runs; all memory and descriptors that it will ever need) -> `start`
 * at DRIVER_OK -> `kick` for each queue with new chains -> `stop` at reset -> `start` again ...  A driver that breaks the
 * specification gets DEVICE_NEEDS_RESET (virtio_fail): the device rests until the reset.
 */
#ifndef VIRTIO_DEVICE_H
#define VIRTIO_DEVICE_H

#include <pthread.h>

#include "base/loop.h"
#include "virtio/queue.h"

#define VIRTIO_MAX_QUEUES      8
#define VIRTIO_MMIO_BYTES      0x200 /* registers, and room for a device's configuration at 0x100 */
#define VIRTIO_MMIO_NOTIFY     0x050 /* QueueNotify: what an ioeventfd stands at */
#define VIRTIO_MMIO_INTERRUPTS 0x060 /* InterruptStatus */
#define VIRTIO_MMIO_ACK	       0x064 /* InterruptACK */
#define VIRTIO_ACK_QUEUE       1u /* written there: seen that buffers were used */
/* Chains without a break: a driver that never stops must not keep the loop and the lock. */
#define VIRTIO_TURN 256

/* Feature bits of all devices (section 6); all of these are offered always. */
#define VIRTIO_F_INDIRECT_DESC (UINT64_C(1) << 28)
#define VIRTIO_F_EVENT_IDX     (UINT64_C(1) << 29)
#define VIRTIO_F_VERSION_1     (UINT64_C(1) << 32)

struct virtio_dev;

struct virtio_ops {
	const char *name; /* "block": of the kind, for messages and statistics */
	uint32_t id; /* section 5 */
	/* At DRIVER_OK: features and queues are set.  0 or -errno, then the device needs a reset.  May be NULL. */
	int (*start)(struct virtio_dev *d);
	/* At reset, also where `start` failed or was not reached: after it the device touches no queue and no guest RAM.
	 * May be NULL. */
	void (*stop)(struct virtio_dev *d);
	/* Queue q may have new chains.  NULL: who serves the queues reads kick_fds itself (vhost-user). */
	void (*kick)(struct virtio_dev *d, unsigned q);
	/* The driver has changed `len` bytes of `config` at `offset`.  NULL: it may not. */
	void (*config_written)(struct virtio_dev *d, uint32_t offset, uint32_t len);
	/* Finishes, or gives back to the queue, each chain that it has taken: afterwards it writes to no guest RAM until it
	 * takes the next one.  NULL: it never keeps one beyond a call. */
	void (*settle)(struct virtio_dev *d);
	/* Held and settled: what the machine wrote outside of its RAM since it began is gone.  0 or -errno.  NULL: nothing is. */
	int (*undo)(struct virtio_dev *d);
};

/* The saved form. */
struct virtio_state {
	uint64_t driver_features;
	uint32_t status, interrupts; /* registers Status, InterruptStatus */
	uint32_t config_generation;
	uint32_t features_select, driver_features_select, queue_select;
	struct vq_state queues[VIRTIO_MAX_QUEUES];
};

/* Only grow; read by whoever wants to. */
struct virtio_counters {
	uint64_t kicks, interrupts, requests, bytes_in, bytes_out, failures;
};

struct virtio_dev {
	const struct virtio_ops *ops;
	/* set by the device before virtio_init */
	const char *label; /* which one of its kind, "root"; borrowed */
	uint64_t features; /* offered beyond those above */
	unsigned n_queues;
	uint16_t queue_size; /* at most, of each */
	void *config; /* its configuration space, as the driver reads it */
	uint32_t config_bytes;
	/* set by virtio_init */
	const struct ram *ram;
	struct loop *loop;
	pthread_mutex_t lock;
	int irq_fd; /* an eventfd: interrupts go there */
	int kick_fds[VIRTIO_MAX_QUEUES]; /* eventfds */
	struct virtio_kick {
		struct virtio_dev *dev;
		struct watch watch;
		unsigned left; /* chains of this turn */
	} kicks[VIRTIO_MAX_QUEUES];
	struct virtio_state s; /* without queues and interrupts, which live below */
	uint32_t *page; /* VIRTIO_MMIO_BYTES of registers, as they are read; atomic words */
	uint32_t own_page[VIRTIO_MMIO_BYTES / 4]; /* until virtio_show_at */
	struct vq queues[VIRTIO_MAX_QUEUES];
	struct virtio_counters counters;
};

/* Makes eventfds and puts them into the loop.  0 or -errno. */
int virtio_init(struct virtio_dev *d, const struct ram *ram, struct loop *loop);
/* Takes them out; the device's own things are its own to free. */
void virtio_done(struct virtio_dev *d);

/* A register access of a vcpu; offset < VIRTIO_MMIO_BYTES, len 1, 2, 4 or 8.  What does not fit reads as 0, or does nothing. */
void virtio_mmio_read(struct virtio_dev *d, uint32_t offset, void *data, uint32_t len);
void virtio_mmio_write(struct virtio_dev *d, uint32_t offset, const void *data, uint32_t len);

/* From now on the registers are to be read at `page`, of VIRTIO_MMIO_BYTES; before the guest runs. */
void virtio_show_at(struct virtio_dev *d, uint32_t *page);

/* --- for devices, with the lock held */

void virtio_lock(struct virtio_dev *d);
void virtio_unlock(struct virtio_dev *d);
/* Between DRIVER_OK and reset, and not failed? */
bool virtio_is_running(const struct virtio_dev *d);
/* Has the driver accepted this feature? */
bool virtio_has(const struct virtio_dev *d, uint64_t feature);
/* vq_pop that fails the device where the queue is broken, and asks for a kick where it is empty: true when there is a
 * chain.  So who takes all chains until it says false needs to know nothing of vq_kicks_on and vq_kicks_off.  It also says
 * false after VIRTIO_TURN chains; then the device is kicked again after all else that waits has had its turn. */
bool virtio_pop(struct virtio_dev *d, unsigned q, struct vq_chain *ret);
/* Comes back to queue q after all else that waits has had its turn: for who stops before virtio_pop says false. */
void virtio_kick_again(struct virtio_dev *d, unsigned q);
/* Interrupts the driver if it wants that for what was pushed. */
void virtio_notify(struct virtio_dev *d, unsigned q);
/* Interrupts it for what somebody else pushed. */
void virtio_interrupt(struct virtio_dev *d);
/* The device has changed `config`: a new generation, and the interrupt that says so. */
void virtio_config_changed(struct virtio_dev *d);
/* `config` has changed without that.  Its words change one by one: fields that belong together, and more than 32 bits,
 * may only change while no driver reads them (before DRIVER_OK, in a restore). */
void virtio_show(struct virtio_dev *d);
/* The driver broke the rules: DEVICE_NEEDS_RESET (section 2.1.2), nothing more is served until the reset. */
void virtio_fail(struct virtio_dev *d);

/* Its saved form, and back: for a device that is not served meanwhile. */
void virtio_save(const struct virtio_dev *d, struct virtio_state *ret);
/* 0, or -EINVAL for a state that this device cannot have.  Neither `start` nor `stop` is called; each queue is kicked once,
 * and the driver interrupted once more where it has not acknowledged: what was under way between the two sides is not lost. */
int virtio_restore(struct virtio_dev *d, const struct virtio_state *s);

#endif
