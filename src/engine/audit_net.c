/* audit_net.c - what is left of instances on networks: links that bear their ids, rules */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "engine/audit_int.h"
#include "engine/net_int.h"
#include "network/firewall.h"
#include "network/port.h"
#include "sys/rtnetlink.h"

#define OWNER_NETWORK "network " /* network/firewall.h */

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
		audit_suspect_of_any_take(a, id, path, str_printf("link %s of instance %.12s", l->name, id));
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

/* Those of our own table alone; none where there is no nft. */
static void read_owners(struct firewall *fw, struct strv *ret)
{
	firewall_owners(fw, ret, NULL);
	firewall_close(fw);
}

void audit_networks(struct audit *a, struct engine *en)
{
	struct firewall fw = net_firewall(en);

	see_links(a);
	read_owners(&fw, &a->owners);
}

static bool is_recorded(struct engine *en, const char *network)
{
	AUTO(network_done) struct network n = { 0 };

	return network_record_find(en->db, network, &n, NULL) != -ENOENT;
}

/* Rules of a network come after its record, and go before it. */
void audit_rules(struct audit *a, struct engine *en, struct strv *ret)
{
	AUTO(strv_done) struct strv now = { 0 };
	struct firewall fw = net_firewall(en);
	char id[AUDIT_ID_LEN + 1];
	size_t prefix = strlen(OWNER_NETWORK);

	read_owners(&fw, &now);
	for (size_t i = 0; i < now.n; i++) {
		const char *owner = now.v[i];

		if (!strncmp(owner, OWNER_NETWORK, prefix) && !is_recorded(en, owner + prefix))
			a->oom |= strv_addf(ret, "rules of network %.12s in table %s", owner + prefix,
					    fw.table) < 0;
		else if (audit_id_at(owner, id) && strv_has(&a->owners, owner) && audit_is_dead(a, en, id))
			a->oom |= strv_addf(ret, "rules of instance %.12s in table %s", id, fw.table) < 0;
	}
}
