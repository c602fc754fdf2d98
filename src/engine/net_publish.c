/* net_publish.c - published ports are held by sockets: bound here, kept by the monitor, so that nobody else takes them */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/ip.h"
#include "engine/net_int.h"
#include "network/relay6.h"
#include "network/reserve.h"

#define RELAY_TRIES   100 /* until one that ends has let go */
#define RELAY_POLL_MS 10

/* 0.0.0.0 is every IPv4 address. */
bool net_ports_meet(const struct published_port *a, const struct published_port *b)
{
	struct ip x, y;

	return a->protocol == b->protocol && a->host_port == b->host_port && ip_parse(a->host_ip, &x) == 0 &&
	       ip_parse(b->host_ip, &y) == 0 && x.family == y.family &&
	       (ip_is_any(&x) || ip_is_any(&y) || !ip_compare(&x, &y));
}

/* One of ours has it: its name; NULL. */
static char *holder_of_ours(struct net_work *w, const struct published_port *p)
{
	struct lease *list = NULL;
	char *name = NULL;
	size_t n = 0;

	if (lease_list(w->en->db, NULL, NULL, &list, &n, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < n && !name; i++)
		for (size_t k = 0; k < list[i].n_ports && !name; k++)
			if (net_ports_meet(&list[i].ports[k], p) && list[i].names.n)
				name = strdup(list[i].names.v[0]);
	leases_free(list, n);
	return name;
}

static int check(const struct network *n, const struct published_port *p, struct err *e)
{
	struct ip ip;

	if (ip_parse(p->host_ip, &ip) < 0)
		return err_set(e, EINVAL, "-p: %.60s is not an address", p->host_ip);
	if (ip.family == AF_INET6 && ip_is_loopback(&ip) && (n->v4.subnet || n->v6.subnet))
		return 0; /* a relay's: it passes bytes on over either family */
	if (ip.family == AF_INET6 ? !n->v6.subnet : !n->v4.subnet)
		return err_set(e, EINVAL, "-p %s: network %s has no %s", p->host_ip, n->name,
			       ip.family == AF_INET6 ? "IPv6" : "IPv4");
	return 0;
}

/* A relay hears a moment later than the monitor that a port is not published any more, or that the instance has ended. */
static int reserve_patiently(struct published_port *p, struct err *e)
{
	int fd = reserve_port(p, e);

	for (int i = 0; i < RELAY_TRIES && fd == -EADDRINUSE && relay6_serves(p); i++) {
		poll(NULL, 0, RELAY_POLL_MS);
		fd = reserve_port(p, e);
	}
	return fd;
}

int net_reserve(struct net_work *w, const struct network *n, struct published_port *p, struct err *e)
{
	autofree char *who = NULL;
	int fd = check(n, p, e);

	if (fd == 0)
		fd = reserve_patiently(p, e);
	if (fd != -EADDRINUSE)
		return fd < 0 ? err_wrap(e, fd, "-p") : fd;
	who = holder_of_ours(w, p);
	if (!who)
		who = reserve_holder(p);
	return err_set(e, EADDRINUSE, "-p: port %u/%s of %s is in use by %s", p->host_port,
		       port_protocol_names[p->protocol], p->host_ip, who ? who : "another process");
}

void net_port_name(const char *kind, const struct published_port *p, char ret[NET_PORT_NAME_MAX])
{
	snprintf(ret, NET_PORT_NAME_MAX, "%s/%s/%s:%u", kind, port_protocol_names[p->protocol], p->host_ip,
		 p->host_port);
}

int net_reserve_all(struct net_work *w, const struct network *n, struct boot *b, struct err *e)
{
	struct net_spec *s = &b->spec.net;

	for (size_t i = 0; i < s->n_ports; i++) {
		char name[NET_PORT_NAME_MAX];
		int fd = net_reserve(w, n, &s->ports[i], e);

		if (fd < 0)
			return fd;
		net_port_name("port", &s->ports[i], name);
		if (boot_add_fd(b, name, fd) < 0) {
			close(fd);
			return err_set(e, ENOMEM, "out of memory");
		}
	}
	return 0;
}

bool net_own_address(const struct net_port *given, struct ip *ret)
{
	struct ip_prefix p;

	if ((!given->address6 || ip_parse_prefix(given->address6, &p) < 0) &&
	    (!given->address || ip_parse_prefix(given->address, &p) < 0))
		return false;
	*ret = p.ip;
	return true;
}

int net_relay(struct boot *b, const struct net_port *given, struct err *e)
{
	const struct net_spec *s = &b->spec.net;
	struct relay_port ports[RELAY_MAX];
	char name[NET_PORT_NAME_MAX];
	struct ip own;
	size_t n = 0;
	int fd;

	for (size_t i = 0; i < s->n_ports; i++) {
		if (!relay6_serves(&s->ports[i]) || !net_own_address(given, &own))
			continue;
		net_port_name("port", &s->ports[i], name);
		if (n == RELAY_MAX)
			return err_set(e, E2BIG, "-p: at most %d ports can be published on [::1]", RELAY_MAX);
		ports[n++] =
			(struct relay_port){ boot_fd(b, name), s->ports[i].protocol, own, s->ports[i].port };
	}
	fd = n ? relay6_start(ports, n, e) : 0;
	if (fd <= 0)
		return fd;
	if (boot_add_fd(b, "relay6", fd) == 0)
		return 0;
	close(fd);
	return err_set(e, ENOMEM, "out of memory");
}
