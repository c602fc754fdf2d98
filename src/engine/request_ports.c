/* request_ports.c - -p, -P and --expose in all of Docker's forms */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/auto.h"
#include "base/ip.h"
#include "base/parse.h"
#include "engine/request.h"
#include "engine/request_int.h"

#define PORT_MAX	65535
#define DEFAULT_ADDRESS "127.0.0.1"

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

struct port_range {
	uint32_t first, last;
};

/* "80", "80-90"; 0 is no port. */
static int parse_range(const char *text, struct port_range *ret)
{
	AUTO(strv_done) struct strv ends = { 0 };
	struct port_range p;

	if (strv_split(&ends, text, "-") < 0)
		return -ENOMEM;
	if (ends.n > 2 || parse_u32(ends.v[0], &p.first) < 0 || parse_u32(ends.v[ends.n - 1], &p.last) < 0 ||
	    !p.first || p.last > PORT_MAX || p.first > p.last)
		return -EINVAL;
	*ret = p;
	return 0;
}

static int parse_protocol(const char *text, int *ret)
{
	for (int i = 0; i < PORT_PROTOCOL_N; i++)
		if (!strcasecmp(text, port_protocol_names[i])) {
			*ret = i;
			return 0;
		}
	return -EINVAL;
}

/* Splits "80/tcp" in place: the protocol, tcp where none is given. */
static int take_protocol(char *text, const char *flag, int *ret, struct err *e)
{
	char *slash = strchr(text, '/');

	*ret = PORT_TCP;
	if (!slash)
		return 0;
	*slash = '\0';
	return parse_protocol(slash + 1, ret) < 0
		       ? err_set(e, EINVAL, "%s: invalid proto: %.40s (tcp or udp)", flag, slash + 1)
		       : 0;
}

/* --- -p "[[ADDRESS:][HOSTPORT]:]PORT[/PROTOCOL]", an IPv6 address in brackets */

struct publish {
	char *address, *host, *port; /* into one text; NULL: not given */
	int protocol;
};

/* Cuts off what is in front of the last colon of `text`; NULL: there is none. */
static char *cut_last(char *text, char **rest)
{
	char *colon = strrchr(text, ':');

	if (!colon) {
		*rest = NULL;
		return text;
	}
	*colon = '\0';
	*rest = text;
	return colon + 1;
}

static int split(char *text, struct publish *ret, struct err *e)
{
	char *rest;
	int r = take_protocol(text, "-p", &ret->protocol, e);

	if (r < 0)
		return r;
	ret->port = cut_last(text, &rest);
	ret->host = rest ? cut_last(rest, &rest) : NULL;
	ret->address = rest;
	if (ret->address && *ret->address == '[') {
		size_t n = strlen(ret->address);

		if (ret->address[n - 1] != ']')
			return err_set(e, EINVAL, "-p: invalid IP address: %.60s", ret->address);
		ret->address[n - 1] = '\0';
		ret->address++;
	} else if (ret->address && strchr(ret->address, ':')) {
		return err_set(e, EINVAL,
			       "-p: invalid IP address: %.60s (an IPv6 address stands in brackets)",
			       ret->address);
	}
	return 0;
}

static int add(struct net_spec *n, const struct published_port *p, struct err *e)
{
	struct published_port *more;

	if (n->n_ports >= PUBLISHED_MAX)
		return err_set(e, E2BIG, "-p: more than %d ports", PUBLISHED_MAX);
	more = reallocarray(n->ports, n->n_ports + 1, sizeof(*more));
	if (!more)
		return no_memory(e);
	n->ports = more;
	more[n->n_ports] = *p;
	more[n->n_ports].host_ip = strdup(p->host_ip);
	return more[n->n_ports++].host_ip ? 0 : no_memory(e);
}

static bool is_published(const struct net_spec *n, const struct published_port *p)
{
	for (size_t i = 0; i < n->n_ports; i++)
		if (n->ports[i].port == p->port && n->ports[i].protocol == p->protocol)
			return true;
	return false;
}

static bool collide(const struct published_port *a, const struct published_port *b)
{
	return a->protocol == b->protocol && a->host_port && a->host_port == b->host_port && !a->host_last &&
	       !b->host_last && !strcmp(a->host_ip, b->host_ip);
}

static int add_new(struct net_spec *n, const struct published_port *p, struct err *e)
{
	for (size_t i = 0; i < n->n_ports; i++)
		if (collide(&n->ports[i], p))
			return err_set(e, EINVAL, "-p: port %u/%s of %s is given twice", p->host_port,
				       port_protocol_names[p->protocol], p->host_ip);
	return add(n, p, e);
}

