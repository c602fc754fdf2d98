/* device.c - what all virtio devices share: their life from reset to DRIVER_OK, kicks, interrupts */
#include "virtio/device.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "virtio/device_int.h"

static void signal_fd(int fd)
{
	const uint64_t one = 1;

	/* an eventfd that is full has been signalled */
	if (write(fd, &one, sizeof(one)) < 0)
		return;
}

void virtio_lock(struct virtio_dev *d)
{
	pthread_mutex_lock(&d->lock);
}

void virtio_unlock(struct virtio_dev *d)
{
	pthread_mutex_unlock(&d->lock);
}

/* --- kicks */

static void on_kick(void *arg, uint32_t events)
{
	struct virtio_kick *k = arg;
	struct virtio_dev *d = k->dev;
	unsigned q = (unsigned)(k - d->kicks);
	uint64_t n;

	if (read(k->watch.fd, &n, sizeof(n)) != sizeof(n))
		return;
	virtio_lock(d);
	if (virtio_is_running(d) && d->queues[q].started) {
		d->counters.kicks++;
		vq_kicks_off(&d->queues[q]);
		k->left = VIRTIO_TURN;
		d->ops->kick(d, q);
	}
	virtio_unlock(d);
}

void virtio_kick(struct virtio_dev *d, uint32_t q)
{
	if (q < d->n_queues)
		signal_fd(d->kick_fds[q]);
}

/* --- for devices */

bool virtio_is_running(const struct virtio_dev *d)
{
	return (d->s.status & (STATUS_DRIVER_OK | STATUS_NEEDS_RESET)) == STATUS_DRIVER_OK;
}

bool virtio_has(const struct virtio_dev *d, uint64_t feature)
{
	return (d->s.driver_features & feature) == feature;
}

static void interrupt(struct virtio_dev *d, uint32_t why)
{
	__atomic_fetch_or(virtio_interrupts(d), why, __ATOMIC_SEQ_CST);
	d->counters.interrupts++;
	signal_fd(d->irq_fd);
}

bool virtio_pop(struct virtio_dev *d, unsigned q, struct vq_chain *ret)
{
	struct vq *vq = &d->queues[q];
	int r;

	if (!virtio_is_running(d))
		return false;
	if (!d->kicks[q].left) {
		d->kicks[q].left = VIRTIO_TURN;
		signal_fd(d->kick_fds[q]);
		return false;
	}
	do
		r = vq_pop(vq, ret);
	while (r == 0 && vq_kicks_on(vq));
	if (r < 0)
		virtio_fail(d);
	d->kicks[q].left = r == 1 ? d->kicks[q].left - 1 : VIRTIO_TURN;
	return r == 1;
}

void virtio_kick_again(struct virtio_dev *d, unsigned q)
{
	signal_fd(d->kick_fds[q]);
}

void virtio_notify(struct virtio_dev *d, unsigned q)
{
	if (virtio_is_running(d) && vq_must_notify(&d->queues[q]))
		interrupt(d, INTERRUPT_QUEUE);
}

void virtio_config_changed(struct virtio_dev *d)
{
	d->s.config_generation++;
	virtio_show(d);
	if (d->s.status & STATUS_DRIVER_OK)
		interrupt(d, INTERRUPT_CONFIG);
}

void virtio_interrupt(struct virtio_dev *d)
{
	if (virtio_is_running(d))
		interrupt(d, INTERRUPT_QUEUE);
}

void virtio_fail(struct virtio_dev *d)
{
	if (d->s.status & STATUS_NEEDS_RESET)
		return;
	d->counters.failures++;
	d->s.status |= STATUS_NEEDS_RESET;
	virtio_show(d);
	interrupt(d, INTERRUPT_CONFIG);
}

/* --- life */

static int start_queues(struct virtio_dev *d)
{
	bool event_idx = virtio_has(d, VIRTIO_F_EVENT_IDX), indirect = virtio_has(d, VIRTIO_F_INDIRECT_DESC);
	int r = 0;

	for (unsigned i = 0; i < d->n_queues && r == 0; i++)
		if (d->queues[i].s.ready)
			r = vq_start(&d->queues[i], d->ram, event_idx, indirect);
	return r;
}

/* What was made available before was kicked in vain, unless somebody else reads the eventfds: there it waits in them.
 * That process shares them and could make them block, so nobody here may write to them. */
