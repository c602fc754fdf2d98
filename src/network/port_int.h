/* port_int.h - what the files about ports share */
#ifndef NETWORK_PORT_INT_H
#define NETWORK_PORT_INT_H

#include "network/port.h"
#include "sys/netlink.h"

/* What the kernel said about `what`; returns r. */
int port_fail(struct err *e, int r, const struct nl_failure *f, const char *what);
/* Of the link of an instance; owned; NULL: out of memory. */
char *port_alias(const char *instance);
/* --isolate, where the network has it. */
int port_isolate(int rt, const struct network *n, const char *link, struct err *e);

#endif
