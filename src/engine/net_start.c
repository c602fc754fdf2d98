/* net_start.c - an instance starts: what it gets on its networks, and the descriptors that make it so
 *
 * All under the lock of the run root: rows first, so that no address is given twice; then links; then rules and names, which
 * come while the monitor is at work already where that has to wait for them anyway.  What fails half-way is taken back by
 * network_release, which finds it by the rows.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/ip.h"
#include "base/parse.h"
#include "engine/net_int.h"
#include "network/pool.h"
#include "network/port.h"
#include "sys/ns.h"
#include "sys/rtnetlink.h"

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

static int give(struct boot *b, const char *name, int fd, struct err *e)
{
	fd = fd < 0 ? fd : fd_move_above_stdio(fd);
	if (fd < 0)
		return err_sys(e, -fd, "%s", name);
	if (boot_add_fd(b, name, fd) == 0)
		return 0;
	close(fd);
	return no_memory(e);
}

/* One start. */
struct start {
	struct net_work *w;
	struct boot *b;
	struct network nets[NET_MAX_ATTACHMENTS];
	struct lease leases[NET_MAX_ATTACHMENTS];
	int under[NET_MAX_ATTACHMENTS]; /* of port_network_ensure */
	size_t n;
	bool new_bridge;
	struct pool_port ready; /* for the first network; netns_fd 0: none */
};

static void start_done(struct start *st)
{
	if (st->ready.netns_fd)
		close(st->ready.netns_fd);
	for (size_t i = 0; i < NET_MAX_ATTACHMENTS; i++) {
		network_done(&st->nets[i]);
		lease_done(&st->leases[i]);
	}
}

static int find_networks(struct start *st, struct err *e)
{
	struct net_spec *n = &st->b->spec.net;
	int r = 0;

	if (n->n_attachments > NET_MAX_ATTACHMENTS)
		return err_set(e, E2BIG, "an instance can be on %d networks", NET_MAX_ATTACHMENTS);
	for (size_t i = 0; i < n->n_attachments && r >= 0; i++) {
		r = network_record_find(st->w->en->db, n->attachments[i].network, &st->nets[i], e);
		if (r == -ENOENT) /* the id says nothing to anybody */
			r = err_set(e, ENOENT, "network %s not found", n->attachments[i].network_name);
		if (r == 0)
			r = net_check_driver(&st->b->spec, i, &st->nets[i], e);
		if (r == 0)
			r = port_network_ensure(st->w->rt, &st->nets[i], &st->under[i], e);
		st->new_bridge |= r > 0;
	}
	st->n = n->n_attachments;
	return r < 0 ? r : 0;
}

/* Of the pool of the first network, which may be another one than when it was asked. */
static void take_ready(struct start *st, int *asked, const char *id)
{
	int fd = *asked;

	*asked = -1;
	if (fd < 0)
		return;
	if (st->nets[0].pool && !strcmp(st->nets[0].id, id))
		pool_answer(fd, &st->ready);
	else
		close(fd);
}

static int use_link_of(const struct pool_port *ready, struct net_port *p)
{
	free(p->link);
	p->link = strdup(ready->link);
	return p->link ? 0 : -ENOMEM;
}

static int take_leases(struct start *st, struct err *e)
{
	struct instance_spec *s = &st->b->spec;
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	int r = db_begin_live(st->w->en->db, &tx, e);

	for (size_t i = 0; i < st->n && r == 0; i++) {
		struct net_attachment *a = &s->net.attachments[i];

		r = net_fill_lease(s, i, &st->nets[i], &st->leases[i], e);
		if (r == 0 && !i && st->ready.netns_fd && use_link_of(&st->ready, &st->leases[0].port) < 0)
			r = no_memory(e);
		if (r == 0)
			r = lease_take(st->w->en->db, &st->nets[i], a, &st->w->world, &st->leases[i], e);
		if (r == 0 && json_copy(&net_port_table, &st->leases[i].port, &a->given) < 0)
			r = no_memory(e);
	}
	return r < 0 ? r : net_commit(st->w, &tx, false, e);
}

