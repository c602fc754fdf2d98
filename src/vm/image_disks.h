/* image_disks.h - the image as read-only disks of a VM: one for each layer, or one with all of it
 *
 * With few layers the guest stacks them itself, out of the same files that containers mount.  More would cost places on the
 * machine's bus and time at boot: then they are merged into one file first.
 */
#ifndef VM_IMAGE_DISKS_H
#define VM_IMAGE_DISKS_H

#include "instance/guest.h"

struct image_disk {
	char serial[GUEST_TAG_MAX]; /* as the guest finds it */
	char from[GUEST_TAG_MAX + 8]; /* "fd:layer/0" */
};

/* The i-th disk, the lowest layer first; false: there are not so many. */
bool image_disk_get(const struct instance_spec *s, size_t i, struct image_disk *ret);
/* What vm.layer_disks may be for this spec: the number of its layers, or 0 where one disk is better. */
int image_disks_choose(const struct instance_spec *s);

#endif