/* Ranges are of one length; of one port and a range of the host it is any one of that. */
static int add_ranges(struct net_spec *n, const struct publish *p, const char *address, const char *text,
		      struct err *e)
{
	struct port_range inside, host = { 0 };
	bool any;
	int r = 0;

	if (parse_range(p->port, &inside) < 0)
		return err_set(e, EINVAL, "-p %.80s: invalid containerPort: %.40s", text, p->port);
	if (p->host && *p->host && strcmp(p->host, "0") != 0 && parse_range(p->host, &host) < 0)
		return err_set(e, EINVAL, "-p %.80s: invalid hostPort: %.40s", text, p->host);
	any = host.first && inside.first == inside.last && host.first != host.last;
	if (host.first && !any && host.last - host.first != inside.last - inside.first)
		return err_set(e, EINVAL,
			       "-p %.80s: invalid ranges specified for container and host Ports: %s and %s",
			       text, p->port, p->host);
	for (uint32_t i = 0; i <= inside.last - inside.first && r == 0; i++)
		r = add_new(n,
			    &(struct published_port){ .protocol = p->protocol,
						      .host_ip = (char *)address,
						      .host_port = host.first ? host.first + i : 0,
						      .host_last = any ? host.last : 0,
						      .port = inside.first + i },
			    e);
	return r;
}

static int publish_one(const struct net_request *rq, const char *text, struct net_spec *n, struct err *e)
{
	autofree char *copy = strdup(text);
	char by_default[] = DEFAULT_ADDRESS, address[IP_TEXT_MAX];
	struct publish p;
	struct ip ip;
	int r;

	if (!copy)
		return no_memory(e);
	r = split(copy, &p, e);
	if (r < 0)
		return r;
	if (!p.address || !*p.address)
		p.address = rq->publish_address ? rq->publish_address : by_default;
	if (ip_parse(p.address, &ip) < 0)
		return err_set(e, EINVAL, "-p %.80s: invalid IP address: %.60s", text, p.address);
	return add_ranges(n, &p, ip_print(&ip, address), text, e);
}

/* --- --expose, EXPOSE and -P */

int request_expose(const char *text, struct strv *ret, struct err *e)
{
	autofree char *copy = strdup(text);
	struct port_range range;
	int protocol, r = copy ? take_protocol(copy, "--expose", &protocol, e) : no_memory(e);

	if (r < 0)
		return r;
	if (parse_range(copy, &range) < 0)
		return err_set(e, EINVAL, "--expose: invalid range format for --expose: %.60s", text);
	for (uint32_t i = range.first; i <= range.last; i++) {
		autofree char *one = str_printf("%u/%s", i, port_protocol_names[protocol]);

		if (!one || (!strv_has(ret, one) && strv_add(ret, one) < 0))
			return no_memory(e);
	}
	return 0;
}

static int publish_exposed(const struct net_request *rq, struct net_spec *n, struct err *e)
{
	const char *address = rq->publish_address ? rq->publish_address : DEFAULT_ADDRESS;
	int r = 0;

	for (size_t i = 0; i < n->exposed.n && r == 0; i++) {
		struct published_port p = { .host_ip = (char *)address };
		uint32_t port = (uint32_t)strtoul(n->exposed.v[i], NULL, 10);

		p.port = port;
		parse_protocol(strchr(n->exposed.v[i], '/') + 1, &p.protocol);
		if (!is_published(n, &p))
			r = add(n, &p, e);
	}
	return r;
}

int request_ports(const struct net_request *rq, const struct image_run_config *c, struct net_spec *n,
		  struct err *e)
{
	struct ip ip;
	int r = 0;

	if (rq->publish_address && ip_parse(rq->publish_address, &ip) < 0)
		return err_set(e, EINVAL, "publish-address: %.60s is not an address", rq->publish_address);
	for (size_t i = 0; i < rq->publish.n && r == 0; i++)
		r = publish_one(rq, rq->publish.v[i], n, e);
	for (size_t i = 0; i < rq->expose.n && r == 0; i++)
		r = request_expose(rq->expose.v[i], &n->exposed, e);
	for (size_t i = 0; i < c->exposed_ports.n && r == 0; i++)
		if (request_expose(c->exposed_ports.v[i], &n->exposed, NULL) <
		    0) /* what an image says wrongly is nothing */
			continue;
	n->publish_all = rq->publish_all;
	return r == 0 && rq->publish_all ? publish_exposed(rq, n, e) : r;
}
