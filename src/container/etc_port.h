/* etc_port.h - /etc/hosts and /etc/resolv.conf of an instance that comes onto a network, or leaves it, while it runs */
#ifndef CONTAINER_ETC_PORT_H
#define CONTAINER_ETC_PORT_H

#include <stdbool.h>

#include "instance/spec.h"

/* The lines that its start would have made of this port (plan_etc.c) come, or go; what else is there stays.  root: of the
 * processes (O_PATH).  Nothing happens to what is no regular file on a tmpfs, as ours
 * are, or is a mount of the user's. */
void etc_port_change(int root, const struct instance_spec *s, const struct net_port *p, bool leaves);

#endif
