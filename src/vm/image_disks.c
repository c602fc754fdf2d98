/* image_disks.c - the image as read-only disks of a VM: one for each layer, or one with all of it */
#include "vm/image_disks.h"

#include <stdio.h>

#include "vm/cards.h"
#include "vm/driver.h"
#include "vm/share.h"

bool image_disk_get(const struct instance_spec *s, size_t i, struct image_disk *ret)
{
	size_t n = (size_t)s->vm.layer_disks;

	if (!n) {
		snprintf(ret->serial, sizeof(ret->serial), GUEST_ROOT);
		snprintf(ret->from, sizeof(ret->from), "fd:" GUEST_ROOT);
		return i == 0;
	}
	guest_layer_serial(i, ret->serial);
	snprintf(ret->from, sizeof(ret->from), "fd:layer/%zu", i);
	return i < n;
}

int image_disks_choose(const struct instance_spec *s)
{
	size_t n = s->layers.n;

	return n <= GUEST_LAYERS_MAX && n + share_count(s) + cards_count(s) <= MACHINE_MAX_EXTRA ? (int)n : 0;
}
