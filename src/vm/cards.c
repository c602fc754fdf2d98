/* cards.c - network cards of a VM: a tap of the boot document for each network that it is on, and one to spare */
#include "vm/cards.h"

#include <errno.h>
#include <stdio.h>

#include "vm/driver.h"
#include "vm/share.h"

/* Before the start, in a plan that is only printed, there is no address yet. */
static const char *mac_of(const struct net_attachment *a)
{
	return a->given.mac ? a->given.mac : a->mac ? a->mac : "?";
}

bool card_get(const struct instance_spec *s, size_t i, struct card *ret)
{
	const struct net_spec *n = &s->net;

	if (s->network != NETWORK_ATTACHED || i > n->n_attachments ||
	    (i == n->n_attachments && !n->spare.mac))
		return false;
	snprintf(ret->from, sizeof(ret->from), "fd:tap/%zu", i);
	ret->mac = i < n->n_attachments ? mac_of(&n->attachments[i]) : n->spare.mac;
	return true;
}

size_t cards_count(const struct instance_spec *s)
{
	size_t n = 0;
	struct card c;

	while (card_get(s, n, &c))
		n++;
	return n;
}

int cards_check(const struct instance_spec *s, struct err *e)
{
	size_t shares = share_count(s), cards = cards_count(s), layers = (size_t)s->vm.layer_disks;

	if (shares + cards + layers <= MACHINE_MAX_EXTRA)
		return 0;
	return err_set(
		e, E2BIG,
		"%zu mounts, %zu networks and %zu layers; a virtual machine can have %d of them together",
		shares, cards, layers, MACHINE_MAX_EXTRA);
}
