/* ioapic.c - the I/O interrupt controller: redirection entries become routes of KVM */
#include "vmm/ioapic.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>

/* Registers in memory, and those behind the window (82093AA, section 3). */
enum { REG_SELECT = 0x00, REG_WINDOW = 0x10 };
enum { IDX_ID = 0, IDX_VERSION = 1, IDX_ARBITRATION = 2, IDX_ENTRIES = 0x10 };

#define VERSION	       0x20
#define ENTRY_MASKED   (UINT64_C(1) << 16)
#define ENTRY_WRITABLE UINT64_C(0xff0000000001afff) /* not: delivery status, remote IRR, reserved */
#define ID_BITS	       0x0f000000u

/* --- routes */

struct routing {
	struct kvm_irq_routing head;
	struct kvm_irq_routing_entry entries[GSI_N];
};

/* The message that an entry stands for (Intel SDM 3A, 11.11): vector, delivery and destination mode. */
static void add_route(struct routing *r, unsigned gsi, uint64_t entry)
{
	struct kvm_irq_routing_entry *e = &r->entries[r->head.nr++];
	uint32_t dest = (uint32_t)(entry >> 56), logical = (uint32_t)(entry >> 11) & 1;

	*e = (struct kvm_irq_routing_entry){ .gsi = gsi, .type = KVM_IRQ_ROUTING_MSI };
	e->u.msi.address_lo = (uint32_t)LAPIC_BASE | dest << 12 | logical << 2;
	e->u.msi.data = (uint32_t)entry & 0x7ff; /* edge: bit 15 is 0 */
}

static void tell_kvm(struct ioapic *a)
{
	struct routing r;

	if (a->vm_fd < 0)
		return;
	memset(&r.head, 0, sizeof(r.head));
	for (unsigned i = 0; i < GSI_N; i++)
		if (!(a->s.entries[i] & ENTRY_MASKED))
			add_route(&r, i, a->s.entries[i]);
	/* it can fail for want of memory only: the old routes stay then, and the guest waits for an interrupt */
	ioctl(a->vm_fd, KVM_SET_GSI_ROUTING, &r);
}

/* A masked entry is none, whatever else it says. */
static uint64_t effective(uint64_t entry)
{
	return entry & ENTRY_MASKED ? ENTRY_MASKED : entry;
}

/* --- registers */

static uint32_t read_window(const struct ioapic *a)
{
	uint32_t i = a->s.select, n = i - IDX_ENTRIES;

	if (i == IDX_ID || i == IDX_ARBITRATION)
		return a->s.id;
	if (i == IDX_VERSION)
		return VERSION | (GSI_N - 1) << 16;
	if (i < IDX_ENTRIES || n / 2 >= GSI_N)
		return 0;
	return (uint32_t)(a->s.entries[n / 2] >> (n & 1 ? 32 : 0));
}

static void write_window(struct ioapic *a, uint32_t v)
{
	uint32_t i = a->s.select, n = i - IDX_ENTRIES;
	uint64_t *entry, old;

	if (i == IDX_ID)
		a->s.id = v & ID_BITS;
	if (i < IDX_ENTRIES || n / 2 >= GSI_N)
		return;
	entry = &a->s.entries[n / 2];
	old = *entry;
	if (n & 1)
		*entry = (*entry & UINT32_MAX) | ((uint64_t)v << 32 & ENTRY_WRITABLE);
	else
		*entry = (*entry & ~(uint64_t)UINT32_MAX) | (v & ENTRY_WRITABLE);
	if (effective(old) != effective(*entry))
		tell_kvm(a);
}

uint32_t ioapic_read(struct ioapic *a, uint32_t offset)
{
	uint32_t v = 0;

	pthread_mutex_lock(&a->lock);
	if (offset == REG_SELECT)
		v = a->s.select;
	else if (offset == REG_WINDOW)
		v = read_window(a);
	pthread_mutex_unlock(&a->lock);
	return v;
}

void ioapic_write(struct ioapic *a, uint32_t offset, uint32_t v)
{
	pthread_mutex_lock(&a->lock);
	if (offset == REG_SELECT)
		a->s.select = v & 0xff;
	else if (offset == REG_WINDOW)
		write_window(a, v);
	pthread_mutex_unlock(&a->lock);
}

void ioapic_init(struct ioapic *a, int vm_fd)
{
	*a = (struct ioapic){ .vm_fd = vm_fd };
	pthread_mutex_init(&a->lock, NULL);
	for (unsigned i = 0; i < GSI_N; i++)
		a->s.entries[i] = ENTRY_MASKED;
}

void ioapic_save(struct ioapic *a, struct ioapic_state *ret)
{
	pthread_mutex_lock(&a->lock);
	*ret = a->s;
	pthread_mutex_unlock(&a->lock);
}

/* Only what the guest could have written itself; KVM takes a hundred microseconds for routes, also for those that it has. */
void ioapic_restore(struct ioapic *a, const struct ioapic_state *s)
{
	bool changed = false;

	pthread_mutex_lock(&a->lock);
	for (unsigned i = 0; i < GSI_N; i++) {
		uint64_t entry = s->entries[i] & ENTRY_WRITABLE;

		changed |= effective(entry) != effective(a->s.entries[i]);
		a->s.entries[i] = entry;
	}
	a->s.select = s->select & 0xff;
	a->s.id = s->id & ID_BITS;
	if (changed)
		tell_kvm(a);
	pthread_mutex_unlock(&a->lock);
}

int ioapic_connect(struct ioapic *a, int fd, unsigned gsi)
{
	struct kvm_irqfd irq = { .fd = (uint32_t)fd, .gsi = gsi };

	return ioctl(a->vm_fd, KVM_IRQFD, &irq) < 0 ? -errno : 0;
}
