/* devices.c - the virtio devices of a machine, made from its configuration
 *
 * A row for each kind: how many the configuration has, how one is made, how it is freed.  Disks and network interfaces
 * have threads of their own, all others the main one.
 */
#include "vmm/devices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/io.h"
#include "virtio/block.h"
#include "virtio/console.h"
#include "virtio/fs.h"
#include "virtio/net.h"
#include "virtio/rng.h"
#include "virtio/vsock.h"

#define LABEL_BYTES 40

struct devices {
	struct machine *machine;
	const struct vmm_config *config;
	struct virtio_dev *list[VIRTIO_MAX]; /* in the order of the bus */
	char labels[VIRTIO_MAX][LABEL_BYTES];
	unsigned n;
	struct block disks[CONFIG_MAX_DEVICES];
	unsigned n_disks;
	struct vsock vsock;
	bool has_vsock;
	struct rng rng;
	bool has_rng;
	struct balloon balloon;
	bool has_balloon;
	struct console console;
	bool has_console;
	struct fs shares[CONFIG_MAX_DEVICES];
	unsigned n_shares;
	struct net nets[CONFIG_MAX_DEVICES];
	unsigned n_nets;
};

/* --- making, in the order of the bus: 0 or -errno with e */

static int made(struct devices *d, struct virtio_dev *dev, const char *label)
{
	snprintf(d->labels[d->n], sizeof(d->labels[0]), "%s", label);
	dev->label = d->labels[d->n];
	d->list[d->n++] = dev;
	return 0;
}

/* The images that the disk of this serial stands on; how many, or -errno. */
static int find_below(const struct devices *d, const char *serial, int ret[CONFIG_MAX_BELOW], struct err *e)
{
	const struct strv *texts = &d->config->below;
	int n = 0, r = 0;

	for (size_t i = 0; i < texts->n && r == 0; i++) {
		struct device_config c;

		r = vmm_device_parse(texts->v[i], &c, e);
		if (r == 0 && serial && c.name && !strcmp(serial, c.name))
			ret[n++] = c.fd;
		vmm_device_done(&c);
	}
	return r < 0 ? r : n;
}

static int make_disk(struct devices *d, const struct device_config *c, struct err *e)
{
	struct block *b = &d->disks[d->n_disks];
	struct loop *loop = machine_worker(d->machine);
	int below[CONFIG_MAX_BELOW], n = find_below(d, c->name, below, e);
	const struct block_config config = {
		.fd = c->fd,
		.below = below,
		.n_below = n < 0 ? 0 : (size_t)n,
		.read_only = c->read_only,
		.serial = c->name,
		.rate = { .bytes = { .per_second = c->bytes_per_s }, .ops = { .per_second = c->ops_per_s } },
	};
	int r;

	if (n < 0)
		return n;
	r = loop ? block_init(b, &config, &d->machine->ram, loop) : -errno;
	if (r < 0)
		return err_sys(e, -r, "disk %.20s", c->name ? c->name : "");
	d->n_disks++;
	return made(d, &b->dev, c->name ? c->name : "");
}

_Static_assert(CONFIG_MAX_VSOCKS <= VSOCK_MAX_PORTS, "config.h");

static int make_net(struct devices *d, const struct device_config *c, struct err *e)
{
	struct net *n = &d->nets[d->n_nets];
	struct loop *loop = machine_worker(d->machine);
	const struct rate_config rate = { .bytes = { .per_second = c->bytes_per_s },
					  .ops = { .per_second = c->ops_per_s } };
	struct net_config config = { .fd = c->fd, .check_mac = true, .rx_rate = rate, .tx_rate = rate };
	int r;

	memcpy(config.mac, c->mac, sizeof(config.mac));
	r = loop ? fd_set_nonblock(c->fd, true) : -errno;
	if (r == 0)
		r = net_init(n, &config, &d->machine->ram, loop);
	if (r < 0)
		return err_sys(e, -r, "network interface");
	d->n_nets++;
	return made(d, &n->dev, "");
}

static int make_vsock(struct devices *d, struct err *e)
{
	const struct strv *texts = &d->config->vsocks;
	struct vsock_port ports[CONFIG_MAX_VSOCKS];
	struct vsock_spec spec = { GUEST_CID, ports, (unsigned)texts->n };
	int r = 0;

	for (size_t i = 0; i < texts->n && r == 0; i++) {
		struct device_config c;

		r = vmm_device_parse(texts->v[i], &c, e);
		ports[i] = (struct vsock_port){ c.port, c.fd };
		vmm_device_done(&c);
	}
	if (r < 0)
		return r;
	r = vsock_init(&d->vsock, &spec, &d->machine->ram, d->machine->loop);
	if (r < 0)
		return err_sys(e, -r, "vsock");
	d->has_vsock = true;
	return made(d, &d->vsock.dev, "");
}

