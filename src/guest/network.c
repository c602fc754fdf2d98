/* network.c - the networks that the instance is on, in its machine */
#include "guest/network.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "container/etc_port.h"
#include "guest/cards.h"
#include "instance/net_change.h"
#include "instance/net_port.h"
#include "sys/rtnetlink.h"

/* A port on its way: which link it is, under its own name once that is free. */
struct wanted {
	const struct net_port *port;
	struct net_port_addresses addresses;
	char link[IF_NAMESIZE];
	int index;
};

static int find(struct wanted *w, struct err *e)
{
	int r = net_port_parse(w->port, &w->addresses, e);

	if (r == 0)
		r = card_use(w->port->mac, w->link, e);
	if (r < 0)
		return r;
	w->index = (int)if_nametoindex(w->link);
	return w->index > 0 ? net_port_set_ipv6(w->port, w->link, e) : err_sys(e, errno, "%s", w->link);
}

/* The kernel numbers cards as it finds them, so one may have the name that another is to have: all let go of theirs first. */
static void put_names(struct nl_batch *b, const struct wanted *w, size_t n)
{
	char name[IF_NAMESIZE];

	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "card%d", w[i].index);
		if (strcmp(w[i].link, w[i].port->name) != 0)
			rt_link_change(b, &(struct rt_link){ .index = w[i].index, .name = name });
	}
	for (size_t i = 0; i < n; i++)
		if (strcmp(w[i].link, w[i].port->name) != 0)
			rt_link_change(b, &(struct rt_link){ .index = w[i].index, .name = w[i].port->name });
}

static int configure(struct wanted *w, size_t n, struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	autoclose int fd = nl_open(NETLINK_ROUTE);
	struct nl_failure failed = { 0 };
	int r = fd < 0 ? fd : 0;

	put_names(&b, w, n);
	for (size_t i = 0; i < n; i++)
		net_port_put(&b, w[i].index, w[i].port, &w[i].addresses);
	if (r == 0)
		r = nl_run(fd, &b, &failed);
	return r < 0 ? err_sys(e, -r, "network of the guest%s%s", *failed.text ? ": " : "", failed.text) : 0;
}

/* Only those of n have a driver from now on. */
static int keep(const struct net_spec *n, const char *and, struct err *e)
{
	const char *macs[NET_MAX_ATTACHMENTS + 1] = { and};

	for (size_t i = 0; i < n->n_attachments; i++)
		macs[i + 1] = n->attachments[i].given.mac;
	return cards_keep(macs, n->n_attachments + 1, e);
}

static int set_up(const struct instance_spec *s, struct err *e)
{
	struct wanted w[NET_MAX_ATTACHMENTS] = { 0 };
	size_t n = s->net.n_attachments;
	int r = 0;

	if (n > NET_MAX_ATTACHMENTS)
		return err_set(e, E2BIG, "%zu networks", n);
	for (size_t i = 0; i < n && r == 0; i++) {
		w[i].port = &s->net.attachments[i].given;
		r = find(&w[i], e);
	}
	if (r == 0)
		r = keep(&s->net, NULL, e);
	return r < 0 ? r : configure(w, n, e);
}

int network_set_up(int initramfs, const struct instance_spec *s, struct err *e)
{
	int r = s->network == NETWORK_ATTACHED ? cards_load_driver(initramfs, e) : 0;

	return r < 0 || s->network != NETWORK_ATTACHED ? r : set_up(s, e);
}

int network_renew(const struct instance_spec *old, const struct instance_spec *now, struct err *e)
{
	int r;

	if (old->network != NETWORK_ATTACHED || now->network != NETWORK_ATTACHED)
		return 0;
	r = cards_keep(NULL, 0, e);
	return r < 0 ? r : set_up(now, e);
}

/* --- changes */

static struct net_attachment *attachment_of(const struct net_spec *n, const char *mac)
{
	for (size_t i = 0; i < n->n_attachments; i++)
		if (!strcmp(n->attachments[i].given.mac, mac))
			return &n->attachments[i];
	return NULL;
}

static int note(struct net_spec *n, const struct net_port *p, struct err *e)
{
	struct net_attachment *v = reallocarray(n->attachments, n->n_attachments + 1, sizeof(*v));

	if (!v)
		return err_set(e, ENOMEM, "out of memory");
	n->attachments = v;
	v[n->n_attachments] = (struct net_attachment){ 0 };
	if (json_copy(&net_port_table, p, &v[n->n_attachments].given) < 0)
		return err_set(e, ENOMEM, "out of memory");
	n->n_attachments++;
	return 0;
}

/* The network that had the default routes has been left: they lead over this card from now on. */
static int route_over(struct net_attachment *a, const struct net_port *p, struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	autoclose int fd = nl_open(NETLINK_ROUTE);
	struct net_port_addresses to;
	struct net_port copy = { 0 };
	int r = net_port_parse(p, &to, e);

	if (r < 0)
		return r;
	to.address = to.address6 = (struct ip_prefix){ 0 }; /* it has them */
	net_port_put(&b, (int)if_nametoindex(a->given.name), &a->given, &to);
	r = fd < 0 ? fd : nl_run(fd, &b, NULL);
	if (r < 0 && r != -EEXIST)
		return err_sys(e, -r, "default route over %s", a->given.name);
	if (json_copy(&net_port_table, p, &copy) < 0)
		return err_set(e, ENOMEM, "out of memory");
	json_done(&net_port_table, &a->given);
	a->given = copy;
	return 0;
}

static int join(struct net_spec *n, const struct net_port *p, struct err *e)
{
	struct net_attachment *there = attachment_of(n, p->mac);
	struct wanted w = { .port = p };
	struct err ignored;
	int r;

	if (there && (p->gateway || p->gateway6) && !strcmp(p->name, there->given.name))
		return route_over(there, p, e);
	if (n->n_attachments == NET_MAX_ATTACHMENTS)
		return err_set(e, E2BIG, "it is on %d networks, which is as many as can be",
			       NET_MAX_ATTACHMENTS);
	if (there)
		return err_set(e, EEXIST, "its card %s is on a network", p->mac);
	r = find(&w, e);
	if (r == 0)
		r = keep(n, p->mac, e);
	if (r == 0)
		r = configure(&w, 1, e);
	if (r == 0)
		r = note(n, p, e);
	if (r < 0)
		keep(n, NULL, &ignored);
	return r;
}

static int leave(struct net_spec *n, const struct net_port *p, struct err *e)
{
	struct net_attachment *a = attachment_of(n, p->mac);
	int r = card_drop(p->mac, e);

	if (r < 0 || !a)
		return r;
	json_done(&net_attachment_table, a);
	*a = n->attachments[--n->n_attachments];
	return 0;
}

static void change_etc(const struct instance_spec *s, int pid, const struct net_change *c)
{
	autoclose int root = -1;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/root", pid);
	root = pid > 0 ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (root >= 0)
		etc_port_change(root, s, &c->port, c->leave);
}

int network_change(struct instance_spec *s, int pid, const char *json, size_t len, struct err *e)
{
	struct net_change c;
	int r = net_change_parse(json, len, &c, e);

	if (r < 0)
		return r;
	r = c.leave ? leave(&s->net, &c.port, e) : join(&s->net, &c.port, e);
	if (r == 0)
		change_etc(s, pid, &c);
	json_done(&net_change_table, &c);
	return r;
}