/* Where no network has a name service: those of the networks themselves. */
static int set_resolvers(struct start *st, struct err *e)
{
	struct strv *to = &st->b->spec.net.dns;
	int r = 0;

	if (to->n)
		return 0;
	for (size_t i = 0; i < st->n; i++)
		if (st->nets[i].bridge)
			return 0;
	for (size_t i = 0; i < st->n && r == 0; i++)
		for (size_t k = 0; k < st->nets[i].dns.n && r == 0; k++)
			r = strv_add(to, st->nets[i].dns.v[k]);
	return r < 0 ? no_memory(e) : 0;
}

/* --- links */

/* The namespace, and in it the first port where that is ready.  1: it is. */
static int open_namespace(struct start *st, struct port_netns *ret, struct err *e)
{
	int fd = st->ready.netns_fd, r;

	if (!fd)
		return port_netns_make(ret, e);
	st->ready.netns_fd = 0;
	r = port_netns_open(fd, ret, e);
	if (r == 0)
		r = port_container_adopt(st->w->rt, st->under[0], st->b->spec.id, &st->leases[0].port,
					 st->ready.index, ret, e);
	if (r != -ENODEV)
		return r < 0 ? r : 1;
	net_pool_renew(st->w, &st->nets[0]);
	port_netns_done(ret);
	return port_netns_make(ret, e);
}

static int add_container_ports(struct start *st, struct err *e)
{
	struct port_netns ns = { 0 };
	int fd, r = open_namespace(st, &ns, e);

	for (size_t i = r > 0 ? 1 : 0; i < st->n && r >= 0; i++)
		r = port_container_add(st->w->rt, &st->nets[i], st->under[i], st->b->spec.id,
				       &st->leases[i].port, &ns, e);
	if (r >= 0) {
		fd = ns.fd;
		ns.fd = 0;
		r = give(st->b, "ns/net", fd, e);
	}
	port_netns_done(&ns);
	return r;
}

/* The card for a network to come: it is always the same one, so that nobody has to keep its name. */
int net_spare(const struct instance_spec *s, struct net_port *ret, struct err *e)
{
	uint8_t mac[6] = { 0x02, 0x43 };
	char text[18], digits[9];

	snprintf(digits, sizeof(digits), "%.8s", s->id);
	if (hex_decode(digits, 4, mac + 2) < 0)
		return err_set(e, EINVAL, "the instance has no valid id");
	ret->link = str_printf("ks-%s", digits);
	ret->mac = strdup(mac_print(mac, text));
	return ret->link && ret->mac ? 0 : no_memory(e);
}

static int add_machine_ports(struct start *st, struct err *e)
{
	struct instance_spec *s = &st->b->spec;
	char name[32];
	int r = 0;

	for (size_t i = 0; i < st->n && r == 0; i++) {
		int fd = port_machine_add(st->w->rt, &st->nets[i], st->under[i], s->id, &st->leases[i].port,
					  e);

		snprintf(name, sizeof(name), "tap/%zu", i);
		r = fd < 0 ? fd : give(st->b, name, fd, e);
	}
	if (r == 0)
		r = net_spare(s, &s->net.spare, e);
	if (r == 0) {
		int fd = port_machine_add(st->w->rt, NULL, 0, s->id, &s->net.spare, e);

		snprintf(name, sizeof(name), "tap/%zu", st->n);
		r = fd < 0 ? fd : give(st->b, name, fd, e);
	}
	return r;
}

/* --- the rest of the host */

static int tell(struct start *st, struct err *e)
{
	int r = st->new_bridge ? net_renew_rules(st->w, e) : 0;

	for (size_t i = 0; i < st->n && r == 0; i++)
		r = net_tell_port(st->w, &st->nets[i], &st->leases[i], e);
	for (size_t i = 0; i < st->n && r == 0; i++)
		r = net_set_rate(st->w, &st->leases[i], &st->b->spec.net.rate, e);
	return r;
}

/* --- all */

