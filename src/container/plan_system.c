/* plan_system.c - what the kernel provides inside: /proc, /sys, /dev, its settings, and what of it is hidden; pure */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "base/auto.h"
#include "container/container_int.h"
#include "container/plan_int.h"

#define NSD  (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
#define NSDX (NSD | MOUNT_ATTR_NOEXEC)

/* --- /dev */

static void add_nodes(struct planner *pl)
{
	static const char *const nodes[][2] = {
		{ "/dev/null", "c 1:3 rwm" },	{ "/dev/zero", "c 1:5 rwm" },	 { "/dev/full", "c 1:7 rwm" },
		{ "/dev/random", "c 1:8 rwm" }, { "/dev/urandom", "c 1:9 rwm" }, { "/dev/tty", "c 5:0 rwm" },
	};
	static const char *const links[][2] = {
		{ "/dev/ptmx", "pts/ptmx" },	      { "/dev/fd", "/proc/self/fd" },
		{ "/dev/stdin", "/proc/self/fd/0" },  { "/dev/stdout", "/proc/self/fd/1" },
		{ "/dev/stderr", "/proc/self/fd/2" }, { "/dev/core", "/proc/kcore" },
	};

	for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
		if (plan_own_users(pl))
			plan_step(pl, &op_dev_host, nodes[i][0], nodes[i][0], nodes[i][1], 0);
		else
			plan_step(pl, &op_dev_node, nodes[i][0], NULL, nodes[i][1], 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		plan_step(pl, &op_dev_link, links[i][0], links[i][1], NULL, 0);
	if (pl->spec->privileged)
		plan_step(pl, &op_dev_host, "/dev", "/dev", NULL, 0);
}

/* --device.  In a user namespace nodes cannot be made: they are bound. */
static void add_devices(struct planner *pl)
{
	const struct sandbox *b = &pl->spec->sandbox;

	for (size_t i = 0; i < b->n_devices; i++) {
		const struct device_spec *d = &b->devices[i];
		autofree char *node = str_printf("%s %lld:%lld %o %u %u", d->type, (long long)d->major,
						 (long long)d->minor, d->mode, d->uid, d->gid);

		pl->place = "--device";
		plan_step(pl, &op_node, d->target, d->source, node, plan_own_users(pl) ? STEP_BIND : 0);
		pl->place = NULL;
	}
}

static void add_shm(struct planner *pl)
{
	unsigned long long bytes =
		pl->spec->sandbox.shm_bytes ? pl->spec->sandbox.shm_bytes : DEFAULT_SHM_BYTES;
	autofree char *options = str_printf("mode=1777,size=%lluk", (bytes + 1023) / 1024);

	switch (pl->spec->sandbox.ipc.mode) {
	case NS_NONE:
		break;
	case NS_CONTAINER:
		plan_step(pl, &op_mount_tree, "/dev/shm", "shm", NULL, 0);
		break;
	case NS_HOST:
		plan_step(pl, &op_host_bind, "/dev/shm", "/dev/shm", NULL, NSDX);
		break;
	default:
		plan_step(pl, &op_mount, "/dev/shm", "tmpfs", options, NSDX);
	}
}

static void add_dev(struct planner *pl)
{
	plan_step(pl, &op_mount, "/dev", "tmpfs", "mode=755,size=65536k", MOUNT_ATTR_NOSUID);
	add_nodes(pl);
	plan_step(pl, &op_mount_tree, "/dev/pts", "pts", NULL, 0);
	add_shm(pl);
	plan_step(pl, &op_mount, "/dev/mqueue", "mqueue", NULL, NSDX);
	add_devices(pl);
	if (pl->spec->process.tty)
		plan_step(pl, &op_console, "/dev/console", NULL, NULL, 0);
}

/* --- /sys */

static void add_sys(struct planner *pl)
{
	uint64_t flags = NSDX | (pl->spec->privileged ? 0 : MOUNT_ATTR_RDONLY);

	/* a new sysfs shows the devices of the network namespace that the user namespace owns: not the host's */
	if (plan_own_users(pl) && !plan_own_network(pl))
		plan_step(pl, &op_host_bind, "/sys", "/sys", NULL, flags);
	else
		plan_step(pl, &op_mount, "/sys", "sysfs", NULL, flags);
	plan_cgroup_mounts(pl, flags);
}

/* --- kernel settings */

static bool has_namespace(const struct instance_spec *s, int type)
{
	switch (type) {
	case OCI_NS_NETWORK:
		return s->network == NETWORK_NONE || s->network == NETWORK_ATTACHED;
	case OCI_NS_IPC:
		return !ns_is_shared(&s->sandbox.ipc);
	case OCI_NS_UTS:
		return !ns_is_shared(&s->sandbox.uts);
	default:
		return false;
	}
}

int plan_check_sysctls(const struct instance_spec *s, struct err *e)
{
	for (size_t i = 0; i < s->sandbox.sysctls.n; i++) {
		const char *text = s->sandbox.sysctls.v[i];
		int n = (int)strcspn(text, "="), type;
		autofree char *path = oci_sysctl_path(text, (size_t)n);

		if (!path)
			return err_set(e, ENOMEM, "out of memory");
		type = oci_sysctl_namespace(path);
		if (type < 0)
			return err_set(e, EINVAL,
				       "--sysctl %.*s: belongs to no namespace, it is the host's; a virtual "
				       "machine (--vm) has its own",
				       n < 80 ? n : 80, text);
		if (!has_namespace(s, type))
			return err_set(e, EINVAL, "--sysctl %.*s: is the host's without a namespace \"%s\"",
				       n < 80 ? n : 80, text, oci_namespace_types[type]);
	}
	return 0;
}

static void add_sysctls(struct planner *pl)
{
	const struct strv *list = &pl->spec->sandbox.sysctls;

	if (has_namespace(pl->spec, OCI_NS_NETWORK)) /* a network of its own, or the machine's */
		/* as Docker: without it every server for a low port would need CAP_NET_BIND_SERVICE */
		plan_step(pl, &op_sysctl, "/proc/sys/net/ipv4/ip_unprivileged_port_start", NULL, "0", 0);
	/* and so for ping and CAP_NET_RAW; the IDs have to be those of its users */
	if (has_namespace(pl->spec, OCI_NS_NETWORK) && !plan_own_users(pl))
		plan_step(pl, &op_sysctl, "/proc/sys/net/ipv4/ping_group_range", NULL, "0 2147483647", 0);
	for (size_t i = 0; i < list->n && pl->r == 0; i++) {
		const char *eq = strchr(list->v[i], '=');
		autofree char *path = oci_sysctl_path(list->v[i], (size_t)(eq - list->v[i]));
		autofree char *place = str_printf("--sysctl %.*s", (int)(eq - list->v[i]), list->v[i]);

		pl->place = place;
		plan_step(pl, &op_kernel_set, path, NULL, eq + 1, 0);
		pl->place = NULL;
	}
}

void plan_kernel(struct planner *pl)
{
	const struct instance_spec *s = pl->spec;

	plan_step(pl, &op_mount, "/proc", "proc", s->sandbox.proc_options, NSDX);
	add_sysctls(pl);
	if (has_namespace(s, OCI_NS_NETWORK))
		plan_step(pl, &op_loopback, "lo", NULL, NULL, 0);
	if (!ns_is_shared(&s->sandbox.uts))
		plan_step(pl, &op_hostname, "uts", NULL, s->hostname ? s->hostname : "ketch", 0);
	if (s->sandbox.domainname && !ns_is_shared(&s->sandbox.uts))
		plan_step(pl, &op_domainname, "uts", NULL, s->sandbox.domainname, 0);
	add_dev(pl);
	add_sys(pl);
}

/* --- masks */

/* Docker's lists (security.md A4, A9): what tells of, or reaches into, the host. */
static const char *const masked[] = {
	"/proc/asound",	     "/proc/acpi",	    "/proc/interrupts", "/proc/kcore",
	"/proc/keys",	     "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
	"/proc/sched_debug", "/proc/scsi",	    "/sys/firmware",	"/sys/devices/virtual/powercap",
};

static const char *const read_only[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

static void add_usual(struct planner *pl, const struct step_op *op, const char *const *paths, size_t n)
{
	const struct sandbox *b = &pl->spec->sandbox;

	for (size_t i = 0; i < n; i++)
		if (!b->unmask_all && !strv_has(&b->unmasks, paths[i]))
			plan_step(pl, op, paths[i], NULL, NULL, 0);
}

void plan_masks(struct planner *pl)
{
	const struct strv *asked = &pl->spec->sandbox.masks;

	if (!pl->spec->privileged) {
		add_usual(pl, &op_mask, masked, ARRAY_LEN(masked));
		add_usual(pl, &op_read_only, read_only, ARRAY_LEN(read_only));
	}
	for (size_t i = 0; i < asked->n; i++)
		plan_step(pl, &op_mask, asked->v[i], NULL, NULL, STEP_FOLLOW);
}
