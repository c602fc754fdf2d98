/* fuzz_virtio_device.c - each kind of device, driven by a script: registers, RAM, chains, kicks, turns of the loop, the outside
 *
 * Input: a byte for the kind (its row in `kinds`), then steps: a byte for the step (its row in `steps`) and what it reads.
 * Whatever the guest does, a device neither aborts nor reaches beyond RAM, and after a reset it serves an honest driver: the
 * last thing of each run.
 *
 * A new kind of device is a row: how it is made and ended, what comes from outside, how it is saved and restored.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "virtio/balloon.h"
#include "virtio/block.h"
#include "virtio/console.h"
#include "virtio/net.h"
#include "virtio/rng.h"
#include "virtio/vsock.h"

#define LOW	  0x10000
#define HIGH	  0x20000
#define HIGH_SIZE 0x4000
#define STEPS	  200
#define IMAGE	  0x10000
#define RING(q)                                                                                              \
	(0x800 * (uint64_t)(q)) /* rings of an honest set-up: descriptors, available, used; 16 entries */
#define SIZE	  16
#define BUFFERS	  0x4000 /* where buffers of honest chains begin */
#define DRIVER_OK 15 /* ACKNOWLEDGE | DRIVER | DRIVER_OK | FEATURES_OK */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct ram ram;
	struct loop *loop;
	struct virtio_dev *dev;
	const struct kind *kind;
	int fd, peer; /* the device's side and the outside's, of kinds that have one */
	uint16_t next_avail[VIRTIO_MAX_QUEUES];
	uint8_t next_desc;
	union {
		struct balloon balloon;
		struct block block;
		struct console console;
		struct net net;
		struct rng rng;
		struct vsock vsock;
	} d;
	union {
		struct balloon_state balloon;
		struct block_state block;
		struct console_state console;
		struct net_state net;
		struct vsock_state vsock;
	} saved;
};

struct kind {
	void (*make)(struct world *w);
	void (*end)(struct world *w);
	void (*outside)(struct world *w, const uint8_t *p, size_t n); /* may be NULL, as the next */
	void (*save_restore)(struct world *w);
};

static void must(bool good)
{
	if (!good)
		abort();
}

/* --- kinds */

static void make_pair(struct world *w, int type)
{
	int s[2];

	must(socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, s) == 0);
	w->fd = s[0];
	w->peer = s[1];
}

static void talk(struct world *w, const uint8_t *p, size_t n)
{
	uint8_t b[512];

	while (recv(w->peer, b, sizeof(b), 0) > 0)
		continue;
	if (send(w->peer, p, n, MSG_NOSIGNAL) < 0)
		return; /* full, as it may be */
}

static void make_balloon(struct world *w)
{
	must(balloon_init(&w->d.balloon, &w->ram, w->loop) == 0);
	w->dev = &w->d.balloon.dev;
}

static void end_balloon(struct world *w)
{
	balloon_done(&w->d.balloon);
}

static void ask_balloon(struct world *w, const uint8_t *p, size_t n)
{
	struct balloon_stats s;

	balloon_set_target(&w->d.balloon, n ? p[0] * UINT64_C(4096) : 0);
	balloon_stats(&w->d.balloon, &s);
}

static void save_balloon(struct world *w)
{
	balloon_save(&w->d.balloon, &w->saved.balloon);
	must(balloon_restore(&w->d.balloon, &w->saved.balloon) == 0);
}

static void make_block(struct world *w, bool plain, bool read_only)
{
	struct block_config c = { .serial = "fuzz", .plain_io = plain, .read_only = read_only };

	w->fd = c.fd = memfd_create("image", MFD_CLOEXEC);
	must(c.fd >= 0 && ftruncate(c.fd, IMAGE) == 0);
	must(block_init(&w->d.block, &c, &w->ram, w->loop) == 0);
	w->dev = &w->d.block.dev;
}

static void make_block_ring(struct world *w)
{
	make_block(w, false, false);
}

static void make_block_plain(struct world *w)
{
	make_block(w, true, false);
}

static void make_block_read_only(struct world *w)
{
	make_block(w, true, true);
}

