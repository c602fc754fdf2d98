/* network.h - the networks that the instance is on, in its machine: cards become interfaces with addresses and routes */
#ifndef GUEST_NETWORK_H
#define GUEST_NETWORK_H

#include "instance/spec.h"

/* At the start: a card for each of spec.net.attachments, as it was given. */
int network_set_up(int initramfs, const struct instance_spec *s, struct err *e);
/* In a machine that was restored: its cards have other addresses than when their driver looked. */
int network_renew(const struct instance_spec *old, const struct instance_spec *now, struct err *e);
/* Does a change (instance/net_change.h) and notes it in s->net: its attachments are those that it has now.  pid: of its main
 * process, whose /etc is changed with it; 0: none. */
int network_change(struct instance_spec *s, int pid, const char *json, size_t len, struct err *e);

#endif
