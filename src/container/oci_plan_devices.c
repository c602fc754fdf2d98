/* oci_plan_devices.c - the devices of an OCI config, those that every container has, and the links of /dev; pure
 *
 * config-linux.md#default-devices, runtime-linux.md#dev-symbolic-links.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "container/container_int.h"
#include "container/plan_int.h"

static const char *const default_nodes[][2] = {
	{ "/dev/null", "c 1:3 666 0 0" },    { "/dev/zero", "c 1:5 666 0 0" },
	{ "/dev/full", "c 1:7 666 0 0" },    { "/dev/random", "c 1:8 666 0 0" },
	{ "/dev/urandom", "c 1:9 666 0 0" }, { "/dev/tty", "c 5:0 666 0 0" },
};

static const char *const links[][2] = {
	{ "/dev/ptmx", "pts/ptmx" },	      { "/dev/fd", "/proc/self/fd" },
	{ "/dev/stdin", "/proc/self/fd/0" },  { "/dev/stdout", "/proc/self/fd/1" },
	{ "/dev/stderr", "/proc/self/fd/2" }, { "/dev/core", "/proc/kcore" },
};

/* Without the right to make nodes the host's are bound. */
static uint64_t node_flags(const struct planner *pl)
{
	return plan_oci_own_users(pl) || pl->oci->rootless ? STEP_BIND : 0;
}

static void add_device(struct planner *pl, const struct oci_device *d)
{
	autofree char *text = str_printf("%s %lld:%lld %llo %llu %llu", d->type, (long long)d->major.v,
					 (long long)d->minor.v,
					 (unsigned long long)(d->file_mode.set ? d->file_mode.v : 0666),
					 (unsigned long long)(d->uid.set ? d->uid.v : 0),
					 (unsigned long long)(d->gid.set ? d->gid.v : 0));
	bool fifo = !strcmp(d->type, "p");

	plan_step(pl, &op_node, d->path, fifo ? NULL : d->path, text, fifo ? 0 : node_flags(pl));
}

static bool is_listed(const struct oci_linux *l, const char *path)
{
	for (size_t i = 0; i < l->n_devices; i++)
		if (!strcmp(l->devices[i].path, path))
			return true;
	return false;
}

static void add_listed(struct planner *pl, const struct oci_linux *l)
{
	for (size_t i = 0; i < l->n_devices && pl->r == 0; i++) {
		autofree char *place = str_printf("linux.devices[%zu]", i);

		if (!strcmp(l->devices[i].path, "/dev/ptmx")) /* that of the container's own /dev/pts */
			continue;
		pl->place = place;
		add_device(pl, &l->devices[i]);
		pl->place = NULL;
	}
}

void plan_oci_devices(struct planner *pl)
{
	const struct oci_linux *l = &pl->oci->spec->lnx;
	enum dev_kind dev = plan_oci_dev(pl);

	if (dev == DEV_OF_HOST) /* all is there, and nothing of it is ours */
		return;
	if (dev == DEV_OF_ROOT)
		plan_step(pl, &op_dev_open, "/dev", NULL, NULL, 0);
	add_listed(pl, l);
	for (size_t i = 0; i < ARRAY_LEN(default_nodes); i++)
		if (!is_listed(l, default_nodes[i][0]))
			plan_step(pl, &op_node, default_nodes[i][0], default_nodes[i][0], default_nodes[i][1],
				  node_flags(pl));
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		plan_step(pl, &op_dev_link, links[i][0], links[i][1], NULL, 0);
}