static void end_block(struct world *w)
{
	struct block *b = &w->d.block;

	block_done(b);
	must(b->n_idle == BLOCK_IO_DEPTH && !b->io.under_way);
	must(lseek(w->fd, 0, SEEK_END) == IMAGE);
}

static void save_block(struct world *w)
{
	block_save(&w->d.block, &w->saved.block);
	must(block_restore(&w->d.block, &w->saved.block) == 0);
}

static void make_console(struct world *w)
{
	make_pair(w, SOCK_STREAM);
	must(console_init(&w->d.console, w->fd, &w->ram, w->loop) == 0);
	w->dev = &w->d.console.dev;
}

static void end_console(struct world *w)
{
	console_done(&w->d.console);
}

static void save_console(struct world *w)
{
	console_save(&w->d.console, &w->saved.console);
	must(console_restore(&w->d.console, &w->saved.console) == 0);
}

static void make_net(struct world *w)
{
	struct net_config c = { .mtu = 1500 };

	make_pair(w, SOCK_DGRAM);
	c.fd = w->fd;
	must(net_init(&w->d.net, &c, &w->ram, w->loop) == 0);
	w->dev = &w->d.net.dev;
}

static void end_net(struct world *w)
{
	net_done(&w->d.net);
}

/* Frames of up to 64 KiB: the input again and again. */
static void send_frame(struct world *w, const uint8_t *p, size_t n)
{
	static uint8_t frame[NET_FRAME_MOST + 10];
	size_t len = n ? (size_t)p[0] * p[0] + n : 0;

	for (size_t i = 0; i < len; i += n)
		memcpy(frame + i, p, n < len - i ? n : len - i);
	talk(w, frame, len);
}

static void save_net(struct world *w)
{
	net_save(&w->d.net, &w->saved.net);
	must(net_restore(&w->d.net, &w->saved.net) == 0);
}

static void make_rng(struct world *w)
{
	must(rng_init(&w->d.rng, &w->ram, w->loop) == 0);
	w->dev = &w->d.rng.dev;
}

static void end_rng(struct world *w)
{
	rng_done(&w->d.rng);
}

/* A port of the host, and a connection that the host begins as soon as there is a driver. */
static void make_vsock(struct world *w)
{
	struct vsock_port port = { .port = 1 };
	const struct vsock_spec s = { 3, &port, 1 };

	make_pair(w, SOCK_STREAM);
	port.fd = w->fd;
	w->fd = -1;
	must(vsock_init(&w->d.vsock, &s, &w->ram, w->loop) == 0);
	w->dev = &w->d.vsock.dev;
}

static void end_vsock(struct world *w)
{
	vsock_done(&w->d.vsock);
}

static void connect_vsock(struct world *w, const uint8_t *p, size_t n)
{
	int s[2];

	talk(w, p, n);
	if (n % 4)
		return;
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) == 0);
	if (send(s[0], p, n, MSG_NOSIGNAL) < 0 || vsock_connect(&w->d.vsock, 1, s[1]) < 0)
		close(s[1]);
	close(s[0]);
}

static void save_vsock(struct world *w)
{
	vsock_save(&w->d.vsock, &w->saved.vsock);
	must(vsock_restore(&w->d.vsock, &w->saved.vsock) == 0);
}

static const struct kind kinds[] = {
	{ make_balloon, end_balloon, ask_balloon, save_balloon },
	{ make_block_plain, end_block, NULL, save_block },
	{ make_block_read_only, end_block, NULL, save_block },
	{ make_block_ring, end_block, NULL, save_block },
	{ make_console, end_console, talk, save_console },
	{ make_net, end_net, send_frame, save_net },
	{ make_rng, end_rng, NULL, NULL },
	{ make_vsock, end_vsock, connect_vsock, save_vsock },
};

/* --- the script */

struct input {
	const uint8_t *p;
	size_t left;
};

static uint32_t take(struct input *in, size_t n)
{
	uint32_t v = 0;

	n = n < in->left ? n : in->left;
	memcpy(&v, in->p, n);
	in->p += n;
	in->left -= n;
	return v;
}

