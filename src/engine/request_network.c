/* request_network.c - --network and its kin, --dns, --add-host's gateway: which networks, under which addresses */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/ip.h"
#include "engine/request_int.h"
#include "network/network.h"

#define CONTAINER "container:"

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

static int set_once(char **dst, const char *text, const char *flag, struct err *e)
{
	if (*dst)
		return err_set(e, EINVAL, "%s: it is given twice", flag);
	*dst = strdup(text);
	return *dst ? 0 : no_memory(e);
}

/* --- one network: "NAME", "NAME:alias=web,ip=10.88.0.9", Docker's "name=NAME,alias=web" */

static int take_alias(struct net_attachment *a, const char *value, struct err *e)
{
	if (!*value || strlen(value) > 253 ||
	    strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") !=
		    strlen(value))
		return err_set(e, EINVAL, "network alias '%.80s': it is not a name", value);
	return strv_has(&a->aliases, value) || strv_add(&a->aliases, value) == 0 ? 0 : no_memory(e);
}

static int take_ip(char **dst, int family, const char *flag, const char *value, struct err *e)
{
	struct ip ip;

	if (ip_parse(value, &ip) < 0 || (ip.family == 2) != (family == 4))
		return err_set(e, EINVAL, "%s: invalid IPv%d address: %.60s", flag, family, value);
	return set_once(dst, value, flag, e);
}

static int take_mac(struct net_attachment *a, const char *flag, const char *value, struct err *e)
{
	uint8_t mac[6];

	if (mac_parse(value, mac) < 0)
		return err_set(e, EINVAL, "%s: invalid MAC address: %.60s", flag, value);
	if (mac[0] & 1)
		return err_set(e, EINVAL, "%s: %.60s is the address of a group of cards", flag, value);
	return set_once(&a->mac, value, flag, e);
}

static int take_key(struct net_attachment *a, const char *text, struct err *e)
{
	size_t n = strcspn(text, "=");
	const char *value = text[n] ? text + n + 1 : "";

	if (!strncmp(text, "alias=", 6))
		return take_alias(a, value, e);
	if (!strncmp(text, "ip=", 3))
		return take_ip(strchr(value, ':') ? &a->ip6 : &a->ip, strchr(value, ':') ? 6 : 4,
			       "--network ip=", value, e);
	if (!strncmp(text, "ip6=", 4))
		return take_ip(&a->ip6, 6, "--network ip6=", value, e);
	if (!strncmp(text, "mac=", 4) || !strncmp(text, "mac-address=", 12))
		return take_mac(a, "--network mac=", value, e);
	if (!strncmp(text, "name=", 5))
		return set_once(&a->network_name, value, "--network name=", e);
	return err_set(e, EINVAL, "--network: unknown option '%.60s'", text);
}

static int take_keys(struct net_attachment *a, const char *text, struct err *e)
{
	AUTO(strv_done) struct strv keys = { 0 };
	int r = strv_split(&keys, text, ",") < 0 ? no_memory(e) : 0;

	for (size_t i = 0; i < keys.n && r == 0; i++)
		r = take_key(a, keys.v[i], e);
	return r;
}

static int add_attachment(struct net_spec *n, const char *text, struct err *e)
{
	struct net_attachment *more = reallocarray(n->attachments, n->n_attachments + 1, sizeof(*more)), *a;
	size_t name = strcspn(text, ":");
	int r;

	if (!more)
		return no_memory(e);
	n->attachments = more;
	a = &more[n->n_attachments++];
	*a = (struct net_attachment){ 0 };
	if (strchr(text, '=') && name > strcspn(text, "="))
		r = take_keys(a, text, e);
	else
		r = text[name] ? take_keys(a, text + name + 1, e) : 0;
	if (r < 0)
		return r;
	if (!a->network_name)
		a->network_name = strndup(text, name);
	if (a->network_name && (!strcmp(a->network_name, "default") || !*text)) {
		free(a->network_name);
		a->network_name = strdup(NETWORK_DEFAULT);
	}
	if (!a->network_name)
		return no_memory(e);
	return *a->network_name ? 0 : err_set(e, EINVAL, "--network: '%.60s' has no name", text);
}

/* --- which */

static int take_mode(const struct strv *texts, struct instance_spec *s, struct err *e)
{
	size_t prefix = strlen(CONTAINER);

	for (size_t i = 0; i < texts->n; i++) {
		const char *t = texts->v[i];

		if (!strcmp(t, "none") || !strcmp(t, "null"))
			s->network = NETWORK_NONE;
		else if (!strcmp(t, "host"))
			s->network = NETWORK_HOST;
		else if (!strncmp(t, CONTAINER, prefix) && t[prefix])
			s->network = NETWORK_CONTAINER;
		else
			continue;
		if (texts->n > 1)
			return err_set(e, EINVAL, "conflicting options: --network %.60s and other networks",
				       t);
		if (s->network != NETWORK_CONTAINER)
			return 0;
		s->net.of = strdup(t + prefix);
		return s->net.of ? 0 : no_memory(e);
	}
	s->network = NETWORK_ATTACHED;
	return 0;
}

static int check_twice(const struct net_spec *n, struct err *e)
{
	for (size_t i = 0; i < n->n_attachments; i++)
		for (size_t k = 0; k < i; k++)
			if (!strcmp(n->attachments[i].network_name, n->attachments[k].network_name))
				return err_set(e, EINVAL, "network %s is given twice",
					       n->attachments[i].network_name);
	return 0;
}

