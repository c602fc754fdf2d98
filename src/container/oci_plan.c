/* oci_plan.c - what it takes to make the container of an OCI config; pure
 *
 * The order inside is runc's, which hooks and callers rely on: mounts as they are listed, devices, createContainer
 * hooks while the root can still be written, then what closes it: masks, read-only paths, the root.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "base/auto.h"
#include "cgroup/oci.h"
#include "container/container_int.h"
#include "container/mount_options.h"
#include "container/plan_int.h"

bool plan_oci_own_users(const struct planner *pl)
{
	return oci_namespace_find(&pl->oci->spec->lnx, OCI_NS_USER) != NULL;
}

/* What the copies of the host's mounts begin with: slaves, as under runc, unless the config says otherwise.  Across a
 * user namespace nothing may be shared (mount_namespaces(7)). */
const char *plan_oci_propagation(const struct planner *pl)
{
	const char *asked = pl->oci->spec->lnx.rootfs_propagation;
	struct propagation p;

	if (!asked || propagation_parse(asked, &p) < 0)
		return "rslave";
	if (p.type == MS_PRIVATE || p.type == MS_UNBINDABLE)
		return "rprivate";
	return p.type == MS_SHARED && !plan_oci_own_users(pl) ? NULL : "rslave";
}

/* --- host */

static void add_cgroups(struct planner *pl, struct strv *ret)
{
	const struct oci_request *rq = pl->oci;
	struct cgroup_oci_request cg = {
		.facts = rq->facts,
		.id = rq->id,
		.path = rq->spec->lnx.cgroups_path,
		.systemd = rq->systemd_cgroup,
		.rootless = rq->rootless,
		.resources = &rq->spec->lnx.resources,
		.annotations = &rq->spec->annotations,
		.rows = &container_cgroup_rows,
	};

	if (pl->r == 0 && !rq->no_cgroups)
		pl->r = cgroup_plan_oci(&cg, pl->plan, ret, pl->e);
}

/* A new user namespace has no right to the host's trees: they are opened before.  Else each is opened when its turn comes:
 * the kernel lists mounts in the order in which they were made. */
static void add_host(struct planner *pl, struct strv *cgroups)
{
	const struct oci_spec *s = pl->oci->spec;

	add_cgroups(pl, cgroups);
	if (s->lnx.mount_label && *s->lnx.mount_label && !pl->facts->selinux)
		plan_step(pl, &op_warn, "linux.mountLabel", NULL,
			  "SELinux is not enabled here: linux.mountLabel labels nothing", 0);
	if (s->lnx.seccomp)
		plan_step(pl, &op_seccomp, "filter", "fd:seccomp", NULL, 0);
	plan_oci_namespaces(pl, &s->lnx);
	if (pl->oci->rootless)
		return;
	pl->place = "root.path";
	if (plan_oci_own_users(pl))
		plan_step(pl, &op_root_open, "/", "fd:rootfs", NULL, STEP_DEEP);
	pl->place = NULL;
	plan_oci_sources(pl);
}

/* --- inside */

static bool own_mounts(const struct planner *pl)
{
	return oci_namespace_is_new(&pl->oci->spec->lnx, OCI_NS_MOUNT);
}

static void add_root(struct planner *pl)
{
	if (own_mounts(pl))
		plan_step(pl, &op_host_slave, "/", NULL, NULL, 0);
	pl->place = "root.path";
	plan_step(pl, &op_root_mount, pl->oci->spec->root_path,
		  plan_oci_own_users(pl) && !pl->oci->rootless ? "root" : NULL, NULL, 0);
	pl->place = NULL;
}

static void add_sysctls(struct planner *pl)
{
	const struct strv *list = &pl->oci->spec->lnx.sysctl;

	for (size_t i = 0; i < list->n && pl->r == 0; i++) {
		const char *eq = strchr(list->v[i], '=');
		size_t n = eq ? (size_t)(eq - list->v[i]) : strlen(list->v[i]);
		autofree char *path = oci_sysctl_path(list->v[i], n);
		autofree char *place = str_printf("linux.sysctl.%.*s", (int)n, list->v[i]);

		pl->place = place;
		plan_step(pl, &op_kernel_set, path, NULL, eq ? eq + 1 : "", 0);
	}
	pl->place = NULL;
}

