/* pool_int.h - what the files of `ketch-net pool` share
 *
 * Two processes.  The *maker* has the rights to make links and namespaces, and hears nothing but that one more is wanted.
 * The *giver* has no rights; it holds what is ready, and hands it to whoever connects (root alone can).  So it answers at
 * once, also while a port is made.  Each ends when the other has gone.
 */
#ifndef NETWORK_POOL_INT_H
#define NETWORK_POOL_INT_H

#include "network/pool.h"

/* With a descriptor: from the maker to the giver, and on to who asked. */
struct pool_message {
	char link[NET_IFNAME_MAX];
	int32_t index;
};
/* Is it one that a maker may have sent? */
bool pool_message_check(const struct pool_message *m);

struct pool_maker {
	char *id, *bridge; /* of the network */
	uint32_t mtu, isolate, ipv6;
	int link_fd; /* to the giver: a byte from it is a port for it */
	int rt, netns_fd; /* the host's */
	int settings_fd; /* /proc/sys/net, which is that of the namespace that one is in */
};
/* Until the giver has gone; never returns. */
void pool_make(struct pool_maker *m) __attribute__((noreturn));

struct pool_giver {
	uint32_t size;
	int link_fd, socket_fd, lock_fd;
	int events_fd; /* inotify: something happens to the lock */
};
/* Until the network has gone or the maker has; never returns. */
void pool_give(const struct pool_giver *g) __attribute__((noreturn));

#endif
