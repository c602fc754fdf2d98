/* vsock.c - virtio socket device: its life, and whose turn it is
 *
 * Whatever remains to be done when the budget of a turn is used up comes after all others of the loop had
 * theirs: the doorbell is rung.
 */
#include "virtio/vsock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "virtio/vsock_int.h"

#define QUEUE_SIZE	  128
#define FIRST_HOST_PORT	  UINT32_C(0x40000000) /* of connections that the host begins */
#define LOWEST_GUEST_CID  3
#define HIGHEST_GUEST_CID UINT32_C(0xfffffffe)
#define F_STREAM	  (UINT64_C(1) << 0)

/* --- turns */

/* Calls the loop's thread; from any thread. */
static void ring(struct vsock *v)
{
	const uint64_t one = 1;

	/* one that is full has been rung */
	if (write(v->in->doorbell.fd, &one, sizeof(one)) < 0)
		return;
}

/* Without a driver that works, and so after a failure, a socket has nobody behind it: its other end is
 * told. */
static bool drop_unless_running(struct vsock *v)
{
	if (virtio_is_running(&v->dev))
		return false;
	vsock_conns_drop(v);
	vsock_conns_reap(v);
	return true;
}

void vsock_run(struct vsock *v)
{
	struct vsock_inner *in = v->in;

	if (drop_unless_running(v))
		return;
	vsock_take(v);
	vsock_serve(v);
	vsock_give_event(v);
	if (!drop_unless_running(v) && (vsock_may_take(v) || (in->ready && !in->rx_empty)))
		ring(v);
}

static void on_doorbell(void *arg, uint32_t events)
{
	struct vsock *v = arg;
	uint64_t n;

	if (read(v->in->doorbell.fd, &n, sizeof(n)) != sizeof(n))
		return;
	virtio_lock(&v->dev);
	vsock_conns_reap(v);
	vsock_run(v);
	virtio_unlock(&v->dev);
}

static void on_kick(struct virtio_dev *d, unsigned q)
{
	struct vsock *v = (struct vsock *)d;

	if (q == VSOCK_QUEUE_TX)
		v->in->tx_waiting = true;
	vsock_run(v);
}

/* --- life */

static int on_start(struct virtio_dev *d)
{
	struct vsock *v = (struct vsock *)d;

	v->in->first_rst = v->in->n_rsts = 0;
	v->in->tx_waiting = true;
	return 0;
}

/* A vcpu's thread: the sockets are closed by the loop's. */
static void on_stop(struct virtio_dev *d)
{
	struct vsock *v = (struct vsock *)d;

	vsock_conns_drop(v);
	v->in->reset_owed = false;
	ring(v);
}

static const struct virtio_ops ops = {
	.name = "vsock",
	.id = 19,
	.start = on_start,
	.stop = on_stop,
	.kick = on_kick,
};

int vsock_connect(struct vsock *v, uint32_t guest_port, int fd)
{
	struct vsock_inner *in = v->in;
	struct vsock_conn *c = NULL;
	int r = -ENOTCONN;

	virtio_lock(&v->dev);
	if (virtio_is_running(&v->dev)) {
		while (vsock_conn_find(v, guest_port, in->next_port))
			in->next_port++;
		if (in->n_rsts < VSOCK_RSTS_ARE_MANY)
			c = vsock_conn_new(v, guest_port, in->next_port, fd);
		r = c ? 0 : -EBUSY;
	}
	if (c) {
		in->next_port++;
		c->state = VSOCK_ASKED;
		c->owed = 1 << VSOCK_OP_REQUEST;
		vsock_conn_settle(c);
		vsock_run(v);
	}
	virtio_unlock(&v->dev);
	return r;
}

/* Of this port, or one that is used up. */
static struct vsock_port *find_place(struct vsock_inner *in, uint32_t port)
{
	struct vsock_port *free_one = NULL;

	for (unsigned i = 0; i < in->n_ports; i++) {
		if (in->ports[i].port == port)
			return &in->ports[i];
		if (in->ports[i].fd < 0)
			free_one = &in->ports[i];
	}
	if (!free_one && in->n_ports < VSOCK_MAX_PORTS)
		free_one = &in->ports[in->n_ports++];
	return free_one;
}

