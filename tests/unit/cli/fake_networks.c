/* fake_networks.c - a store with the network "n1", which instance "abc" is on, and the default ones */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/network.h"
#include "fake_engine.h"

static struct network make(const char *name)
{
	struct network n = { .id = strdup("0123456789abcdef0123456789abcdef"), .name = strdup(name) };

	n.driver = !strcmp(name, "host") ? DRIVER_HOST : !strcmp(name, "none") ? DRIVER_NONE : DRIVER_BRIDGE;
	if (n.driver == DRIVER_BRIDGE) {
		n.bridge = strdup("kt-01234567");
		n.v4.subnet = strdup("10.88.0.0/16");
		n.v4.gateway = strdup("10.88.0.1");
		strv_add(&n.labels, "a=1");
	}
	return n;
}

static bool is_known(const char *name)
{
	return !strcmp(name, "n1") || !strcmp(name, "bridge") || !strcmp(name, "host") ||
	       !strcmp(name, "none");
}

int network_create(struct engine *en, const struct network_request *rq, struct network *ret, struct err *e)
{
	buf_addf(&fake.calls, "network create %s driver=%s subnets=%zu labels=%zu%s%s\n", rq->name,
		 rq->driver ? rq->driver : "(none)", rq->subnets.n, rq->labels.n,
		 rq->no_ipv4 ? " no-ipv4" : "", rq->internal ? " internal" : "");
	*ret = make(rq->name);
	return 0;
}

int network_find(struct engine *en, const char *name, struct network *ret, struct err *e)
{
	if (!is_known(name))
		return err_set(e, ENOENT, "network %s not found", name);
	*ret = make(name);
	return 0;
}

int network_list(struct engine *en, struct network **ret, size_t *ret_n, struct err *e)
{
	static const char *const names[] = { "bridge", "host", "n1", "none" };

	*ret = calloc(4, sizeof(**ret));
	for (size_t i = 0; i < 4; i++)
		(*ret)[i] = make(names[i]);
	*ret_n = 4;
	return 0;
}

int network_remove(struct engine *en, const char *name, struct err *e)
{
	buf_addf(&fake.calls, "network remove %s\n", name);
	return is_known(name) || strlen(name) > 10 ? 0 : err_set(e, ENOENT, "network %s not found", name);
}

int network_ports(struct engine *en, const struct network *n, struct lease **ret, size_t *ret_n,
		  struct err *e)
{
	*ret = calloc(1, sizeof(**ret));
	*ret_n = !strcmp(n->name, "n1");
	if (*ret_n) {
		(*ret)->instance = strdup("abc");
		(*ret)->port.link = strdup("kv-1");
		(*ret)->port.mac = strdup("02:42:0a:58:00:02");
		(*ret)->port.address = strdup("10.88.0.2/16");
		strv_add(&(*ret)->names, "web");
	}
	return 0;
}

int network_pool_ready(struct engine *en, const struct network *n, uint32_t *ret, struct err *e)
{
	*ret = n->pool;
	return 0;
}

int network_fill(struct engine *en, struct instance *in, struct err *e)
{
	return 0;
}

int network_connect(struct engine *en, const char *network, const struct instance *in,
		    const struct net_request *rq, struct err *e)
{
	buf_addf(&fake.calls, "network connect %s %s ip=%s aliases=%zu\n", network, in->spec.name,
		 rq->ip ? rq->ip : "(none)", rq->aliases.n);
	return 0;
}

int network_disconnect(struct engine *en, const char *network, const struct instance *in, bool force,
		       struct err *e)
{
	buf_addf(&fake.calls, "network disconnect %s %s%s\n", network, in->spec.name, force ? " force" : "");
	return 0;
}

int network_release(struct engine *en, const char *instance, struct err *e)
{
	buf_addf(&fake.calls, "network release %s\n", instance);
	return 0;
}

int network_publish(struct engine *en, const struct instance *in, const struct net_request *rq,
		    struct net_spec *ret, struct err *e)
{
	buf_addf(&fake.calls, "publish %s %s of %zu on %s\n", in->spec.name, rq->publish.v[0], rq->publish.n,
		 rq->publish_address ? rq->publish_address : "(none)");
	return 0;
}

int network_unpublish(struct engine *en, const struct instance *in, const struct net_request *rq,
		      struct err *e)
{
	buf_addf(&fake.calls, "unpublish %s %s of %zu\n", in->spec.name, rq->publish.v[0], rq->publish.n);
	return 0;
}
