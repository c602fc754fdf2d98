/* machine_state.c - the parts of a machine are gathered into its saved form, and take it on */
#include "vmm/machine_state.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/auto.h"

#define GENERATION_BYTES 16

/* --- devices: a row for each kind */

#define KIND(number, type, member)                                                                           \
	static void save_##type(struct virtio_dev *d, struct device_state *ret)                              \
	{                                                                                                    \
		type##_save((struct type *)d, &ret->u.member);                                               \
	}                                                                                                    \
	static int restore_##type(struct virtio_dev *d, const struct device_state *s)                        \
	{                                                                                                    \
		return type##_restore((struct type *)d, &s->u.member);                                       \
	}                                                                                                    \
	enum { id_of_##type = (number) }

static void rng_save(const struct rng *r, struct rng_state *ret)
{
	virtio_save(&r->dev, &ret->dev);
}

static int rng_restore(struct rng *r, const struct rng_state *s)
{
	return virtio_restore(&r->dev, &s->dev);
}

KIND(1, net, net);
KIND(2, block, block);
KIND(3, console, console);
KIND(4, rng, rng);
KIND(5, balloon, balloon);
KIND(19, vsock, vsock);

static const struct kind {
	uint32_t id;
	void (*save)(struct virtio_dev *d, struct device_state *ret);
	int (*restore)(struct virtio_dev *d, const struct device_state *s);
} kinds[] = {
	{ id_of_net, save_net, restore_net },
	{ id_of_block, save_block, restore_block },
	{ id_of_console, save_console, restore_console },
	{ id_of_rng, save_rng, restore_rng },
	{ id_of_balloon, save_balloon, restore_balloon },
	{ id_of_vsock, save_vsock, restore_vsock },
};

static const struct kind *kind_of(const struct virtio_dev *d)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].id == d->ops->id)
			return &kinds[i];
	return NULL;
}

static int save_devices(struct machine *m, struct machine_state *ret, struct err *e)
{
	for (unsigned i = 0; i < m->n_devices; i++) {
		const struct kind *k = kind_of(m->devices[i]);

		if (!k)
			return err_set(e, ENOTSUP,
				       "the machine has a device of the kind %s, whose state cannot be saved",
				       m->devices[i]->ops->name);
		ret->devices[i].id = k->id;
		k->save(m->devices[i], &ret->devices[i]);
	}
	return 0;
}

static int restore_device(struct virtio_dev *d, const struct device_state *s, unsigned i, struct err *e)
{
	const struct kind *k = kind_of(d);

	if (!k || k->id != s->id || k->restore(d, s) < 0)
		return err_set(e, EINVAL, "device %u, %s, cannot have the saved state", i, d->ops->name);
	return 0;
}

/* Nobody serves them, or they are held. */
static int restore_devices(struct machine *m, const struct machine_state *s, struct err *e)
{
	int r = 0;

	for (unsigned i = 0; i < m->n_devices && r == 0; i++)
		r = restore_device(m->devices[i], &s->devices[i], i, e);
	return r;
}

/* --- serial port and event device */

static void save_ports(struct machine *m, struct machine_state *ret)
{
	serial_save(&m->serial, &ret->serial);
	ret->power.pending = __atomic_load_n(&m->power.s.pending, __ATOMIC_SEQ_CST);
}

static void restore_ports(struct machine *m, const struct machine_state *s)
{
	serial_restore(&m->serial, &s->serial);
	__atomic_store_n(&m->power.s.pending, s->power.pending, __ATOMIC_SEQ_CST);
}

/* The 16 bytes by which a guest sees that it is another one now; its kernel takes them as a seed, too. */
static int renew_generation(struct machine *m, uint64_t gpa, struct err *e)
{
	uint8_t *at = ram_at(&m->ram, gpa, GENERATION_BYTES), id[GENERATION_BYTES];

	if (!at || getrandom(id, sizeof(id), 0) != sizeof(id))
		return err_set(e, EINVAL, "the machine has no place for its generation ID");
	memcpy(at, id, sizeof(id));
	ram_mark(&m->ram, at, sizeof(id));
	power_event(&m->power, GED_NEW_GENERATION);
	return 0;
}

/* --- the whole */

static int check_shape(const struct machine *m, const struct machine_shape *s, struct err *e)
{
	const uint64_t bytes = ram_size(&m->ram);

	if (bytes != s->ram_bytes)
		return err_set(e, EINVAL, "it was saved with %llu bytes of memory, the machine has %llu",
			       (unsigned long long)s->ram_bytes, (unsigned long long)bytes);
	if (m->n_vcpus != s->n_vcpus)
		return err_set(e, EINVAL, "it was saved with %u vcpus, the machine has %u", s->n_vcpus,
			       m->n_vcpus);
	if (m->n_devices != s->n_devices)
		return err_set(e, EINVAL, "it was saved with %u devices, the machine has %u", s->n_devices,
			       m->n_devices);
	return 0;
}

int machine_state_get(struct machine *m, struct arch_registers *registers, struct machine_state *ret,
		      struct err *e)
{
	int r = arch_vm_save(m->vm_fd, &ret->vm, e);

	ret->shape = (struct machine_shape){ .ram_bytes = ram_size(&m->ram),
					     .generation_id_gpa = m->generation_id_gpa,
					     .n_vcpus = m->n_vcpus,
					     .n_devices = m->n_devices };
	for (unsigned i = 0; i < m->n_vcpus && r == 0; i++)
		r = arch_vcpu_save(m->vcpus[i].fd, registers, &ret->vcpus[i], e);
	if (r < 0)
		return r;
	ioapic_save(&m->ioapic, &ret->ioapic);
	save_ports(m, ret);
	return save_devices(m, ret, e);
}

int machine_state_apply(struct machine *m, const struct machine_state *s, bool anew, struct err *e)
{
	int r = check_shape(m, &s->shape, e);

	if (r == 0)
		r = arch_vm_restore(m->vm_fd, &s->vm, e);
	for (unsigned i = 0; i < m->n_vcpus && r == 0; i++)
		r = arch_vcpu_restore(m->vcpus[i].fd, &s->vcpus[i], anew, e);
	if (r < 0)
		return r;
	ioapic_restore(&m->ioapic, &s->ioapic); /* before the lines that it routes */
	restore_ports(m, s);
	r = restore_devices(m, s, e);
	m->generation_id_gpa = s->shape.generation_id_gpa;
	return r < 0 ? r : renew_generation(m, s->shape.generation_id_gpa, e);
}
