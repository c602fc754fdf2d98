/* net_int.h - networks as the other files of the engine need them */
#ifndef ENGINE_NET_INT_H
#define ENGINE_NET_INT_H

#include "base/ip.h"
#include "engine/engine_int.h"
#include "engine/network.h"
#include "instance/boot.h"
#include "network/firewall.h"
#include "network/pool.h"

/* A change of networks, under the lock of the run root.  Start from NET_WORK_NONE, with net_begin; net_end also after a failure. */
struct net_work {
	struct engine *en;
	int dir, lock, rt; /* dir: RUN_ROOT/networks; rt: rtnetlink of the host */
	struct firewall wall;
	struct boot *
		boot; /* its monitor awaits the name services that are started; NULL: they are awaited here */
	struct lease_world world;
	struct lease *gone; /* rows that gave way: their rules and names are still to go */
	size_t n_gone;
	bool oom;
};
#define NET_WORK_NONE                                                                                        \
	{                                                                                                    \
		.dir = -1, .lock = -1, .rt = -1, .wall.fd = -1                                               \
	}
int net_begin(struct engine *en, struct net_work *w, struct err *e);
void net_end(struct net_work *w);
/* start_hold_off and net_begin for a change of one instance's networks, until what both found is of one moment. */
int net_begin_for(struct engine *en, struct instance *in, int *ret_lock, struct net_work *w, struct err *e);
/* Commits a transaction in which rows may have gone, and what else there is of them goes, too: rules and names before the
 * commit, so that of who is killed the rows still tell; links: and their links, which the kernel takes its time for. */
int net_commit(struct net_work *w, struct db_tx *tx, bool links, struct err *e);
/* The first half of it, and what is left then: for who need not hold the records meanwhile. */
int net_close_gone(struct net_work *w, struct err *e);
int net_commit_closed(struct net_work *w, struct db_tx *tx, bool links, struct err *e);
/* network_release for who holds the lock of the instance.  A link goes with the network namespace that it leads to; links:
 * also where that lives on. */
int net_release_held(struct engine *en, const char *instance, bool links, struct err *e);

/* net_outside.c: the rule set of the store and the name services of its networks; under the lock. */
struct firewall net_firewall(const struct engine *en);
/* Looks at all rules and puts back what is missing. */
int net_renew_rules(struct net_work *w, struct err *e);
/* net_names.c: has the name service of a network know who is there; without anybody it ends.  And those of the networks that
 * an instance of it is on, too, which sees who is there by any of them. */
int net_renew_names(struct net_work *w, const struct network *n, struct err *e);
/* The same for the networks of ports that go, whose rows are there still. */
int net_leave_names(struct net_work *w, const struct lease *gone, size_t n_gone, struct err *e);
/* The same where it does not live, though it should. */
void net_mend_names(struct net_work *w, const struct network *n);
/* A new port: its rules, its names. */
int net_tell_port(struct net_work *w, const struct network *n, const struct lease *l, struct err *e);
/* The rules, rates and names of ports that go.  Before their rows do: who is killed between leaves what the rows tell of. */
void net_close_ports(struct net_work *w, const struct lease *list, size_t n);
/* Rules of those that are there, where they name instances: who they mean has changed. */
int net_renew_named(struct net_work *w, struct err *e);
/* A network has gone. */
int net_forget_network(struct net_work *w, const struct network *n, struct err *e);
/* Was that the last bridge?  Then the host becomes as it was before us. */
int net_leave_host(struct net_work *w, struct err *e);

/* network_request.c: checks the request; the rest of *n is filled in by the address plan. */
int net_from_request(const struct network_request *rq, struct network *n, struct err *e);

/* net_peers.c: rules with addresses instead of names; pure. */
struct net_known {
	const struct network *networks;
	const struct lease *leases;
	size_t n_networks, n_leases;
};
struct net_peers {
	struct net_rule *rules; /* borrow from the lease and `words` */
	size_t n;
	struct strv words;
};
bool net_has_named_peers(const struct lease *l);
/* 0 or -ENOMEM; *ret by net_peers_done, also then. */
int net_peers_resolve(const struct lease *l, const struct net_known *k, struct net_peers *ret);
void net_peers_done(struct net_peers *p);

/* net_publish.c: holds one published port of an instance on network n: a descriptor; p->host_port is chosen where it was 0.
 * -EADDRINUSE names who has it. */
