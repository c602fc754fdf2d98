/* oci_plan.c - the steps that make an OCI container's cgroups and set what linux.resources asks; pure */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cgroup/limits.h"
#include "cgroup/oci_int.h"
#include "cgroup/systemd.h"

void oci_fail(struct oci_planner *pl, int no, const char *fmt, ...)
{
	autofree char *text = NULL;
	va_list ap;

	if (pl->r < 0)
		return;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	pl->r = err_set(pl->e, no, "%s", text ? text : "out of memory");
}

static void step(struct oci_planner *pl, const struct step_op *op, const char *what, const char *data,
		 uint64_t flags)
{
	if (pl->r < 0)
		return;
	if (!what || !data || plan_add(pl->plan, op, what, NULL, data, flags) < 0)
		oci_fail(pl, ENOMEM, "out of memory");
}

/* A failure to set `path` begins with the flag that asked for it. */
static void name_flag(struct oci_planner *pl, const char *path)
{
	const char *flag = pl->limits ? limits_flag_of_file(pl->limits, strrchr(path, '/') + 1) : NULL;

	if (flag && pl->r == 0 && plan_set_place(pl->plan, flag) < 0)
		oci_fail(pl, ENOMEM, "out of memory");
}

void oci_warn(struct oci_planner *pl, const char *fmt, ...)
{
	autofree char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	step(pl, pl->rq->rows->warn, "resources", text, 0);
}

void oci_set(struct oci_planner *pl, const char *dir, const char *file, uint64_t flags, const char *fmt, ...)
{
	autofree char *path = str_printf("%s/%s", dir, file), *value = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&value, fmt, ap) < 0)
		value = NULL;
	va_end(ap);
	step(pl, pl->rq->rows->set, path, value, flags);
	if (path)
		name_flag(pl, path);
}

void oci_set_either(struct oci_planner *pl, const char *file, const char *value, const char *otherwise)
{
	if (pl->r == 0 && plan_add(pl->plan, pl->rq->rows->set, file, otherwise, value, 0) < 0)
		oci_fail(pl, ENOMEM, "out of memory");
	name_flag(pl, file);
}

/* --- which controllers are needed */

static bool unified_needs(const struct oci_resources *r, const char *controller)
{
	size_t n = strlen(controller);

	for (size_t i = 0; i < r->unified.n; i++)
		if (!strncmp(r->unified.v[i], controller, n) && r->unified.v[i][n] == '.')
			return true;
	return false;
}

static const char *kind_needs(const struct oci_kind *k, const struct oci_resources *r, const char *controller)
{
	for (; k->place; k++)
		if ((!strcmp(k->v1, controller) || (k->v2 && !strcmp(k->v2, controller))) && k->asks(r))
			return k->place;
	return NULL;
}

/* The place of a limit that needs the controller, or NULL. */
static const char *who_needs(const struct oci_planner *pl, const char *controller)
{
	const struct oci_resources *r = pl->resources;
	const char *place = kind_needs(oci_limits, r, controller);

	if (!place)
		place = kind_needs(oci_io, r, controller);
	return place || !unified_needs(r, controller) ? place : "linux.resources.unified";
}

/* --- making */

static const char *name_of(const char *entry, char *ret, size_t n)
{
	snprintf(ret, n, "%.*s", (int)strcspn(entry, "="), entry);
	return ret;
}

/* The v2 controllers that the container is to have: those that statistics need, and those that a limit needs; each costs
 * at every making and removal. */
static void unified_controllers(const struct oci_planner *pl, struct strv *ret)
{
	static const char *const always[] = { "cpu", "io", "memory", "pids", NULL };
	const struct host_facts *h = pl->rq->facts;
	char name[64];

	for (size_t i = 0; i < h->cgroups.n; i++) {
		bool wanted = who_needs(pl, name_of(h->cgroups.v[i], name, sizeof(name)));

		for (const char *const *c = always; *c; c++)
			wanted = wanted || !strcmp(*c, name);
		if (wanted && cgroup_is_v2(h, name) && strcmp(name, "unified"))
			strv_add(ret, name);
	}
}