/* Of an instance whose monitor starts it again somebody may have changed the networks until now. */
static int take_attachments(struct engine *en, struct boot *b, struct err *e)
{
	struct instance_spec now = { 0 };
	struct net_spec before = b->spec.net;
	int r = record_find(en->db, b->spec.id, &now, e);

	if (r == 0) {
		b->spec.net = now.net;
		now.net = before;
	}
	json_done(&instance_spec_table, &now);
	return r;
}

/* A container that begins anew waits for its main process, so the rest of the host is seen to while its monitor makes it.
 * What goes on with its memory runs at once: by then all its rules have to be there. */
static bool can_wait(const struct boot *b, bool saved)
{
	return b->spec.isolation == ISOLATION_CONTAINER && !saved;
}

struct net_wiring {
	struct net_work w;
	struct start st;
	int said; /* the monitor has the other end; -1: it waits for nothing */
};

struct net_wiring *net_wiring_free(struct net_wiring *l)
{
	if (!l)
		return NULL;
	start_done(&l->st);
	net_end(&l->w);
	if (l->said >= 0)
		close(l->said);
	free(l);
	return NULL;
}

static int make_links(struct start *st, struct err *e)
{
	struct boot *b = st->b;
	int r = b->spec.isolation == ISOLATION_VM ? add_machine_ports(st, e) : add_container_ports(st, e);

	return r == 0 && st->nets[0].bridge ? net_relay(b, &st->leases[0].port, e) : r;
}

static int attach(struct engine *en, struct start *st, bool again, struct err *e)
{
	char first[NETWORK_ID_LEN + 1] = "";
	struct boot *b = st->b;
	autoclose int asked = net_pool_ask(en, &b->spec); /* answered before we come to need it */
	int r;

	if (asked >= 0)
		snprintf(first, sizeof(first), "%s", b->spec.net.attachments[0].network);
	r = net_begin(en, st->w, e);
	if (r == 0 && again)
		r = take_attachments(en, b, e);
	if (r == 0)
		r = find_networks(st, e);
	if (r == 0 && st->nets[0].bridge)
		r = net_reserve_all(st->w, &st->nets[0], b, e);
	if (r == 0) {
		take_ready(st, &asked, first);
		r = take_leases(st, e);
	}
	if (r == 0)
		r = set_resolvers(st, e);
	return r == 0 ? make_links(st, e) : r;
}

/* The monitor is to wait for net_finish. */
static int let_wait(struct net_wiring *l, struct err *e)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, errno, "socketpair");
	l->said = pair[0];
	return give(l->st.b, "network", pair[1], e);
}

static int wire(struct engine *en, struct boot *b, const struct net_begins *how, struct net_wiring **ret,
		struct err *e)
{
	struct net_wiring *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return no_memory(e);
	*l = (struct net_wiring){ .w = NET_WORK_NONE, .st = { .w = &l->w, .b = b }, .said = -1 };
	r = attach(en, &l->st, how->again, e);
	if (r == 0 && can_wait(b, how->saved)) {
		r = let_wait(l, e);
	} else if (r == 0) {
		l->w.boot = b;
		r = tell(&l->st, e);
	}
	if (r == 0 && l->said >= 0)
		*ret = l;
	else
		net_wiring_free(l);
	return r;
}

int net_start(struct engine *en, struct boot *b, const struct net_begins *how, struct net_wiring **ret,
	      struct err *e)
{
	int r;

	*ret = NULL;
	if (b->files_only)
		b->spec.network = NETWORK_NONE;
	if (b->spec.network == NETWORK_CONTAINER)
		return net_share(en, b, e);
	if (b->spec.network != NETWORK_ATTACHED)
		return 0;
	r = wire(en, b, how, ret, e);
	if (r < 0)
		net_release_held(en, b->spec.id, true, NULL);
	return r;
}

void net_finish(struct net_wiring *l)
{
	struct err e;
	const char *text = !l || tell(&l->st, &e) == 0 ? "ok" : e.msg;

	if (l) /* a monitor that has ended hears nothing */
		send(l->said, text, strlen(text), MSG_NOSIGNAL);
}
