/* plan.c - what it takes to run a spec as a container here; pure
 *
 * The order inside: the root, then what the kernel provides (/proc, /sys, /dev), then what the user mounts over
 * it, then masks, so that nothing mounted later uncovers what was masked.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "base/auto.h"
#include "base/parse.h"
#include "container/container_int.h"
#include "container/plan_int.h"

void plan_step(struct planner *pl, const struct step_op *op, const char *what, const char *from,
	       const char *data, uint64_t flags)
{
	int r = pl->r;

	if (r == 0)
		r = plan_add(pl->plan, op, what, from, data, flags);
	if (r == 0 && pl->place)
		r = plan_set_place(pl->plan, pl->place);
	if (r < 0 && pl->r == 0)
		pl->r = err_set(pl->e, ENOMEM, "out of memory");
}

void plan_refuse(struct planner *pl, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (pl->r == 0)
		pl->r = err_set(pl->e, EINVAL, "%s: %s", pl->place, text);
}

void plan_step_take(struct planner *pl, const struct step_op *op, const char *what, char *data,
		    uint64_t flags)
{
	if (data)
		plan_step(pl, op, what, NULL, data, flags);
	else if (pl->r == 0)
		pl->r = err_set(pl->e, ENOMEM, "out of memory");
	free(data);
}

/* --- host */

bool plan_own_network(const struct planner *pl)
{
	/* in a VM the machine is the network's wall; a second one would only have to be bridged again */
	if (pl->facts->in_guest)
		return false;
	/* one that the engine has made belongs to the users of the host */
	return pl->spec->network == NETWORK_NONE ||
	       (pl->spec->network == NETWORK_ATTACHED && pl->spec->userns);
}

bool plan_own_users(const struct planner *pl)
{
	return pl->spec->userns && !pl->facts->in_guest;
}

static void add_root(struct planner *pl)
{
	AUTO(buf_done) struct buf from = { 0 };

	if (pl->facts->in_guest) {
		plan_step(pl, &op_root_open, "/", "fd:rootfs", NULL, 0);
		return;
	}
	for (size_t i = pl->spec->layers.n; i-- > 0;)
		buf_addf(&from, "%sfd:layer/%zu", from.len ? " " : "", i);
	if (!buf_ok(&from) || !from.len)
		pl->r = err_set(pl->e, EINVAL, "the image has no layers");
	else
		plan_step(pl, &op_overlay, "/", from.data,
			  pl->spec->auto_remove ? "upper=fd:upper work=fd:work volatile"
						: "upper=fd:upper work=fd:work",
			  0);
}

static void add_sources(struct planner *pl)
{
	const struct instance_spec *s = pl->spec;

	for (size_t i = 0; i < s->n_mounts && pl->r == 0; i++) {
		const struct mount_spec *m = &s->mounts[i];
		autofree char *from = str_printf("fd:mount/%zu", i);

		if (m->type != MOUNT_TMPFS)
			plan_source(pl, m, from);
	}
}

static void add_host(struct planner *pl)
{
	plan_cgroups(pl);
	if (pl->spec->seccomp)
		plan_step(pl, &op_seccomp, "filter", "fd:seccomp", pl->spec->seccomp, 0);
	plan_users(pl);
	plan_system_cgroup(pl);
	add_root(pl);
	add_sources(pl);
	plan_step(pl, &op_terminals, "/dev/pts", NULL, NULL, 0);
	plan_namespaces(pl);
}

/* --- inside */

static void add_process(struct planner *pl)
{
	const struct process *p = &pl->spec->process;
	autofree char *data =
		str_printf("user %s, %zu capabilities%s%s%s", p->user && *p->user ? p->user : "root",
			   p->caps.n, p->no_new_privs ? ", no new privileges" : "",
			   p->seccomp ? ", filtered" : "", pl->spec->init ? ", under an init" : "");

	plan_step(pl, &op_process, p->args.v[0], NULL, data, 0);
}

static void add_inside(struct planner *pl)
{
	const struct process *p = &pl->spec->process;

	plan_step(pl, &op_root_attach, "/", "root", NULL, 0);
	plan_kernel(pl);
	plan_etc(pl);
	plan_user_mounts(pl);
	plan_masks(pl);
	if (p->cwd && strcmp(p->cwd, "/"))
		plan_step(pl, &op_make_cwd, p->cwd, NULL, NULL, 0);
	if (pl->spec->read_only)
		plan_step(pl, &op_root_read_only, "/", NULL, NULL, 0);
	plan_step(pl, &op_root_enter, "/", NULL, NULL, 0);
	add_process(pl);
}

/* --- what cannot be done is said here */

static int check(const struct instance_spec *s, const struct host_facts *h, struct err *e)
{
	if (!s->process.args.n || !*s->process.args.v[0])
		return err_set(e, EINVAL, "no command was given");
	if (!s->id || strspn(s->id, "0123456789abcdef") != strlen(s->id) || !*s->id)
		return err_set(e, EINVAL, "the instance has no valid id");
	if (s->hostname && (!*s->hostname || strlen(s->hostname) > 64 || strchr(s->hostname, '\n')))
		return err_set(e, EINVAL, "--hostname: \"%.80s\" is not a name of 1 to 64 bytes",
			       s->hostname);
	if (s->userns && s->privileged)
		return err_set(e, EINVAL, "--userns: a privileged container cannot have its own users");
	if (s->sandbox.system && !h->cgroup2)
		return err_set(e, ENOTSUP, "--system: this host has no cgroup v2 mounted for it");
	if (s->storage_bytes && !h->in_guest && !h->project_quota)
		return err_set(
			e, ENOTSUP,
			"--storage-opt size: a container needs project quotas: have the store on ext4 or "
			"xfs, mounted with prjquota");
	if (!h->in_guest && plan_check_sysctls(s, e) < 0)
		return -e->no;
	for (size_t i = 0; i < s->n_mounts; i++) {
		const char *t = s->mounts[i].target;

		if (!t || *t != '/' || strspn(t, "/") == strlen(t))
			return err_set(e, EINVAL, "-v, --tmpfs: cannot mount on \"%s\"", t ? t : "");
	}
	return 0;
}

int container_plan(const struct instance_spec *s, const struct host_facts *h, struct plan *ret, struct err *e)
{
	struct planner pl = { .spec = s, .facts = h, .plan = ret, .e = e };

	*ret = (struct plan){ 0 };
	pl.r = check(s, h, e);
	if (pl.r == 0)
		add_host(&pl);
	if (pl.r == 0)
		add_inside(&pl);
	return pl.r;
}
