/* test_threads.c - a device between two vcpus and its loop, each a thread: for -Db_sanitize=thread most of all
 *
 * One vcpu is a driver: it starts the device, adds requests, kicks, takes some of what is used, resets, and again.  The other
 * reads every register, acknowledges interrupts and kicks queues, at any time.
 */
#include "block_rig.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "virtio/net.h"
#include "virtio/rng.h"

#define LIVES 300 /* of the driver */

static struct rig *r;
static bool stop;

static bool is_stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

static void *turn_loop(void *arg)
{
	while (!is_stopped())
		loop_once(r->loop, 5);
	return NULL;
}

static void *other_vcpu(void *arg)
{
	uint32_t v = 0;
	uint8_t b[8];

	for (unsigned i = 0; !is_stopped(); i++) {
		virtio_mmio_read(r->dev, i * 4 % VIRTIO_MMIO_BYTES, &v, sizeof(v));
		virtio_mmio_read(r->dev, R_CONFIG + i % 64, b, 1u << (i & 3));
		v = i % 4;
		virtio_mmio_write(r->dev, R_INTERRUPT_ACK, &v, sizeof(v));
		virtio_mmio_write(r->dev, R_QUEUE_NOTIFY, &v, sizeof(v));
	}
	return NULL;
}

/* `add` makes a few chains available; they are waited for in every second life only. */
static void drive(struct virtio_dev *dev, unsigned queue, unsigned (*add)(unsigned life))
{
	pthread_t loop, vcpu;
	uint64_t mark = r->heap;

	stop = false;
	r->dev = dev;
	assert_int_equal(pthread_create(&loop, NULL, turn_loop, NULL), 0);
	assert_int_equal(pthread_create(&vcpu, NULL, other_vcpu, NULL), 0);
	for (unsigned life = 0; life < LIVES; life++) {
		struct rig_used u;
		unsigned left;

		assert_true(rig_negotiate(r, dev->features));
		for (unsigned q = 0; q < dev->n_queues; q++)
			rig_queue_setup(r, q, 64);
		rig_driver_ok(r);
		left = add(life);
		rig_kick(r, queue);
		while (left && life % 2)
			left -= rig_take(r, queue, &u);
		rig_reset(r);
		r->heap = mark;
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(loop, NULL);
	pthread_join(vcpu, NULL);
}

/* --- devices */

static struct disk *d;

static unsigned add_requests(unsigned life)
{
	for (unsigned i = 0; i < 8; i++)
		disk_add(d, i % 2 ? B_IN : B_OUT, (life * 8 + i) % DISK_SECTORS, 512, i % 2);
	return 8;
}

static void run_disk(struct block_config c)
{
	d = disk_new(NULL, c, O_RDWR, 0);
	r = d->r;
	drive(&d->b.dev, 0, add_requests);
	assert_int_equal(d->b.n_idle, BLOCK_IO_DEPTH);
	disk_free(d);
}

static void a_disk_with_io_uring(void **state)
{
	run_disk((struct block_config){ .plain_io = false });
}

static void a_disk_with_plain_calls(void **state)
{
	run_disk((struct block_config){ .plain_io = true });
}

static void a_disk_with_a_limit(void **state)
{
	run_disk((struct block_config){ .rate.ops = { 50000, 4 } });
}

static unsigned add_buffers(unsigned life)
{
	uint64_t at = rig_alloc(r, 8 * 64, 1);

	for (unsigned i = 0; i < 8; i++)
		rig_add(r, 0, &(struct rig_buf){ at + 64 * UINT64_C(1) * i, 64, true }, 1);
	return 8;
}

static void an_entropy_device(void **state)
{
	struct rng rng;

	r = rig_new();
	assert_int_equal(rng_init(&rng, &r->ram, r->loop), 0);
	drive(&rng.dev, 0, add_buffers);
	rng_done(&rng);
	rig_free(r);
}

static int peer;

/* Receive buffers, frames to be sent, and one from outside. */
static unsigned add_frames(unsigned life)
{
	uint64_t at = rig_alloc(r, 16 * 2048, 1);
	uint8_t frame[100] = { 0 };

	for (unsigned i = 0; i < 8; i++) {
		rig_add(r, 0, &(struct rig_buf){ at + i * UINT64_C(2048), 2048, true }, 1);
		rig_add(r, 1, &(struct rig_buf){ at + (8 + i) * UINT64_C(2048), 100, false }, 1);
	}
	rig_kick(r, 0);
	while (recv(peer, frame, sizeof(frame), 0) > 0)
		continue;
	memset(frame, 0, sizeof(frame));
	assert_int_equal(send(peer, frame, sizeof(frame), 0), sizeof(frame));
	return 8;
}

static void a_network_device(void **state)
{
	struct net_config c = { 0 };
	struct net net;
	int s[2];

	r = rig_new();
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, s), 0);
	c.fd = s[0];
	peer = s[1];
	assert_int_equal(net_init(&net, &c, &r->ram, r->loop), 0);
	drive(&net.dev, 1, add_frames);
	net_done(&net);
	close(s[0]);
	close(s[1]);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_disk_with_io_uring), cmocka_unit_test(a_disk_with_plain_calls),
		cmocka_unit_test(a_disk_with_a_limit),	cmocka_unit_test(an_entropy_device),
		cmocka_unit_test(a_network_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
