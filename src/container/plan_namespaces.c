/* plan_namespaces.c - which namespaces an instance gets: its own, the host's, those of another instance; pure
 *
 * In a guest all are its own, but for the network and the users: there the machine is the wall.
 */
#include <stdlib.h>

#include "base/auto.h"
#include "container/container_int.h"
#include "container/plan_int.h"

static void add_map(struct planner *pl, const char *what, const struct id_maps *m)
{
	AUTO(buf_done) struct buf lines = { 0 };

	for (size_t i = 0; i < m->n; i++)
		buf_addf(&lines, "%u %u %u\n", m->v[i].container_id, m->v[i].host_id, m->v[i].size);
	plan_step(pl, &op_id_maps, what, NULL, lines.data, 0);
}

void plan_users(struct planner *pl)
{
	const struct sandbox *b = &pl->spec->sandbox;

	if (!plan_own_users(pl))
		return;
	if (b->uid_maps.n) {
		add_map(pl, "uid", &b->uid_maps);
		add_map(pl, "gid", &b->gid_maps);
	}
	plan_step(pl, &op_userns, "ids", b->uid_maps.n ? NULL : "/etc/subuid", NULL, 0);
}

static bool is_own(const struct planner *pl, const struct ns_spec *ns)
{
	return pl->facts->in_guest || !ns_is_shared(ns);
}

/* Made by the engine with all that is in it, or that of another container; its ports go on into one of its own users. */
static void plan_network(struct planner *pl)
{
	int mode = pl->spec->network;

	if (pl->facts->in_guest || (mode != NETWORK_ATTACHED && mode != NETWORK_CONTAINER))
		return;
	if (plan_own_network(pl))
		plan_step(pl, &op_ports, "net", "fd:ns/net", NULL, 0);
	else
		plan_step(pl, &op_ns_open, "net", "fd:ns/net", NULL, 0);
}

void plan_namespaces(struct planner *pl)
{
	const struct sandbox *b = &pl->spec->sandbox;
	const struct {
		const char *kind;
		const struct ns_spec *ns;
	} rows[] = { { "pid", &b->pid }, { "ipc", &b->ipc }, { "uts", &b->uts }, { "cgroup", &b->cgroup } };
	AUTO(buf_done) struct buf fresh = { 0 };

	buf_adds(&fresh, "mnt");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autofree char *from = str_printf("fd:ns/%s", rows[i].kind);

		if (is_own(pl, rows[i].ns))
			buf_addf(&fresh, " %s", rows[i].kind);
		else if (rows[i].ns->mode == NS_CONTAINER)
			plan_step(pl, &op_ns_open, rows[i].kind, from, NULL, 0);
	}
	plan_network(pl);
	if (b->ipc.mode == NS_CONTAINER)
		plan_step(pl, &op_shm_of, "shm", "fd:ns/mnt", NULL, 0);
	buf_addf(&fresh, "%s%s", plan_own_network(pl) ? " net" : "", plan_own_users(pl) ? " user" : "");
	plan_step(pl, &op_namespaces, "new", NULL, fresh.data, 0);
}
