/* reserve.h - a published port is held by a socket that nobody accepts on (but a relay, network/relay6.h): so nobody else
 * takes it, and the answer to "in use" is exact
 */
#ifndef NETWORK_RESERVE_H
#define NETWORK_RESERVE_H

#include "base/err.h"
#include "instance/net_spec.h"

/* Binds the port of the host; where none is said (0), any that the kernel finds free (ip_local_port_range); where several
 * are (host_last), the first of them that is.  p->host_port is the one that it is now.  A descriptor, O_CLOEXEC;
 * -EADDRINUSE: e says it without who has it; -EADDRNOTAVAIL: the address is none of this host. */
int reserve_port(struct published_port *p, struct err *e);
/* Who has it on this host: "nginx (process 812)", "another process".  Owned by the caller; NULL: memory is out. */
char *reserve_holder(const struct published_port *p);

/* The inode of the socket in a file of /proc/net (tcp, tcp6, udp, udp6) that has the local port; 0: none.  listening: only
 * one in state LISTEN.  Pure. */
unsigned long reserve_find_inode(const char *table, uint32_t port, bool listening);

#endif
