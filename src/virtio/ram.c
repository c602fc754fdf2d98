/* ram.c - the guest's RAM: the one place that turns its addresses into ours */
#include "virtio/ram.h"

const struct ram_slot *ram_slot_of(const struct ram *r, uint64_t gpa, uint64_t n)
{
	for (unsigned i = 0; i < r->n; i++) {
		const struct ram_slot *s = &r->slots[i];

		if (n && gpa >= s->gpa && gpa - s->gpa < s->bytes && n <= s->bytes - (gpa - s->gpa))
			return s;
	}
	return NULL;
}

void *ram_at(const struct ram *r, uint64_t gpa, uint64_t n)
{
	const struct ram_slot *s = ram_slot_of(r, gpa, n);

	return s ? s->host + (gpa - s->gpa) : NULL;
}

static void mark(const struct ram *r, uint64_t offset, uint64_t n)
{
	const uint64_t last = (offset + n - 1) / RAM_PAGE;

	for (uint64_t page = offset / RAM_PAGE; page <= last; page++)
		__atomic_fetch_or(&r->dirty[page / 64], UINT64_C(1) << page % 64, __ATOMIC_RELAXED);
}

void ram_mark(const struct ram *r, const volatile void *host, uint64_t n)
{
	const volatile uint8_t *at = host;

	if (!n || !r->dirty || !r->tracked || !__atomic_load_n(r->tracked, __ATOMIC_ACQUIRE))
		return;
	for (unsigned i = 0; i < r->n; i++) {
		const struct ram_slot *s = &r->slots[i];

		if (at >= s->host && (uint64_t)(at - s->host) < s->bytes)
			mark(r, s->offset + (uint64_t)(at - s->host), n);
	}
}

uint64_t ram_size(const struct ram *r)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < r->n; i++)
		bytes += r->slots[i].bytes;
	return bytes;
}