static int take_networks(const struct strv *texts, struct net_spec *n, struct err *e)
{
	int r = texts->n ? 0 : add_attachment(n, NETWORK_DEFAULT, e);

	if (texts->n > NET_MAX_ATTACHMENTS)
		return err_set(e, E2BIG, "an instance can be on %d networks", NET_MAX_ATTACHMENTS);
	for (size_t i = 0; i < texts->n && r == 0; i++)
		r = add_attachment(n, texts->v[i], e);
	return r < 0 ? r : check_twice(n, e);
}

/* --ip and its like are about the first. */
static int take_first(const struct net_request *rq, struct net_attachment *a, struct err *e)
{
	int r = 0;

	if (rq->ip)
		r = take_ip(&a->ip, 4, "--ip", rq->ip, e);
	if (r == 0 && rq->ip6)
		r = take_ip(&a->ip6, 6, "--ip6", rq->ip6, e);
	if (r == 0 && rq->mac)
		r = take_mac(a, "--mac-address", rq->mac, e);
	for (size_t i = 0; i < rq->aliases.n && r == 0; i++)
		r = take_alias(a, rq->aliases.v[i], e);
	return r;
}

/* What makes no sense on a network that is not its own; Docker's words. */
static int check_shared(const struct run_request *rq, const struct instance_spec *s, struct err *e)
{
	const struct net_request *n = &rq->net;
	const struct {
		bool given, container_only;
		const char *what;
	} rows[] = {
		{ rq->hostname && s->network == NETWORK_CONTAINER, true, "hostname" },
		{ n->ip || n->ip6, false, "IP address" },
		{ n->mac, false, "mac-address" },
		{ n->aliases.n, false, "network alias" },
		{ n->dns.n || n->dns_search.n || n->dns_options.n, true, "dns" },
		{ rq->sandbox.hosts.n, true, "custom host-to-IP mapping" },
		{ n->egress.n, false, "egress" },
		{ n->publish.n || n->publish_all, true, "port publishing" },
		{ n->expose.n, true, "port exposing" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].given && (s->network == NETWORK_CONTAINER || !rows[i].container_only))
			return err_set(e, EINVAL, "conflicting options: %s and --network %s", rows[i].what,
				       network_names[s->network]);
	return 0;
}

/* --- resolv.conf */

static int take_dns(const struct net_request *rq, struct net_spec *n, struct err *e)
{
	struct ip ip;

	for (size_t i = 0; i < rq->dns.n; i++)
		if (ip_parse(rq->dns.v[i], &ip) < 0)
			return err_set(e, EINVAL, "--dns: %.60s is not an ip address", rq->dns.v[i]);
	for (size_t i = 0; i < rq->dns_search.n; i++)
		if (strpbrk(rq->dns_search.v[i], " \t\r\n"))
			return err_set(e, EINVAL, "--dns-search: '%.80s' is not a valid domain",
				       rq->dns_search.v[i]);
	for (size_t i = 0; i < rq->dns_options.n; i++)
		if (!*rq->dns_options.v[i] || strpbrk(rq->dns_options.v[i], "\r\n"))
			return err_set(e, EINVAL, "--dns-option: '%.80s' is no option", rq->dns_options.v[i]);
	if (strv_copy(&n->dns, &rq->dns) < 0 || strv_copy(&n->dns_search, &rq->dns_search) < 0 ||
	    strv_copy(&n->dns_options, &rq->dns_options) < 0)
		return no_memory(e);
	return 0;
}

int request_attachment(const char *network, const struct net_request *rq, struct net_attachment *ret,
		       struct err *e)
{
	struct net_spec one = { 0 };
	int r = add_attachment(&one, network, e);

	if (r == 0)
		r = take_first(rq, &one.attachments[0], e);
	if (r == 0) {
		*ret = one.attachments[0];
		one.attachments[0] = (struct net_attachment){ 0 };
	}
	json_done(&net_spec_table, &one);
	return r;
}

int request_network(const struct run_request *rq, const struct image_run_config *c, struct instance_spec *s,
		    struct err *e)
{
	int r = take_mode(&rq->net.networks, s, e);

	if (r == 0 && s->isolation == ISOLATION_VM && s->network == NETWORK_HOST)
		return err_set(e, EINVAL,
			       "--network host: a virtual machine cannot share the host's network");
	if (r == 0 && s->isolation == ISOLATION_VM && s->network == NETWORK_CONTAINER)
		return err_set(e, EINVAL,
			       "--network container: a virtual machine cannot share a container's network");
	if (r == 0 && s->network == NETWORK_ATTACHED) {
		r = take_networks(&rq->net.networks, &s->net, e);
		if (r == 0)
			r = take_first(&rq->net, &s->net.attachments[0], e);
	} else if (r == 0) {
		r = check_shared(rq, s, e);
	}
	if (r == 0)
		r = take_dns(&rq->net, &s->net, e);
	if (r == 0)
		r = request_egress(&rq->net.egress, &s->net, e);
	if (r == 0)
		r = request_ports(&rq->net, c, &s->net, e);
	return r < 0 ? r : request_rules(&rq->net, s, e);
}
