/* state.c - all of a machine but its RAM, as one document: one walk over its parts writes and reads
 */
#include "vmm/state.h"

#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "base/sha256.h"
#include "vmm/layout.h"

#define MAGIC		 "KETCHVM\n"
#define MAGIC_BYTES	 8
#define GENERATION_BYTES 16

enum section { SHAPE = 1, VM, IOAPIC, SERIAL, POWER, VCPU, CPUID, MSRS, DEVICE };

struct head {
	char magic[MAGIC_BYTES];
	uint32_t version, bytes;
};

struct section_head {
	uint16_t kind, index;
	uint32_t bytes;
};

/* Where the walk is.  `bad`: no room (writing), or not what is expected (reading). */
struct walk {
	uint8_t *at;
	size_t left;
	bool reading, bad;
};

/* --- the walk */

static void move(struct walk *w, void *data, size_t n)
{
	if (w->bad || n > w->left) {
		w->bad = true;
		return;
	}
	if (w->reading)
		memcpy(data, w->at, n);
	else
		memcpy(w->at, data, n);
	w->at += n;
	w->left -= n;
}

/* Its head; *bytes is what a section written has, and of one read what it says it has. */
static bool enter(struct walk *w, enum section kind, unsigned index, uint32_t *bytes)
{
	struct section_head h = { .kind = (uint16_t)kind, .index = (uint16_t)index, .bytes = *bytes };

	move(w, &h, sizeof(h));
	if (h.kind != kind || h.index != index)
		w->bad = true;
	*bytes = h.bytes;
	return !w->bad;
}

static void part(struct walk *w, enum section kind, unsigned index, void *data, size_t n)
{
	uint32_t bytes = (uint32_t)n;

	if (enter(w, kind, index, &bytes) && bytes == n)
		move(w, data, n);
	else
		w->bad = true;
}

/* At most `most` items of a size. */
struct list {
	void *data;
	size_t item, most;
	uint32_t *n;
};

static void part_list(struct walk *w, enum section kind, unsigned index, struct list l)
{
	uint32_t bytes = w->reading ? 0 : *l.n * (uint32_t)l.item;

	if (!enter(w, kind, index, &bytes) || bytes % l.item || bytes / l.item > l.most) {
		w->bad = true;
		return;
	}
	*l.n = bytes / (uint32_t)l.item;
	move(w, l.data, bytes);
}

static void part_vcpu(struct walk *w, unsigned i, struct arch_vcpu_state *v)
{
	part(w, VCPU, i, &v->fixed, sizeof(v->fixed));
	part_list(w, CPUID, i,
		  (struct list){ v->cpuid, sizeof(v->cpuid[0]), ARRAY_LEN(v->cpuid), &v->n_cpuid });
	part_list(w, MSRS, i, (struct list){ v->msrs, sizeof(v->msrs[0]), ARRAY_LEN(v->msrs), &v->n_msrs });
}

/* --- devices */

static const struct {
	uint32_t id;
	size_t bytes;
} device_sizes[] = {
	{ 1, sizeof(struct net_state) },     { 2, sizeof(struct block_state) },
	{ 3, sizeof(struct console_state) }, { 4, sizeof(struct rng_state) },
	{ 5, sizeof(struct balloon_state) }, { 19, sizeof(struct vsock_state) },
};

static void part_device(struct walk *w, unsigned i, struct device_state *d)
{
	move(w, &d->id, sizeof(d->id));
	for (size_t k = 0; k < ARRAY_LEN(device_sizes); k++)
		if (device_sizes[k].id == d->id) {
			part(w, DEVICE, i, &d->u, device_sizes[k].bytes);
			return;
		}
	w->bad = true;
}

static bool is_bool(const bool *b)
{
	uint8_t v;

	memcpy(&v, b, sizeof(v));
	return v <= 1;
}