/* An address near the places of interest: low RAM, its end, the hole, high RAM; seldom far away. */
static uint64_t take_address(struct input *in)
{
	uint32_t v = take(in, 3);
	uint64_t low = v & 0xffff;

	switch (v >> 16 & 15) {
	case 0:
		return HIGH + low;
	case 1:
		return LOW - 64 + low % 128;
	case 2:
		return UINT64_MAX - low;
	case 3:
		return low << 40;
	default:
		return low;
	}
}

static void set(struct world *w, uint32_t reg, uint32_t v)
{
	virtio_mmio_write(w->dev, reg, &v, sizeof(v));
}

static uint32_t get(struct world *w, uint32_t reg)
{
	uint32_t v;

	virtio_mmio_read(w->dev, reg, &v, sizeof(v));
	return v;
}

static void step_write(struct world *w, struct input *in)
{
	uint32_t reg = take(in, 2) % VIRTIO_MMIO_BYTES, len = 1u << (take(in, 1) & 3);
	uint64_t v = take(in, 4);

	virtio_mmio_write(w->dev, reg, &v, len);
}

static void step_register(struct world *w, struct input *in)
{
	uint32_t reg = take(in, 1) * 4 % 0x100;

	set(w, reg, take(in, 4));
}

static void step_read(struct world *w, struct input *in)
{
	uint32_t reg = take(in, 2) % VIRTIO_MMIO_BYTES;
	uint8_t b[8];

	virtio_mmio_read(w->dev, reg, b, 1u << (reg & 3));
}

static void step_fill(struct world *w, struct input *in)
{
	uint64_t at = take_address(in);
	size_t n = take(in, 1) % 64;
	void *to;

	n = n < in->left ? n : in->left;
	to = ram_at(&w->ram, at, n);
	if (to)
		memcpy(to, in->p, n);
	in->p += n;
	in->left -= n;
}

static void set_address(struct world *w, uint32_t reg, uint64_t gpa)
{
	set(w, reg, (uint32_t)gpa);
	set(w, reg + 4, (uint32_t)(gpa >> 32));
}

/* Every queue with rings of its own; the features that are offered, without those of the mask. */
static void start_honestly(struct world *w, uint32_t without)
{
	set(w, 0x70, 0);
	set(w, 0x70, 3);
	set(w, 0x24, 0);
	set(w, 0x20, (uint32_t)w->dev->features & ~without);
	set(w, 0x24, 1);
	set(w, 0x20, 1);
	set(w, 0x70, 11);
	for (unsigned q = 0; q < w->dev->n_queues; q++) {
		set(w, 0x30, q);
		set(w, 0x38, SIZE);
		set_address(w, 0x80, RING(q));
		set_address(w, 0x90, RING(q) + 0x200);
		set_address(w, 0xa0, RING(q) + 0x400);
		set(w, 0x44, 1);
		memset((uint8_t *)ram_at(&w->ram, RING(q), 0x800), 0, 0x800);
		w->next_avail[q] = 0;
	}
	set(w, 0x70, DRIVER_OK);
}

static void step_start(struct world *w, struct input *in)
{
	start_honestly(w, take(in, 4));
}

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

static void make_available(struct world *w, unsigned q, uint16_t head)
{
	uint16_t *avail = ram_at(&w->ram, RING(q) + 0x200, 0x100);

	avail[2 + w->next_avail[q] % SIZE] = head;
	avail[1] = ++w->next_avail[q];
}

/* A chain in an honest queue: lengths and directions as the input says, addresses mostly in RAM. */
static void step_chain(struct world *w, struct input *in)
{
	unsigned q = take(in, 1) % w->dev->n_queues, n = 1 + take(in, 1) % 6;
	struct desc *d = ram_at(&w->ram, RING(q), sizeof(*d) * SIZE);
	uint16_t head = w->next_desc % SIZE;

	for (unsigned i = 0; i < n; i++) {
		uint32_t v = take(in, 3);
		uint16_t at = w->next_desc++ % SIZE;

		d[at] = (struct desc){ take_address(in), v >> 4 & 0xfffff, (uint16_t)((v & 2) | (i + 1 < n)),
				       (uint16_t)(w->next_desc % SIZE) };
		if ((v & 12) == 12)
			d[at].flags |= 4; /* a table */
		if ((v & 12) == 8)
			d[at].len %= 600;
	}
	make_available(w, q, head);
}

