/* port_words.c - published ports as Docker says them; pure */
#include "cli/port_words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

static const char *protocol(const struct published_port *p)
{
	return port_protocol_names[p->protocol];
}

static void add_host(struct buf *out, const struct published_port *p)
{
	bool v6 = strchr(p->host_ip, ':');

	buf_addf(out, "%s%s%s:%u", v6 ? "[" : "", p->host_ip, v6 ? "]" : "", p->host_port);
}

static bool is_published(const struct net_spec *n, const char *exposed)
{
	char text[24];

	for (size_t i = 0; i < n->n_ports; i++) {
		snprintf(text, sizeof(text), "%u/%s", n->ports[i].port, protocol(&n->ports[i]));
		if (!strcmp(text, exposed))
			return true;
	}
	return false;
}

/* Ports that follow each other on both sides, on one address, are one range. */
static size_t run_length(const struct net_spec *n, size_t i)
{
	const struct published_port *a = &n->ports[i];
	size_t k = 1;

	for (; i + k < n->n_ports; k++) {
		const struct published_port *b = &n->ports[i + k];

		if (b->protocol != a->protocol || strcmp(b->host_ip, a->host_ip) != 0 ||
		    b->port != a->port + k || b->host_port != a->host_port + k)
			break;
	}
	return k;
}

void port_words(const struct net_spec *n, bool runs, struct buf *out)
{
	size_t before = out->len;

	for (size_t i = 0, k; i < n->n_ports && runs; i += k) {
		const struct published_port *p = &n->ports[i];

		k = run_length(n, i);
		if (!p->host_port)
			continue;
		buf_adds(out, out->len > before ? ", " : "");
		add_host(out, p);
		if (k > 1)
			buf_addf(out, "-%zu", p->host_port + k - 1);
		buf_addf(out, "->%u", p->port);
		if (k > 1)
			buf_addf(out, "-%zu", p->port + k - 1);
		buf_addf(out, "/%s", protocol(p));
	}
	for (size_t i = 0; i < n->exposed.n && runs; i++)
		if (!is_published(n, n->exposed.v[i]))
			buf_addf(out, "%s%s", out->len > before ? ", " : "", n->exposed.v[i]);
}

/* Is it the first of its port? */
static bool is_first(const struct net_spec *n, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (n->ports[k].port == n->ports[i].port && n->ports[k].protocol == n->ports[i].protocol)
			return false;
	return true;
}

static void add_bindings(const struct net_spec *n, size_t first, struct buf *out)
{
	bool any = false;

	for (size_t i = first; i < n->n_ports; i++) {
		const struct published_port *p = &n->ports[i];

		if (p->port != n->ports[first].port || p->protocol != n->ports[first].protocol)
			continue;
		buf_adds(out, any ? ",{\"HostIp\":" : "{\"HostIp\":");
		json_add_str(out, p->host_ip);
		if (p->host_port)
			buf_addf(out, ",\"HostPort\":\"%u\"}", p->host_port);
		else
			buf_adds(out, ",\"HostPort\":\"\"}");
		any = true;
	}
}

void port_json(const struct net_spec *n, bool all, struct buf *out)
{
	bool any = false;

	buf_addc(out, '{');
	for (size_t i = 0; i < n->n_ports; i++) {
		if (!is_first(n, i))
			continue;
		buf_addf(out, "%s\"%u/%s\":[", any ? "," : "", n->ports[i].port, protocol(&n->ports[i]));
		add_bindings(n, i, out);
		buf_addc(out, ']');
		any = true;
	}
	for (size_t i = 0; i < n->exposed.n && all; i++) {
		if (is_published(n, n->exposed.v[i]))
			continue;
		buf_adds(out, any ? "," : "");
		json_add_str(out, n->exposed.v[i]);
		buf_adds(out, ":null");
		any = true;
	}
	buf_addc(out, '}');
}

int port_lines(const struct net_spec *n, const char *port, struct buf *out)
{
	bool found = false;
	char text[24];

	for (size_t i = 0; i < n->n_ports; i++) {
		const struct published_port *p = &n->ports[i];

		snprintf(text, sizeof(text), "%u/%s", p->port, protocol(p));
		if (!p->host_port || (port && strchr(port, '/') && strcmp(port, text) != 0))
			continue;
		if (port && !strchr(port, '/') &&
		    (p->protocol != PORT_TCP || strncmp(text, port, strlen(port)) != 0 ||
		     text[strlen(port)] != '/'))
			continue;
		if (!port)
			buf_addf(out, "%s -> ", text);
		add_host(out, p);
		buf_addc(out, '\n');
		found = true;
	}
	return found || !port ? 0 : -ENOENT;
}

void network_words(const struct instance_spec *s, struct buf *out)
{
	if (s->network == NETWORK_CONTAINER)
		buf_addf(out, "container:%s", s->net.of ? s->net.of : "");
	else if (s->network != NETWORK_ATTACHED)
		buf_adds(out, network_names[s->network]);
	for (size_t i = 0; i < s->net.n_attachments && s->network == NETWORK_ATTACHED; i++)
		buf_addf(out, "%s%s", i ? "," : "", s->net.attachments[i].network_name);
}