static void enable_unified(struct oci_planner *pl, const struct strv *controllers, const char *dir)
{
	AUTO(strv_done) struct strv parents = { 0 };
	AUTO(buf_done) struct buf plus = { 0 };

	for (size_t i = 0; i < controllers->n; i++)
		buf_addf(&plus, "%s+%s", plus.len ? " " : "", controllers->v[i]);
	if (!controllers->n)
		return;
	if (oci_place_parents(cgroup_base(pl->rq->facts, "unified"), dir, &parents) < 0)
		oci_fail(pl, ENOMEM, "out of memory");
	for (size_t i = 0; i < parents.n; i++)
		step(pl, pl->rq->rows->enable, parents.v[i], plus.data, STEP_MAY_FAIL);
}

static void make(struct oci_planner *pl, const char *dir, const struct strv *names, bool v2)
{
	uint64_t flags = (v2 ? STEP_V2 : 0) | (pl->rq->systemd ? 0 : STEP_UNUSED);
	AUTO(buf_done) struct buf list = { 0 };
	const char *needed = NULL;

	for (size_t i = 0; i < names->n; i++) {
		buf_addf(&list, "%s%s", i ? "," : "", names->v[i]);
		needed = needed ? needed : who_needs(pl, names->v[i]);
	}
	if (pl->rq->rootless && !needed)
		flags |= STEP_MAY_FAIL;
	step(pl, pl->rq->rows->make, dir, list.data, flags);
	/* its user is told which limit asks for what he has no right to */
	if (pl->rq->rootless && needed && pl->r == 0 && plan_set_place(pl->plan, needed) < 0)
		oci_fail(pl, ENOMEM, "out of memory");
}

static void make_unified(struct oci_planner *pl, const char *dir)
{
	AUTO(strv_done) struct strv names = { 0 }, controllers = { 0 };

	unified_controllers(pl, &controllers);
	enable_unified(pl, &controllers, dir);
	if (strv_add(&names, "unified") < 0 || strv_add_all(&names, &controllers) < 0)
		oci_fail(pl, ENOMEM, "out of memory");
	make(pl, dir, &names, true);
}

/* One directory for all controllers that are mounted together ("cpu,cpuacct"), made at the first of them. */
static void make_v1(struct oci_planner *pl, size_t first)
{
	const char *dir = strchr(pl->dirs->v[first], '=') + 1;
	AUTO(strv_done) struct strv names = { 0 };
	char name[64];

	for (size_t i = 0; i < pl->dirs->n; i++) {
		if (strcmp(strchr(pl->dirs->v[i], '=') + 1, dir))
			continue;
		if (i < first)
			return;
		if (strv_add(&names, name_of(pl->dirs->v[i], name, sizeof(name))) < 0)
			oci_fail(pl, ENOMEM, "out of memory");
	}
	make(pl, dir, &names, false);
}

static void make_all(struct oci_planner *pl)
{
	for (size_t i = 0; i < pl->dirs->n; i++) {
		if (!strncmp(pl->dirs->v[i], "unified=", 8))
			make_unified(pl, pl->dirs->v[i] + 8);
		else
			make_v1(pl, i);
	}
}

/* --- settings */

static void set_kind(struct oci_planner *pl, const struct oci_kind *k)
{
	const char *dir = strv_env_get(pl->dirs, k->v1);
	const char *unified = strv_env_get(pl->dirs, "unified");

	if (!k->asks(pl->resources))
		return;
	if (dir)
		k->set(pl, dir, false);
	else if (unified && k->v2 && cgroup_is_v2(pl->rq->facts, k->v2))
		k->set(pl, unified, true);
	else
		oci_fail(pl, ENOTSUP, "%s: this host has no %s cgroup controller", k->place, k->v1);
}

static void set_unified_one(struct oci_planner *pl, const char *key, const char *value)
{
	const char *dir = strv_env_get(pl->dirs, "unified"), *dot = strchr(key, '.');
	autofree char *controller = strndup(key, dot ? (size_t)(dot - key) : 0);
	AUTO(strv_done) struct strv lines = { 0 };

	if (!controller || strv_split(&lines, value, "\n") < 0)
		return oci_fail(pl, ENOMEM, "out of memory");
	if (!*controller || strchr(key, '/') || !dot[1])
		return oci_fail(pl, EINVAL,
				"linux.resources.unified: \"%s\" is not the name of a file CONTROLLER.NAME",
				key);
	if (!strcmp(key, "cgroup.procs") || !strcmp(key, "cgroup.threads") || !strcmp(key, "cgroup.kill"))
		return oci_fail(pl, EINVAL, "linux.resources.unified: \"%s\" is not a setting", key);
	if (!dir || (strcmp(controller, "cgroup") && !cgroup_is_v2(pl->rq->facts, controller)))
		return oci_fail(
			pl, ENOTSUP,
			"linux.resources.unified: \"%s\": there is no cgroup v2 controller \"%s\" here", key,
			controller);
	for (size_t i = 0; i < lines.n; i++)
		if (*lines.v[i])
			oci_set(pl, dir, key, 0, "%s", lines.v[i]);
}

