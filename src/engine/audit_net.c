/* audit_net.c - what is left of instances on networks: links that bear their ids, rules */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "engine/audit_int.h"
#include "engine/net_int.h"
#include "network/firewall.h"
#include "network/pool.h"
#include "sys/patience.h"
#include "sys/rtnetlink.h"

#define OWNER_NETWORK "network " /* network/firewall.h */
#define LINK_WAIT_MS  500

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

/* None where they cannot be listed; freed by free(). */
static struct rt_link_info *list_links(size_t *ret_n)
{
	autoclose int rt = nl_open(NETLINK_ROUTE);
	struct rt_link_info *links;

	return rt < 0 || rt_links(rt, &links, ret_n) < 0 ? (*ret_n = 0, NULL) : links;
}

static void see_links(struct audit *a)
{
	size_t n;
	struct rt_link_info *links = list_links(&n);

	for (size_t i = 0; i < n; i++)
		see_link(a, &links[i]);
	free(links);
}

static bool has_pool(struct engine *en, const char *network)
{
	autofree char *path = str_printf("networks/%s", network);
	autoclose int dir = path ? openat(en->run_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	return dir >= 0 && pool_lives(dir);
}

/* Those of other stores are in no record of ours. */
static bool is_left_of_pool(struct engine *en, const struct rt_link_info *l)
{
	AUTO(network_done) struct network n = { 0 };
	size_t prefix = strlen(PORT_ALIAS_POOL);
	struct err none;

	return !strncmp(l->alias, PORT_ALIAS_POOL, prefix) &&
	       network_record_find(en->db, l->alias + prefix, &n, &none) == 0 &&
	       !strcmp(n.id, l->alias + prefix) && !has_pool(en, n.id);
}

/* The kernel takes its time with those of a pool that has just ended. */
static bool stays(const char *link)
{
	struct patience p = patience_for_ms(LINK_WAIT_MS);

	while (if_nametoindex(link))
		if (patience_pause(&p) < 0)
			return true;
	return false;
}

void audit_pools(struct audit *a, struct engine *en, struct strv *ret)
{
	size_t n;
	struct rt_link_info *links = list_links(&n);

	for (size_t i = 0; i < n; i++) {
		if (is_left_of_pool(en, &links[i]) && stays(links[i].name))
			a->oom |= strv_addf(ret, "link %s of the pool of network %.12s", links[i].name,
					    links[i].alias + strlen(PORT_ALIAS_POOL)) < 0;
	}
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

/* Was it there before it was known who is alive, and is its instance dead? */
static bool is_of_dead(const struct audit *a, struct engine *en, const char *owner, char id[AUDIT_ID_LEN + 1])
{
	return audit_id_at(owner, id) && strv_has(&a->owners, owner) && audit_is_dead(a, en, id);
}

/* Those that there are once no rules are about to go. */
static void read_settled_owners(const struct audit *a, struct engine *en, struct strv *ret)
{
	struct firewall fw = net_firewall(en), again = net_firewall(en);
	char id[AUDIT_ID_LEN + 1];
	bool waited = false;

	read_owners(&fw, ret);
	for (size_t i = 0; i < ret->n; i++)
		if (is_of_dead(a, en, ret->v[i], id))
			waited |= audit_await_release(id);
	if (!waited)
		return;
	strv_done(ret);
	read_owners(&again, ret);
}

/* Rules of a network come after its record, and go before it. */
void audit_rules(struct audit *a, struct engine *en, struct strv *ret)
{
	AUTO(strv_done) struct strv now = { 0 };
	const struct firewall fw = net_firewall(en);
	char id[AUDIT_ID_LEN + 1];
	size_t prefix = strlen(OWNER_NETWORK);

	read_settled_owners(a, en, &now);
	for (size_t i = 0; i < now.n; i++) {
		const char *owner = now.v[i];

		if (!strncmp(owner, OWNER_NETWORK, prefix) && !is_recorded(en, owner + prefix))
			a->oom |= strv_addf(ret, "rules of network %.12s in table %s", owner + prefix,
					    fw.table) < 0;
		else if (is_of_dead(a, en, owner, id))
			a->oom |= strv_addf(ret, "rules of instance %.12s in table %s", id, fw.table) < 0;
	}
}