int vsock_offer(struct vsock *v, uint32_t host_port, int fd)
{
	struct vsock_port *p, old = { .fd = -1 };

	virtio_lock(&v->dev);
	p = find_place(v->in, host_port);
	if (p) {
		old = *p;
		*p = (struct vsock_port){ host_port, fd };
	}
	virtio_unlock(&v->dev);
	if (p && old.port == host_port && old.fd >= 0)
		close(old.fd);
	return p ? 0 : -EBUSY;
}

static int make_inner(struct vsock *v, const struct vsock_spec *s)
{
	struct vsock_inner *in = calloc(1, sizeof(*in));

	v->in = in;
	if (!in)
		return -ENOMEM;
	in->next_port = FIRST_HOST_PORT;
	in->doorbell.fd = -1;
	in->pool = mmap(NULL, (size_t)VSOCK_MAX_CONNS * VSOCK_BUF_BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (in->pool == MAP_FAILED) {
		in->pool = NULL;
		return -errno;
	}
	for (unsigned i = 0; i < VSOCK_MAX_CONNS; i++) {
		in->conns[i].v = v;
		in->conns[i].watch.fd = -1;
		in->conns[i].buf = in->pool + (size_t)i * VSOCK_BUF_BYTES;
	}
	return 0;
}

static int make_doorbell(struct vsock *v)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		return -errno;
	v->in->doorbell = (struct watch){ .fd = fd, .events = EPOLLIN, .fn = on_doorbell, .arg = v };
	return loop_add(v->dev.loop, &v->in->doorbell);
}

/* All but the ports, which are the caller's until the end. */
static void free_inner(struct vsock *v)
{
	struct vsock_inner *in = v->in;

	if (!in)
		return;
	vsock_conns_drop(v);
	if (in->pool) {
		vsock_conns_reap(v);
		munmap(in->pool, (size_t)VSOCK_MAX_CONNS * VSOCK_BUF_BYTES);
	}
	if (in->doorbell.fd >= 0) {
		loop_del(v->dev.loop, &in->doorbell);
		close(in->doorbell.fd);
	}
	free(in);
	v->in = NULL;
}

int vsock_init(struct vsock *v, const struct vsock_spec *s, const struct ram *ram, struct loop *loop)
{
	int r;

	if (s->guest_cid < LOWEST_GUEST_CID || s->guest_cid > HIGHEST_GUEST_CID ||
	    s->n_ports > VSOCK_MAX_PORTS)
		return -EINVAL;
	*v = (struct vsock){
		.dev = { .ops = &ops, .features = F_STREAM, .n_queues = 3, .queue_size = QUEUE_SIZE },
		.config.guest_cid = s->guest_cid,
	};
	v->dev.config = &v->config;
	v->dev.config_bytes = sizeof(v->config);
	r = virtio_init(&v->dev, ram, loop);
	if (r < 0)
		return r;
	r = make_inner(v, s);
	if (r == 0)
		r = make_doorbell(v);
	if (r < 0) {
		free_inner(v);
		virtio_done(&v->dev);
		return r;
	}
	if (s->n_ports)
		memcpy(v->in->ports, s->ports, s->n_ports * sizeof(*s->ports));
	v->in->n_ports = s->n_ports;
	return 0;
}

void vsock_done(struct vsock *v)
{
	for (unsigned i = 0; v->in && i < v->in->n_ports; i++)
		if (v->in->ports[i].fd >= 0)
			close(v->in->ports[i].fd);
	free_inner(v);
	virtio_done(&v->dev);
}

/* --- saved form */

void vsock_save(const struct vsock *v, struct vsock_state *ret)
{
	virtio_save(&v->dev, &ret->dev);
	ret->reset_owed = v->in->reset_owed;
}

int vsock_restore(struct vsock *v, const struct vsock_state *s)
{
	int r = virtio_restore(&v->dev, &s->dev);

	vsock_conns_drop(v);
	if (r < 0)
		return r;
	v->in->first_rst = v->in->n_rsts = 0;
	v->in->tx_waiting = true;
	v->in->reset_owed = s->reset_owed || virtio_is_running(&v->dev);
	ring(v);
	return 0;
}
