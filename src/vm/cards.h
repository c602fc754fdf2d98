/* cards.h - network cards of a VM: a tap of the boot document for each network that it is on, and one to spare
 *
 * Machines with virtio-mmio can be given no card later, so a machine that is on a network starts with one more, on a tap
 * that is on no bridge: net_spec.spare.  The guest knows its cards by their addresses.
 */
#ifndef VM_CARDS_H
#define VM_CARDS_H

#include "instance/plan.h"
#include "instance/spec.h"

#define CARD_FROM_MAX 32

struct card {
	char from[CARD_FROM_MAX]; /* "fd:tap/0" */
	const char *mac; /* borrowed */
};

/* The i-th card, the spare being the last; false: there are not so many. */
bool card_get(const struct instance_spec *s, size_t i, struct card *ret);
size_t cards_count(const struct instance_spec *s);
/* Is there room for them on the machine's bus, and for a spare? */
int cards_check(const struct instance_spec *s, struct err *e);

#endif
