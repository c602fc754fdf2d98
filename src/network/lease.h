/* lease.h - what instances have been given on networks, as long as they run
 *
 * A row of table lease is one port of one instance.  Its address, its IPv6 address and its hardware address are unique on
 * their network by the database's own rules, so nothing is given twice.  A row is only worth what its instance is: of one
 * that does not run, or of an earlier boot of the host, it is nobody's and gives way.
 *
 * All functions are for within a transaction of the caller, where they change something.
 */
#ifndef NETWORK_LEASE_H
#define NETWORK_LEASE_H

#include <stdbool.h>

#include "network/network.h"

/* All that others on the host have to know about the port is in it, so that nobody has to read records of instances. */
struct lease {
	char *network, *instance; /* ids */
	char *boot; /* the host's boot id */
	struct net_port port;
	struct strv names; /* that it answers to on this network: its own, aliases, the short id */
	struct published_port *ports; /* with their host ports; of its first network alone */
	size_t n_ports;
	struct net_rule *rules;
	size_t n_rules;
	struct strv egress;
	bool egress_given, egress_learn;
	bool dhcp; /* has no agent of ours */
};
extern const struct jtable lease_table; /* but for network, instance and boot */
void lease_done(struct lease *l);
/* A deep copy.  0 or -ENOMEM. */
int lease_copy(const struct lease *l, struct lease *ret);
void leases_free(struct lease *l, size_t n);

/* What the caller knows about instances. */
struct lease_world {
	const char *boot; /* now */
	bool (*is_live)(void *arg, const char *instance);
	/* A row that has gone because its instance does not run. */
	void (*gone)(void *arg, const struct lease *l);
	void *arg;
};

/* Gives an instance its addresses on a network: those of `a` that were asked for, else those that it had there before, else
 * the next free ones.  *l: but for network, boot and the addresses of its port the caller has filled it in.  What it had
 * there before is told to w->gone.  -EADDRINUSE, -ENOSPC. */
int lease_take(struct db *db, const struct network *n, const struct net_attachment *a,
	       const struct lease_world *w, struct lease *l, struct err *e);
/* Writes what has changed in it beside the addresses. */
int lease_change(struct db *db, const struct lease *l, struct err *e);
/* By network and instance; NULL: all. */
int lease_list(struct db *db, const char *network, const char *instance, struct lease **ret, size_t *ret_n,
	       struct err *e);
/* All of a network, and behind them, network by network, all of those that an instance of it is on, too. */
int lease_list_beside(struct db *db, const char *network, struct lease **ret, size_t *ret_n, struct err *e);
/* 1: a row has rules that name a peer (an address or a name); 0: none has. */
int lease_any_peer(struct db *db, struct err *e);
/* Of one network, or of all (NULL). */
int lease_remove(struct db *db, const char *network, const char *instance, struct err *e);
/* Removes the rows of a network (NULL: of all) whose instances do not run. */
int lease_sweep(struct db *db, const char *network, const struct lease_world *w, struct err *e);

#endif
