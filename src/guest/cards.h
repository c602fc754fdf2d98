/* cards.h - network cards of this machine: which is which, and which of them the workload sees
 *
 * A card without a driver is no interface.  So those that the machine has to spare, for networks that the instance comes
 * onto later, have none: they are given one when they are needed, and are rid of it when they are not.
 */
#ifndef GUEST_CARDS_H
#define GUEST_CARDS_H

#include <net/if.h>

#include "base/err.h"

/* Loads the driver of the list "modules.net" without giving it any card.  initramfs: see system_set_up. */
int cards_load_driver(int initramfs, struct err *e);
/* Gives the card with this address its driver, unless it has it; ret: the name of its interface.  Which card that is, is
 * known only when it has one: others may get theirs on the way (cards_keep). */
int card_use(const char *mac, char ret[IF_NAMESIZE], struct err *e);
/* Takes the driver from every card that has one, but for the n with these addresses. */
int cards_keep(const char *const *macs, size_t n, struct err *e);
/* Its interface goes. */
int card_drop(const char *mac, struct err *e);

#endif