static void add_names(struct planner *pl)
{
	const struct oci_spec *s = pl->oci->spec;

	if (s->hostname && *s->hostname)
		plan_step(pl, &op_hostname, "uts", NULL, s->hostname, 0);
	if (s->domainname && *s->domainname)
		plan_step(pl, &op_domainname, "uts", NULL, s->domainname, 0);
}

static void add_paths(struct planner *pl, const struct step_op *op, const char *list_name,
		      const struct strv *paths)
{
	for (size_t i = 0; i < paths->n && pl->r == 0; i++) {
		autofree char *place = str_printf("linux.%s[%zu]", list_name, i);

		pl->place = place;
		plan_step(pl, op, paths->v[i], NULL, NULL, STEP_FOLLOW);
	}
	pl->place = NULL;
}

/* After pivot_root, which refuses a shared root. */
static void add_propagation(struct planner *pl)
{
	const char *asked = pl->oci->spec->lnx.rootfs_propagation;
	struct propagation p;

	if (!asked || propagation_parse(asked, &p) < 0 || p.type == MS_SLAVE)
		return;
	pl->place = "linux.rootfsPropagation";
	plan_step(pl, &op_propagation, "/", NULL, asked, 0);
	pl->place = NULL;
}

static void add_end(struct planner *pl)
{
	const struct oci_spec *s = pl->oci->spec;
	const struct oci_process *p = &s->process;

	if (s->has_process && p->cwd && strcmp(p->cwd, "/"))
		plan_step(pl, &op_make_cwd, p->cwd, NULL, NULL, 0);
	add_names(pl);
	add_sysctls(pl);
	plan_oci_seals(pl);
	add_paths(pl, &op_read_only, "readonlyPaths", &s->lnx.readonly_paths);
	add_paths(pl, &op_mask, "maskedPaths", &s->lnx.masked_paths);
	if (s->root_readonly)
		plan_step(pl, &op_root_read_only, "/", NULL, NULL, 0);
	plan_step(pl, &op_root_enter, "/", NULL, NULL,
		  !own_mounts(pl)     ? STEP_CHROOT
		  : pl->oci->no_pivot ? STEP_MOVE
				      : 0);
	if (own_mounts(pl))
		add_propagation(pl);
	plan_step(pl, &op_process, p->args.n ? p->args.v[0] : NULL, NULL, NULL, 0);
}

static void add_inside(struct planner *pl, const struct strv *cgroups)
{
	const struct oci_spec *s = pl->oci->spec;

	add_root(pl);
	plan_oci_mounts(pl, cgroups);
	plan_oci_devices(pl);
	if (s->has_process && s->process.terminal)
		plan_step(pl, &op_console, "/dev/console", NULL, NULL, 0);
	if (oci_hooks_are_awaited(&s->hooks))
		plan_step(pl, &op_hooks, "createContainer", NULL, NULL, 0);
	add_end(pl);
}

int container_plan_oci(const struct oci_request *rq, struct plan *ret, struct strv *ret_cgroups,
		       struct err *e)
{
	struct planner pl = { .oci = rq, .facts = rq->facts, .plan = ret, .e = e };

	*ret = (struct plan){ 0 };
	*ret_cgroups = (struct strv){ 0 };
	if (!rq->spec->has_root || !rq->spec->root_path)
		return err_set(e, EINVAL, "root: there is none");
	if (rq->spec->lnx.intel_rdt)
		return err_set(e, ENOTSUP,
			       "linux.intelRdt: cache and memory bandwidth allocation is not supported");
	add_host(&pl, ret_cgroups);
	add_inside(&pl, ret_cgroups);
	return pl.r;
}