static void set_unified(struct oci_planner *pl)
{
	const struct strv *map = &pl->resources->unified;

	for (size_t i = 0; i < map->n && pl->r == 0; i++) {
		const char *eq = strchr(map->v[i], '=');
		autofree char *key = eq ? strndup(map->v[i], (size_t)(eq - map->v[i])) : NULL;

		if (!key)
			return oci_fail(pl, ENOMEM, "out of memory");
		set_unified_one(pl, key, eq + 1);
	}
}

void oci_set_limits(struct oci_planner *pl)
{
	for (const struct oci_kind *k = oci_limits; k->place && pl->r == 0; k++)
		set_kind(pl, k);
	for (const struct oci_kind *k = oci_io; k->place && pl->r == 0; k++)
		set_kind(pl, k);
}

static void set_all(struct oci_planner *pl)
{
	oci_set_limits(pl);
	set_unified(pl); /* last: it is the more exact word */
}

/* --- systemd */

static void make_scope(struct oci_planner *pl, struct strv *record)
{
	AUTO(systemd_unit_done) struct systemd_unit u = { 0 };
	AUTO(buf_done) struct buf settings = { 0 };

	if (pl->r == 0)
		pl->r = systemd_unit_of(pl->rq, &u, pl->e);
	if (pl->r < 0)
		return;
	systemd_print_scope(pl, &u, &settings);
	step(pl, pl->rq->rows->scope, u.name, settings.data, pl->rq->rootless ? STEP_USER : 0);
	if (strv_addf(record, "%s=%s", pl->rq->rootless ? "user-scope" : "scope", u.name) < 0)
		oci_fail(pl, ENOMEM, "out of memory");
}

static void change_scope(struct oci_planner *pl)
{
	const char *scope = strv_env_get(pl->dirs, "scope"), *user = strv_env_get(pl->dirs, "user-scope");
	AUTO(buf_done) struct buf settings = { 0 };

	if (!scope && !user)
		return;
	systemd_print_resources(pl, pl->rq->facts->cgroup_mode == CGROUP_V2, &settings);
	if (settings.len)
		step(pl, pl->rq->rows->scope, scope ? scope : user, settings.data,
		     STEP_CHANGE | (scope ? 0 : STEP_USER));
}

int cgroup_plan_oci(const struct cgroup_oci_request *rq, struct plan *p, struct strv *ret_dirs, struct err *e)
{
	AUTO(strv_done) struct strv dirs = { 0 }, scope = { 0 };
	struct oci_resources resources = rq->resources ? *rq->resources : (struct oci_resources){ 0 };
	struct oci_planner pl = { rq, &resources, NULL, &dirs, p, true, e };
	int r = oci_place_dirs(rq, &dirs, e);

	if (r < 0)
		return r;
	oci_leave_out(&pl, &resources);
	if (rq->systemd)
		make_scope(&pl, &scope);
	make_all(&pl);
	set_all(&pl);
	oci_set_devices(&pl);
	if (pl.r == 0 && strv_add_all(&dirs, &scope) < 0)
		oci_fail(&pl, ENOMEM, "out of memory");
	if (pl.r < 0)
		return pl.r;
	*ret_dirs = dirs;
	dirs = (struct strv){ 0 };
	return 0;
}

int cgroup_plan_update(const struct cgroup_oci_request *rq, const struct strv *dirs, struct plan *p,
		       struct err *e)
{
	struct oci_resources resources = rq->resources ? *rq->resources : (struct oci_resources){ 0 };
	struct oci_planner pl = { rq, &resources, NULL, dirs, p, false, e };
	const char *unified = strv_env_get(dirs, "unified");
	AUTO(strv_done) struct strv controllers = { 0 };

	oci_leave_out(&pl, &resources);
	if (unified && cgroup_base(rq->facts, "unified")) {
		unified_controllers(&pl, &controllers);
		enable_unified(&pl, &controllers, unified);
	}
	change_scope(&pl); /* before: it rounds */
	set_all(&pl);
	return pl.r;
}