static int make_rng(struct devices *d, struct err *e)
{
	int r = rng_init(&d->rng, &d->machine->ram, d->machine->loop);

	if (r < 0)
		return err_sys(e, -r, "entropy device");
	d->has_rng = true;
	return made(d, &d->rng.dev, "");
}

static int make_balloon(struct devices *d, struct err *e)
{
	int r = balloon_init(&d->balloon, &d->machine->ram, d->machine->loop);

	if (r < 0)
		return err_sys(e, -r, "balloon");
	d->has_balloon = true;
	return made(d, &d->balloon.dev, "");
}

static int make_console(struct devices *d, struct err *e)
{
	int r;

	if (d->config->console_fd < 0)
		return 0;
	r = console_init(&d->console, (int)d->config->console_fd, &d->machine->ram, d->machine->loop);
	if (r < 0)
		return err_sys(e, -r, "console");
	d->has_console = true;
	return made(d, &d->console.dev, "");
}

static int make_share(struct devices *d, const struct device_config *c, struct err *e)
{
	struct fs *f = &d->shares[d->n_shares];
	struct fs_spec spec = { c->name ? c->name : "", c->fd };
	int r = fs_init(f, &spec, &d->machine->ram, d->machine->loop);

	if (r < 0)
		return err_sys(e, -r, "shared directory %.36s", spec.tag);
	d->n_shares++;
	return made(d, &f->dev, spec.tag);
}

/* One for each text of a list of the configuration. */
static int make_each(struct devices *d, const struct strv *texts,
		     int (*make)(struct devices *d, const struct device_config *c, struct err *e),
		     struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < texts->n && r == 0; i++) {
		struct device_config c;

		r = vmm_device_parse(texts->v[i], &c, e);
		if (r < 0)
			return r;
		r = make(d, &c, e);
		vmm_device_done(&c);
	}
	return r;
}

static int make_disks(struct devices *d, struct err *e)
{
	return make_each(d, &d->config->blocks, make_disk, e);
}

static int make_nets(struct devices *d, struct err *e)
{
	return make_each(d, &d->config->nets, make_net, e);
}

static int make_shares(struct devices *d, struct err *e)
{
	return make_each(d, &d->config->shares, make_share, e);
}

static int (*const makers[])(struct devices *d, struct err *e) = { make_disks,	 make_vsock,   make_rng,
								   make_balloon, make_console, make_shares,
								   make_nets };

struct devices *devices_make(const struct vmm_config *c, struct machine *m, struct err *e)
{
	struct devices *d = calloc(1, sizeof(*d));
	int r = 0;

	if (!d) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	d->machine = m;
	d->config = c;
	for (size_t i = 0; i < ARRAY_LEN(makers) && r == 0; i++)
		r = makers[i](d, e);
	if (r == 0)
		return d;
	devices_free(d);
	return NULL;
}

int devices_plug(struct devices *d, struct err *e)
{
	int r = 0;

	for (unsigned i = 0; i < d->n && r == 0; i++)
		r = machine_add(d->machine, d->list[i]);
	return r < 0 ? err_sys(e, -r, "virtio devices") : 0;
}

void devices_free(struct devices *d)
{
	if (!d)
		return;
	for (unsigned i = 0; i < d->n_disks; i++)
		block_done(&d->disks[i]);
	if (d->has_vsock)
		vsock_done(&d->vsock);
	if (d->has_rng)
		rng_done(&d->rng);
	if (d->has_balloon)
		balloon_done(&d->balloon);
	if (d->has_console)
		console_done(&d->console);
	for (unsigned i = 0; i < d->n_nets; i++)
		net_done(&d->nets[i]);
	for (unsigned i = 0; i < d->n_shares; i++)
		fs_done(&d->shares[i]);
	free(d);
}

/* --- while the machine runs */

int devices_balloon(struct devices *d, uint64_t bytes)
{
	if (bytes > ram_size(&d->machine->ram))
		return -EINVAL;
	balloon_set_target(&d->balloon, bytes);
	return 0;
}

struct balloon_stats devices_memory(struct devices *d)
{
	struct balloon_stats s;

	balloon_stats(&d->balloon, &s);
	return s;
}

int devices_disk_push(struct devices *d, const char *serial, int fd)
{
	for (unsigned i = 0; i < d->n_disks; i++)
		if (!strncmp(d->disks[i].serial, serial, BLOCK_SERIAL_BYTES))
			return block_push(&d->disks[i], fd);
	return -ENODEV;
}

int devices_vsock_connect(struct devices *d, uint32_t port, int fd)
{
	int r = vsock_connect(&d->vsock, port, fd);

	return r == -ENOTCONN ? -ENODEV : r;
}

int devices_vsock_offer(struct devices *d, uint32_t port, int fd)
{
	return d->has_vsock ? vsock_offer(&d->vsock, port, fd) : -ENODEV;
}