static void kick_all(struct virtio_dev *d)
{
	if (!d->ops->kick)
		return;
	for (unsigned i = 0; i < d->n_queues; i++)
		signal_fd(d->kick_fds[i]);
}

void virtio_start(struct virtio_dev *d)
{
	int r = start_queues(d);

	d->s.status |= STATUS_DRIVER_OK;
	if (r == 0 && d->ops->start)
		r = d->ops->start(d);
	if (r < 0)
		virtio_fail(d);
	kick_all(d);
}

void virtio_reset(struct virtio_dev *d)
{
	uint32_t generation = d->s.config_generation;

	if ((d->s.status & STATUS_DRIVER_OK) && d->ops->stop)
		d->ops->stop(d);
	for (unsigned i = 0; i < d->n_queues; i++) {
		vq_stop(&d->queues[i]);
		d->queues[i] = (struct vq){ .s.size = d->queue_size };
	}
	d->s = (struct virtio_state){ .config_generation = generation };
	__atomic_store_n(virtio_interrupts(d), 0, __ATOMIC_SEQ_CST);
	virtio_show(d);
}

static int add_queue(struct virtio_dev *d, unsigned i)
{
	struct virtio_kick *k = &d->kicks[i];

	d->queues[i].s.size = d->queue_size;
	d->kick_fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (d->kick_fds[i] < 0)
		return -errno;
	k->dev = d;
	k->left = VIRTIO_TURN;
	k->watch = (struct watch){ .fd = d->kick_fds[i], .events = EPOLLIN, .fn = on_kick, .arg = k };
	return d->ops->kick ? loop_add(d->loop, &k->watch) : 0;
}

int virtio_init(struct virtio_dev *d, const struct ram *ram, struct loop *loop)
{
	int r = 0;

	d->ram = ram;
	d->loop = loop;
	d->page = d->own_page;
	d->features |= VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1;
	pthread_mutex_init(&d->lock, NULL);
	memset(d->kick_fds, -1, sizeof(d->kick_fds));
	d->irq_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (d->irq_fd < 0)
		r = -errno;
	for (unsigned i = 0; i < d->n_queues && r == 0; i++)
		r = add_queue(d, i);
	if (r < 0)
		virtio_done(d);
	else
		virtio_show(d);
	return r;
}

void virtio_done(struct virtio_dev *d)
{
	for (unsigned i = 0; i < d->n_queues; i++) {
		if (d->kick_fds[i] < 0)
			continue;
		loop_del(d->loop, &d->kicks[i].watch);
		close(d->kick_fds[i]);
		d->kick_fds[i] = -1;
	}
	if (d->irq_fd >= 0)
		close(d->irq_fd);
	d->irq_fd = -1;
	pthread_mutex_destroy(&d->lock);
}

/* --- saved form */

void virtio_save(const struct virtio_dev *d, struct virtio_state *ret)
{
	*ret = d->s;
	ret->interrupts = __atomic_load_n(virtio_interrupts(d), __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < d->n_queues; i++)
		ret->queues[i] = d->queues[i].s;
}

/* What a driver asked for in vain is possible as long as it has not seen that (FEATURES_OK), no longer. */
static bool is_possible(const struct virtio_dev *d, const struct virtio_state *s)
{
	bool refused = (s->driver_features & ~d->features) || !(s->driver_features & VIRTIO_F_VERSION_1);

	if ((s->status & ~STATUS_ALL) || ((s->status & STATUS_FEATURES_OK) && refused))
		return false;
	return !(s->status & STATUS_DRIVER_OK) || (s->status & STATUS_FEATURES_OK);
}

int virtio_restore(struct virtio_dev *d, const struct virtio_state *s)
{
	int r = 0;

	if (!is_possible(d, s))
		return -EINVAL;
	virtio_reset(d);
	d->s = *s;
	__atomic_store_n(virtio_interrupts(d), s->interrupts, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < d->n_queues; i++) {
		d->queues[i].s = s->queues[i];
		if (s->queues[i].size > d->queue_size)
			r = -EINVAL;
	}
	if (r == 0 && virtio_is_running(d))
		r = start_queues(d);
	if (r < 0) {
		virtio_reset(d);
		return r;
	}
	virtio_show(d);
	kick_all(d);
	if (s->interrupts)
		signal_fd(d->irq_fd);
	return 0;
}
