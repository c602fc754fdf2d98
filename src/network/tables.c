/* tables.c - what networks and leases consist of; pure */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "network/lease.h"

const char *const network_driver_names[] = { "bridge", "macvlan", "host", "null", NULL };
static_assert(ARRAY_LEN(network_driver_names) == DRIVER_N + 1, "name every driver");

static const struct jfield pool_fields[] = {
	J(J_STR, struct network_pool, subnet),
	J(J_STR, struct network_pool, gateway),
	J(J_STR, struct network_pool, range),
	{ 0 },
};
static const struct jtable pool_table = { sizeof(struct network_pool), pool_fields };

static const struct jfield network_fields[] = {
	J(J_STR, struct network, id),
	J(J_STR, struct network, name),
	JE(struct network, driver, "driver", network_driver_names),
	JO(struct network, v4, "v4", &pool_table),
	JO(struct network, v6, "v6", &pool_table),
	J(J_BOOL, struct network, internal),
	J(J_BOOL, struct network, isolate),
	J(J_U32, struct network, mtu),
	J(J_U32, struct network, vlan),
	J(J_U32, struct network, pool),
	J(J_STR, struct network, parent),
	J(J_STR, struct network, bridge),
	J(J_STRV, struct network, dns),
	J(J_MAP, struct network, labels),
	J(J_MAP, struct network, options),
	JK(J_I64, struct network, created_ns, "created"),
	{ 0 },
};
const struct jtable network_table = { sizeof(struct network), network_fields };

void network_done(struct network *n)
{
	json_done(&network_table, n);
}

void networks_free(struct network *n, size_t count)
{
	for (size_t i = 0; i < count; i++)
		network_done(&n[i]);
	free(n);
}

bool network_is_default(const struct network *n)
{
	return n->driver == DRIVER_HOST || n->driver == DRIVER_NONE || !strcmp(n->name, NETWORK_DEFAULT);
}

bool network_has_ports(const struct network *n)
{
	return n->driver == DRIVER_BRIDGE || n->driver == DRIVER_MACVLAN;
}

/* --- leases */

static const struct jfield lease_fields[] = {
	JO(struct lease, port, "port", &net_port_table),
	J(J_STRV, struct lease, names),
	JA(struct lease, ports, n_ports, "ports", &published_port_table),
	JA(struct lease, rules, n_rules, "rules", &net_rule_table),
	J(J_STRV, struct lease, egress),
	JK(J_BOOL, struct lease, egress_given, "egressGiven"),
	JK(J_BOOL, struct lease, egress_learn, "egressLearn"),
	J(J_BOOL, struct lease, dhcp),
	{ 0 },
};
const struct jtable lease_table = { sizeof(struct lease), lease_fields };

void lease_done(struct lease *l)
{
	free(l->network);
	free(l->instance);
	free(l->boot);
	json_done(&lease_table, l);
}

int lease_copy(const struct lease *l, struct lease *ret)
{
	struct lease copy;
	int r = json_copy(&lease_table, l, &copy);

	if (r < 0)
		return r;
	copy.network = strdup(l->network);
	copy.instance = strdup(l->instance);
	copy.boot = strdup(l->boot);
	if (!copy.network || !copy.instance || !copy.boot) {
		lease_done(&copy);
		return -ENOMEM;
	}
	*ret = copy;
	return 0;
}

void leases_free(struct lease *l, size_t n)
{
	for (size_t i = 0; i < n; i++)
		lease_done(&l[i]);
	free(l);
}