int net_reserve(struct net_work *w, const struct network *n, struct published_port *p, struct err *e);
/* Can only one of both be held? */
bool net_ports_meet(const struct published_port *a, const struct published_port *b);
/* "port/tcp/127.0.0.1:8080": under what name the monitor has it; kind: "port", "relay6". */
#define NET_PORT_NAME_MAX 80
void net_port_name(const char *kind, const struct published_port *p, char ret[NET_PORT_NAME_MAX]);
/* Where its ports lead; false: it was given no address. */
bool net_own_address(const struct net_port *given, struct ip *ret);
/* All of them, by their names in the boot document. */
int net_reserve_all(struct net_work *w, const struct network *n, struct boot *b, struct err *e);
/* Those on [::1], which Linux does not route, get a relay; "relay6" of the boot document is its life. */
int net_relay(struct boot *b, const struct net_port *given, struct err *e);

/* net_hold.c: sockets of published ports that the monitor of a running instance has. */
struct net_holder {
	struct net_work *w;
	const struct instance *in;
	const struct network *n; /* its first */
	const struct lease *lease; /* there */
};
/* Chooses the port of the host, where there is a choice; on failure nothing is left of it. */
int net_hold(const struct net_holder *h, struct published_port *p, struct err *e);
int net_let_go(const struct net_holder *h, const struct published_port *p, struct err *e);
/* Relays of instances on n that do not live, though they should, are made anew. */
void net_mend_relays(struct net_work *w, const struct network *n);

/* net_outside.c: a port of the host leads to one that runs, or no more; its lease says so already. */
int net_publish(struct net_work *w, const struct network *n, const struct lease *l,
		const struct published_port *p, bool add, struct err *e);

/* net_rate.c: --net-rate of a port whose link is there. */
int net_set_rate(struct net_work *w, const struct lease *l, const struct net_rate *rate, struct err *e);
/* s->net.rate of all ports that a running instance has, or none any more. */
int net_change_rate(struct engine *en, const struct instance_spec *s, struct err *e);

/* network.c: the networks that every store has, made where they are missing. */
int net_ensure_defaults(struct engine *en, struct err *e);

/* net_resolve.c: ids of the networks that the request names; make: also that of "bridge", where it is missing. */
int net_resolve(struct engine *en, struct instance_spec *s, bool make, struct err *e);

/* Can the instance be on this network, as its attachment of that index?  What passes a network of driver macvlan no rule of
 * ours sees. */
int net_check_driver(const struct instance_spec *s, size_t index, const struct network *n, struct err *e);

/* One of them; -ENOENT. */
int net_resolve_one(struct engine *en, struct net_attachment *a, struct network *ret, struct err *e);

struct net_wiring;
struct net_begins {
	bool saved; /* it goes on with its memory */
	bool again; /* its monitor starts it again: since its record was read others may have changed its networks */
};
/* net_start.c: an instance is about to start: its leases, links and rules; descriptors and what was given go into *b.
 * *ret: what is still to be done, for net_finish, under the lock of the networks; NULL: nothing. */
int net_start(struct engine *en, struct boot *b, const struct net_begins *how, struct net_wiring **ret,
	      struct err *e);
/* Once the monitor is there, which is told how it went, and says so to whoever started the instance.  NULL is allowed. */
void net_finish(struct net_wiring *l);
struct net_wiring *net_wiring_free(struct net_wiring *l); /* NULL */
/* net_pool.c: asks the pool of the first network of one that is about to start; for pool_answer, or negative. */
int net_pool_ask(struct engine *en, const struct instance_spec *s);
/* The pool has what is not usable: it ends, and net_renew_names starts another. */
void net_pool_renew(struct net_work *w, const struct network *n);
/* net_lease.c.  The name of the port's link on the host, new. */
char *net_link_name(void);
/* A port of `in` on network n: its lease, but for the addresses. */
int net_fill_lease(const struct instance_spec *s, size_t index, const struct network *n, struct lease *ret,
		   struct err *e);

/* Link and MAC of the card that a machine has for a network to come. */
int net_spare(const struct instance_spec *s, struct net_port *ret, struct err *e);
/* net_share.c: the network namespace of a running container; *in is brought up to date. */
int net_open_of(struct engine *en, struct instance *in, struct err *e);
/* The same for its root directory (O_PATH). */
int net_open_root_of(struct engine *en, struct instance *in, struct err *e);

/* The first network that leads out has the default routes: the gateways of n with `route`, and its name service.  0 or
 * -ENOMEM. */
int net_set_gateways(const struct network *n, bool route, struct net_port *p);

/* net_share.c: --network container:ID. */
int net_share(struct engine *en, struct boot *b, struct err *e);
/* Default routes of a running instance over a port that it has; the port's row says so, too. */
int net_route_over(struct engine *en, struct instance *in, const struct network *n, struct net_port *p,
		   struct err *e);

#endif
