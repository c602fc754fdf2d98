/* pool.h - ports of a network that are ready before anybody asks: --opt pool=N
 *
 *	RUN_ROOT/networks/ID/pool.lock   held by its `ketch-net pool` while that lives; it ends when this is removed
 *	RUN_ROOT/networks/ID/pool        where ports are handed out
 *
 * A ready port is a network namespace with lo up, and a veth pair between it and the bridge, whose end there is
 * down: the kernel makes that in a millisecond, which a start need not wait for.  It has no address and no rule, and is held by nothing
 * but the open descriptor of its namespace, so it goes with the processes of the pool.  It is given away once.
 *
 * (A network_pool is something else: the addresses that a network gives away.)
 */
#ifndef NETWORK_POOL_H
#define NETWORK_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "network/port.h"

#define POOL_MAX 64

struct pool_port {
	char link[NET_IFNAME_MAX]; /* the host's end */
	int index; /* of the other one in its namespace, which is called eth0 */
	int netns_fd;
};

/* All of one network, under a lock of the caller.  dir_fd: RUN_ROOT/networks/ID. */
/* Starts the pool unless it lives, and does not wait for it. */
int pool_ensure(int dir_fd, const struct network *n, struct err *e);
/* Ends it, without waiting. */
void pool_end(int dir_fd);
bool pool_lives(int dir_fd);

/* --- by a lock of nobody; path: of the directory, at most POOL_PATH_MAX long */
#define POOL_PATH_MAX 90
/* Asks for one that is ready, and is answered while the caller does something else.  A descriptor for pool_answer; or -errno:
 * nothing is asked. */
int pool_ask(const char *path);
/* 1: *ret is the caller's.  0: there is none, and he makes his own; it is not waited until one is made.  Closes `asked`. */
int pool_answer(int asked, struct pool_port *ret);
/* How many are ready, as the kernel tells.  rt: rtnetlink of the host. */
int pool_count(int rt, const struct network *n, uint32_t *ret, struct err *e);

/* The program: `ketch-net pool ID BRIDGE SIZE MTU ISOLATE IPV6 LOCK SOCKET`; words: from ID on.  Returns its exit status. */
#define POOL_WORDS 8
int pool_run(char **words);

#endif