/* What C may not even look at when it is neither 0 nor 1. */
static bool has_good_bools(const struct device_state *d)
{
	const struct virtio_state *v = &d->u.rng.dev; /* each begins with it */
	bool good = true;

	for (unsigned i = 0; i < VIRTIO_MAX_QUEUES; i++)
		good = good && is_bool(&v->queues[i].ready);
	if (d->id == 5)
		good = good && is_bool(&d->u.balloon.stats_held);
	if (d->id == 19)
		good = good && is_bool(&d->u.vsock.reset_owed);
	return good;
}

/* --- the whole */

static bool has_shape(const struct machine_shape *s)
{
	return s->n_vcpus && s->n_vcpus <= MAX_VCPUS && s->n_devices <= VIRTIO_MAX &&
	       s->generation_id_gpa >= ACPI_BASE && s->generation_id_gpa <= ACPI_END - GENERATION_BYTES;
}

static void walk_all(struct walk *w, struct machine_state *s)
{
	part(w, SHAPE, 0, &s->shape, sizeof(s->shape));
	if (w->bad || !has_shape(&s->shape)) {
		w->bad = true;
		return;
	}
	part(w, VM, 0, &s->vm, sizeof(s->vm));
	part(w, IOAPIC, 0, &s->ioapic, sizeof(s->ioapic));
	part(w, SERIAL, 0, &s->serial, sizeof(s->serial));
	part(w, POWER, 0, &s->power, sizeof(s->power));
	for (unsigned i = 0; i < s->shape.n_vcpus && !w->bad; i++)
		part_vcpu(w, i, &s->vcpus[i]);
	for (unsigned i = 0; i < s->shape.n_devices && !w->bad; i++)
		part_device(w, i, &s->devices[i]);
}

static void checksum(const uint8_t *bytes, size_t n, uint8_t ret[SHA256_BYTES])
{
	struct sha256 h;

	sha256_init(&h);
	sha256_add(&h, bytes, n);
	sha256_end(&h, ret);
}

long state_print(const struct machine_state *s, uint8_t *to, size_t room)
{
	struct head h = { .magic = MAGIC, .version = STATE_VERSION };
	struct walk w = { to, room, false, false };
	size_t n;

	move(&w, &h, sizeof(h));
	walk_all(&w, (struct machine_state *)s); /* which is only read */
	if (w.bad || w.left < SHA256_BYTES)
		return -ENOSPC;
	n = (size_t)(w.at - to);
	h.bytes = (uint32_t)(n + SHA256_BYTES);
	memcpy(to, &h, sizeof(h));
	checksum(to, n, to + n);
	return (long)h.bytes;
}

static int check_head(const uint8_t *bytes, size_t n, struct err *e)
{
	uint8_t sum[SHA256_BYTES];
	struct head h;

	if (n < sizeof(h) + SHA256_BYTES || n > STATE_MAX)
		return err_set(e, EINVAL, "the saved state is truncated");
	memcpy(&h, bytes, sizeof(h));
	if (memcmp(h.magic, MAGIC, MAGIC_BYTES) != 0)
		return err_set(e, EINVAL, "this is no saved state of a machine");
	if (h.version != STATE_VERSION)
		return err_set(e, EPROTO, "the saved state has version %u; this Ketch reads version %u",
			       h.version, STATE_VERSION);
	if (h.bytes != n)
		return err_set(e, EINVAL, "the saved state is truncated");
	checksum(bytes, n - SHA256_BYTES, sum);
	return memcmp(sum, bytes + n - SHA256_BYTES, SHA256_BYTES)
		       ? err_set(e, EBADMSG, "the saved state is damaged: its checksum differs")
		       : 0;
}

int state_parse(const uint8_t *bytes, size_t n, struct machine_state *ret, struct err *e)
{
	struct walk w = { .reading = true };
	int r = check_head(bytes, n, e);

	if (r < 0)
		return r;
	w.at = (uint8_t *)bytes + sizeof(struct head); /* which is only read */
	w.left = n - sizeof(struct head) - SHA256_BYTES;
	walk_all(&w, ret);
	for (unsigned i = 0; i < ret->shape.n_devices && !w.bad; i++)
		w.bad = !has_good_bools(&ret->devices[i]);
	return w.bad || w.left ? err_set(e, EINVAL, "the saved state is malformed") : 0;
}
