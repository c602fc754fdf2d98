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
