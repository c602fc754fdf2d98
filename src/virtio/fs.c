/* fs.c - virtio file system device: hands its queues to virtiofsd, and interrupts for it */
#include "virtio/fs.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define QUEUE_SIZE 1024

/* --- virtiofsd's side */

/* The eventfd is not read: each write is an edge.  A read could wait for ever, for virtiofsd has the same
 * open file, and may take away its O_NONBLOCK and its count. */
static void on_call(void *arg, uint32_t events)
{
	struct fs *f = arg;

	virtio_lock(&f->dev);
	f->dev.counters.requests++;
	virtio_interrupt(&f->dev);
	virtio_unlock(&f->dev);
}

/* It has ended. */
static void on_hangup(void *arg, uint32_t events)
{
	struct fs *f = arg;

	virtio_lock(&f->dev);
	f->server.lost = true;
	loop_del(f->dev.loop, &f->life);
	if (virtio_is_running(&f->dev))
		virtio_fail(&f->dev);
	virtio_unlock(&f->dev);
}

/* --- life */

/* The rings were checked by vq_start: they lie wholly in RAM. */
static int on_start(struct virtio_dev *d)
{
	struct fs *f = (struct fs *)d;
	struct vhost_user_ring rings[FS_N_QUEUES];
	unsigned n = 0;

	for (unsigned i = 0; i < FS_N_QUEUES; i++) {
		const struct vq *q = &d->queues[i];

		if (q->started)
			rings[n++] = (struct vhost_user_ring){
				.index = (uint16_t)i,
				.size = q->s.size,
				.base = q->s.next_avail,
				.desc = (const void *)q->desc,
				.avail = (const void *)q->avail,
				.used = (const void *)q->used,
				.kick_fd = d->kick_fds[i],
				.call_fd = f->call.fd,
			};
	}
	return vhost_user_start(&f->server, d->s.driver_features, rings, n);
}

static void on_stop(struct virtio_dev *d)
{
	struct fs *f = (struct fs *)d;

	for (uint16_t i = 0; i < FS_N_QUEUES; i++)
		if (d->queues[i].started)
			vhost_user_stop(&f->server, i);
}

static const struct virtio_ops ops = { .name = "fs", .id = 26, .start = on_start, .stop = on_stop };

static int watch_server(struct fs *f, int socket_fd)
{
	int r;

	f->call = (struct watch){ .events = EPOLLIN | EPOLLET, .fn = on_call, .arg = f };
	f->life = (struct watch){ .fd = socket_fd, .events = EPOLLRDHUP, .fn = on_hangup, .arg = f };
	f->call.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = f->call.fd < 0 ? -errno : loop_add(f->dev.loop, &f->call);
	return r < 0 ? r : loop_add(f->dev.loop, &f->life);
}

/* All but the socket. */
static void undo(struct fs *f)
{
	loop_del(f->dev.loop, &f->life);
	loop_del(f->dev.loop, &f->call);
	if (f->call.fd >= 0)
		close(f->call.fd);
	virtio_done(&f->dev);
}

int fs_init(struct fs *f, const struct fs_spec *s, const struct ram *ram, struct loop *loop)
{
	size_t n = strlen(s->tag);
	int r;

	if (!n || n > FS_TAG_MAX)
		return -EINVAL;
	*f = (struct fs){
		.dev = { .ops = &ops, .label = s->tag, .n_queues = FS_N_QUEUES, .queue_size = QUEUE_SIZE },
		.config.num_request_queues = 1,
	};
	memcpy(f->config.tag, s->tag, n);
	f->dev.config = &f->config;
	f->dev.config_bytes = sizeof(f->config);
	r = virtio_init(&f->dev, ram, loop);
	if (r < 0)
		return r;
	r = watch_server(f, s->socket_fd);
	if (r == 0)
		r = vhost_user_open(&f->server, s->socket_fd, f->dev.features, ram);
	if (r < 0)
		undo(f);
	return r;
}

void fs_done(struct fs *f)
{
	undo(f);
	close(f->server.sock);
}