/* A request of a disk, a frame, a command: 16 bytes of the input, then a buffer, then one to be written. */
static void step_request(struct world *w, struct input *in)
{
	unsigned q = take(in, 1) % w->dev->n_queues;
	struct desc *d = ram_at(&w->ram, RING(q), sizeof(*d) * SIZE);
	uint32_t v = take(in, 4);
	uint8_t *header = ram_at(&w->ram, BUFFERS, 64);
	uint16_t head = w->next_desc % SIZE;
	uint16_t flags[3] = { 1, (uint16_t)(1 | (v & 2)), 2 };
	uint32_t lens[3] = { 16, 1 + (v >> 2 & 0x1fff), 1 };

	if (v & 1)
		lens[1] = (lens[1] + 511) & ~511u;
	memset(header, 0, 64);
	header[0] = (uint8_t)take(in, 1);
	header[8] = (uint8_t)take(in, 1);
	for (unsigned i = 0; i < 3; i++) {
		uint16_t at = w->next_desc++ % SIZE;

		d[at] = (struct desc){ BUFFERS + i * UINT64_C(0x2000), lens[i], flags[i],
				       (uint16_t)(w->next_desc % SIZE) };
	}
	make_available(w, q, head);
	set(w, VIRTIO_MMIO_NOTIFY, q);
}

static void step_kick(struct world *w, struct input *in)
{
	set(w, VIRTIO_MMIO_NOTIFY, take(in, 1) % VIRTIO_MAX_QUEUES);
}

static void step_turn(struct world *w, struct input *in)
{
	loop_once(w->loop, 0);
}

static void step_outside(struct world *w, struct input *in)
{
	size_t n = take(in, 1);

	n = n < in->left ? n : in->left;
	if (w->kind->outside)
		w->kind->outside(w, in->p, n);
	in->p += n;
	in->left -= n;
}

static void step_save(struct world *w, struct input *in)
{
	/* a state whose rings the guest has made impossible cannot be: DRIVER_OK found them good or failed */
	if (w->kind->save_restore)
		w->kind->save_restore(w);
}

static void step_reset(struct world *w, struct input *in)
{
	set(w, 0x70, 0);
	must(get(w, 0x70) == 0);
}

static void (*const steps[])(struct world *w, struct input *in) = {
	step_write, step_register, step_read, step_fill, step_start,   step_chain,
	step_chain, step_request,  step_kick, step_turn, step_outside, step_save,
	step_reset, step_request,  step_turn, step_fill,
};

/* --- */

static uint8_t *map_slot(size_t bytes)
{
	uint8_t *p = mmap(NULL, bytes + 0x1000, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED && mprotect(p, bytes, PROT_READ | PROT_WRITE) == 0);
	return p;
}

static struct world *world_new(uint8_t kind)
{
	struct world *w = calloc(1, sizeof(*w));

	must(w);
	w->kind = &kinds[kind % (sizeof(kinds) / sizeof(kinds[0]))];
	w->ram = (struct ram){ .n = 2, .fd = -1 };
	w->ram.slots[0] = (struct ram_slot){ 0, LOW, map_slot(LOW), 0 };
	w->ram.slots[1] = (struct ram_slot){ HIGH, HIGH_SIZE, map_slot(HIGH_SIZE), LOW };
	w->loop = loop_new();
	w->fd = w->peer = -1;
	must(w->loop);
	w->kind->make(w);
	return w;
}

static void world_free(struct world *w)
{
	w->kind->end(w);
	if (w->fd >= 0)
		close(w->fd);
	if (w->peer >= 0)
		close(w->peer);
	loop_free(w->loop);
	munmap(w->ram.slots[0].host, LOW + 0x1000);
	munmap(w->ram.slots[1].host, HIGH_SIZE + 0x1000);
	free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct world *w;

	if (size < 2)
		return 0;
	w = world_new((uint8_t)take(&in, 1));
	for (unsigned i = 0; i < STEPS && in.left; i++)
		steps[take(&in, 1) % (sizeof(steps) / sizeof(steps[0]))](w, &in);
	start_honestly(w, 0);
	for (unsigned i = 0; i < 4; i++)
		loop_once(w->loop, 0);
	must(get(w, 0x70) == DRIVER_OK);
	world_free(w);
	return 0;
}
