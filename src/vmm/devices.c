/* devices.c - the virtio devices of a machine, made from its configuration */
#include "vmm/devices.h"

#include <errno.h>

#include "base/auto.h"
#include "virtio/rng.h"

struct devices {
	struct machine *machine;
	struct rng rng;
};

static int add_rng(struct devices *d)
{
	int r = rng_init(&d->rng, &d->machine->ram, d->machine->loop);

	return r < 0 ? r : machine_add(d->machine, &d->rng.dev);
}

struct devices *devices_make(const struct vmm_config *c, struct machine *m, struct err *e)
{
	struct devices *d = calloc(1, sizeof(*d));

	if (!d) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	d->machine = m;
	if (add_rng(d) < 0)
		err_set(e, EIO, "devices");
	return d;
}

void devices_free(struct devices *d)
{
	free(d);
}

int devices_balloon(struct devices *d, uint64_t bytes)
{
	return -EINVAL;
}

struct devices_memory devices_memory(struct devices *d)
{
	return (struct devices_memory){ 0 };
}

int devices_vsock_connect(struct devices *d, uint32_t port, int fd)
{
	return -ENODEV;
}
