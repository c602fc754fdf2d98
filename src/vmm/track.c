/* track.c - which pages of a machine's RAM have changed */
#include "vmm/track.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

static uint64_t *map_words(uint64_t words)
{
	void *at = mmap(NULL, words * sizeof(uint64_t), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

int track_init(struct track *t, struct machine *m)
{
	*t = (struct track){ .m = m, .words = (ram_size(&m->ram) / RAM_PAGE + 63) / 64 };
	t->pages = map_words(t->words);
	m->ram.dirty = map_words(t->words);
	m->ram.tracked = &t->on;
	return t->pages && m->ram.dirty ? 0 : -ENOMEM;
}

/* --- devices */

void track_hold(struct machine *m)
{
	for (unsigned i = 0; i < m->n_devices; i++)
		virtio_lock(m->devices[i]);
	for (unsigned i = 0; i < m->n_devices; i++)
		if (m->devices[i]->ops->settle)
			m->devices[i]->ops->settle(m->devices[i]);
}

void track_release(struct machine *m)
{
	for (unsigned i = m->n_devices; i--;)
		virtio_unlock(m->devices[i]);
}

/* --- the log */

static int set_log(struct machine *m, bool on)
{
	for (unsigned i = 0; i < m->ram.n; i++) {
		const struct ram_slot *s = &m->ram.slots[i];
		struct kvm_userspace_memory_region region = {
			.slot = i,
			.flags = on ? KVM_MEM_LOG_DIRTY_PAGES : 0,
			.guest_phys_addr = s->gpa,
			.memory_size = s->bytes,
			.userspace_addr = (uintptr_t)s->host,
		};

		if (ioctl(m->vm_fd, KVM_SET_USER_MEMORY_REGION, &region) < 0)
			return -errno;
	}
	return 0;
}

int track_start(struct track *t)
{
	int r;

	if (t->on)
		return 0;
	track_hold(t->m);
	memset(t->m->ram.dirty, 0, t->words * sizeof(uint64_t));
	__atomic_store_n(&t->on, true, __ATOMIC_RELEASE);
	track_release(t->m);
	r = set_log(t->m, true);
	if (r < 0)
		track_stop(t);
	return r;
}

void track_stop(struct track *t)
{
	if (!t->on)
		return;
	__atomic_store_n(&t->on, false, __ATOMIC_RELEASE);
	set_log(t->m, false);
}

int64_t track_look(struct track *t)
{
	const struct ram *ram = &t->m->ram;
	int64_t n = 0;

	for (unsigned i = 0; i < ram->n; i++) {
		struct kvm_dirty_log log = { .slot = i,
					     .dirty_bitmap =
						     t->pages + ram->slots[i].offset / RAM_PAGE / 64 };

		if (ioctl(t->m->vm_fd, KVM_GET_DIRTY_LOG, &log) < 0)
			return -errno;
	}
	for (uint64_t i = 0; i < t->words; i++) {
		if (__atomic_load_n(&ram->dirty[i], __ATOMIC_RELAXED))
			t->pages[i] |= __atomic_exchange_n(&ram->dirty[i], 0, __ATOMIC_SEQ_CST);
		n += __builtin_popcountll(t->pages[i]);
	}
	return n;
}
