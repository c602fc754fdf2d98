/* network_request.c - what was asked of a new network: driver, options, subnets as text */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/ip.h"
#include "base/parse.h"
#include "engine/net_int.h"
#include "network/pool.h"

#define NAME_MAX_LEN 128
#define MTU_MIN	     68
#define MTU_MAX	     65535
#define VLAN_MAX     4094

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

static int check_name(const char *s, struct err *e)
{
	size_t n = strlen(s);

	if (!n || n > NAME_MAX_LEN || strchr("_.-", *s) ||
	    strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") != n)
		return err_set(e, EINVAL,
			       "invalid network name '%.140s': only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
			       s);
	return 0;
}

static int take_number(const char *value, uint32_t least, uint32_t most, uint32_t *ret)
{
	uint32_t n;

	if (parse_u32(value, &n) < 0 || n < least || n > most)
		return -EINVAL;
	*ret = n;
	return 0;
}

static int take_bool(const char *value, bool *ret)
{
	bool yes = !strcmp(value, "true") || !strcmp(value, "1") || !*value;

	if (!yes && strcmp(value, "false") != 0 && strcmp(value, "0") != 0)
		return -EINVAL;
	*ret = yes;
	return 0;
}

static int take_text(const char *value, char **ret)
{
	free(*ret);
	*ret = strdup(value);
	return *ret ? 0 : -ENOMEM;
}

static int opt_mtu(struct network *n, const char *v)
{
	return take_number(v, MTU_MIN, MTU_MAX, &n->mtu);
}

static int opt_vlan(struct network *n, const char *v)
{
	return take_number(v, 1, VLAN_MAX, &n->vlan);
}

static int opt_pool(struct network *n, const char *v)
{
	return take_number(v, 0, POOL_MAX, &n->pool);
}

static int opt_parent(struct network *n, const char *v)
{
	return *v && strlen(v) < NET_IFNAME_MAX ? take_text(v, &n->parent) : -EINVAL;
}

static int opt_bridge(struct network *n, const char *v)
{
	return take_text(v, &n->bridge);
}

static int opt_isolate(struct network *n, const char *v)
{
	return take_bool(v, &n->isolate);
}

static int opt_icc(struct network *n, const char *v)
{
	int r = take_bool(v, &n->isolate);

	n->isolate = !n->isolate;
	return r;
}

/* Ours (which are Podman's), and Docker's for the same. */
static const struct {
	const char *key;
	int (*take)(struct network *n, const char *value);
} options[] = {
	{ "mtu", opt_mtu },
	{ "vlan", opt_vlan },
	{ "pool", opt_pool },
	{ "parent", opt_parent },
	{ "isolate", opt_isolate },
	{ "com.docker.network.driver.mtu", opt_mtu },
	{ "com.docker.network.bridge.name", opt_bridge },
	{ "com.docker.network.bridge.enable_icc", opt_icc },
};

static int take_option(struct network *n, const char *text, struct err *e)
{
	size_t len = strcspn(text, "=");
	const char *value = text[len] ? text + len + 1 : "";

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		int r;

		if (strlen(options[i].key) != len || strncmp(options[i].key, text, len) != 0)
			continue;
		r = options[i].take(n, value);
		if (r == -EINVAL)
			return err_set(e, EINVAL, "--opt %.100s: it cannot have this value", text);
		return r < 0 ? no_memory(e) : 0;
	}
	return err_set(e, EINVAL, "--opt %.100s: there is no such option", text);
}

static int take_driver(const char *name, struct network *n, struct err *e)
{
	const char *want = name && *name ? name : "bridge";

	if (!strcmp(want, "host") || !strcmp(want, "none") || !strcmp(want, "null"))
		return err_set(e, EPERM, "only one instance of \"%.10s\" network is allowed", want);
	for (int i = 0; i < DRIVER_N; i++)
		if (!strcmp(want, network_driver_names[i])) {
			n->driver = i;
			return 0;
		}
	return err_set(e, ENOTSUP, "--driver %.60s: there are bridge and macvlan", want);
}

static struct network_pool *pool_of(struct network *n, const char *text)
{
	return strchr(text, ':') ? &n->v6 : &n->v4;
}

/* Each text goes to the pool of its family. */
static int take_pools(const struct strv *texts, size_t member, const char *flag, struct network *n,
		      struct err *e)
{
	for (size_t i = 0; i < texts->n; i++) {
		char **to = (char **)(void *)((char *)pool_of(n, texts->v[i]) + member);

		if (*to)
			return err_set(e, EINVAL, "%s %.60s: there can be one for each of IPv4 and IPv6",
				       flag, texts->v[i]);
		*to = strdup(texts->v[i]);
		if (!*to)
			return no_memory(e);
	}
	return 0;
}

static int check_dns(const struct strv *dns, struct err *e)
{
	struct ip ip;

	for (size_t i = 0; i < dns->n; i++)
		if (ip_parse(dns->v[i], &ip) < 0)
			return err_set(e, EINVAL, "--dns %.60s: it is not an address", dns->v[i]);
	return 0;
}

/* All about it is of the wire, which others know: nothing can be chosen here. */
static int check_macvlan(const struct network_request *rq, const struct network *n, struct err *e)
{
	if (!n->parent)
		return err_set(e, EINVAL,
			       "--driver macvlan: --opt parent=INTERFACE says whose wire is to be shared");
	if ((!rq->no_ipv4 && !n->v4.subnet) || (rq->ipv6 && !n->v6.subnet))
		return err_set(e, EINVAL, "--driver macvlan: --subnet says which %s addresses its wire has",
			       n->v4.subnet || rq->no_ipv4 ? "IPv6" : "IPv4");
	if (n->internal)
		return err_set(e, EINVAL, "--internal: the wire of a macvlan network leads out of this host");
	if (n->pool)
		return err_set(e, EINVAL,
			       "--opt pool: a macvlan network has no ports that could be made before");
	if (n->bridge)
		return err_set(e, EINVAL, "a macvlan network has no bridge that could have a name");
	return 0;
}

static int check_driver(const struct network_request *rq, const struct network *n, struct err *e)
{
	if (n->driver == DRIVER_MACVLAN)
		return check_macvlan(rq, n, e);
	if (n->vlan || n->parent)
		return err_set(e, EINVAL, "--opt %s: it is for macvlan", n->vlan ? "vlan" : "parent");
	return 0;
}

int net_from_request(const struct network_request *rq, struct network *n, struct err *e)
{
	int r = check_name(rq->name, e);

	if (r == 0)
		r = take_driver(rq->driver, n, e);
	n->internal = rq->internal;
	n->isolate = rq->isolate;
	for (size_t i = 0; i < rq->options.n && r == 0; i++)
		r = take_option(n, rq->options.v[i], e);
	if (r == 0)
		r = take_pools(&rq->subnets, offsetof(struct network_pool, subnet), "--subnet", n, e);
	if (r == 0)
		r = take_pools(&rq->gateways, offsetof(struct network_pool, gateway), "--gateway", n, e);
	if (r == 0)
		r = take_pools(&rq->ranges, offsetof(struct network_pool, range), "--ip-range", n, e);
	if (r == 0)
		r = check_dns(&rq->dns, e);
	if (r == 0)
		r = check_driver(rq, n, e);
	if (r < 0)
		return r;
	n->name = strdup(rq->name);
	if (!n->name || strv_copy(&n->dns, &rq->dns) < 0 || strv_copy(&n->labels, &rq->labels) < 0 ||
	    strv_copy(&n->options, &rq->options) < 0)
		return no_memory(e);
	return 0;
}
