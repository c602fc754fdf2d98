/* audit_net.c - what is left of instances on networks: links that bear their ids, rules */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "engine/audit_int.h"
#include "engine/net_int.h"
#include "network/firewall.h"
#include "network/port.h"
#include "sys/rtnetlink.h"

/* Links of other stores, too, as with cgroups: the lock tells whose instance lives. */
static void see_link(struct audit *a, const struct rt_link_info *l)
{
	size_t prefix = strlen(PORT_ALIAS_INSTANCE);
	char id[AUDIT_ID_LEN + 1];
	autofree char *path = NULL;

	if (strncmp(l->alias, PORT_ALIAS_INSTANCE, prefix) != 0 || !audit_id_at(l->alias + prefix, id))
		return;
	path = str_printf("/proc/sys/net/ipv4/conf/%s", l->name);
	if (path)
		audit_suspect_take(a, id, path, str_printf("link %s of instance %.12s", l->name, id));
}

static void see_links(struct audit *a)
{
	autoclose int rt = nl_open(NETLINK_ROUTE);
	struct rt_link_info *links;
	size_t n;

	if (rt < 0 || rt_links(rt, &links, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		see_link(a, &links[i]);
	free(links);
}

/* Those of our own table alone. */
static void see_rules(struct audit *a, struct engine *en)
{
	AUTO(strv_done) struct strv owners = { 0 };
	char table[NET_TABLE_MAX], id[AUDIT_ID_LEN + 1];

	net_table(en, table);
	if (firewall_owners(table, &owners, NULL) < 0)
		return;
	for (size_t i = 0; i < owners.n; i++)
		if (audit_id_at(owners.v[i], id))
			audit_suspect_take(a, id, "/",
					   str_printf("rules of instance %.12s in table %s", id, table));
}

void audit_networks(struct audit *a, struct engine *en)
{
	see_links(a);
	see_rules(a, en);
}
