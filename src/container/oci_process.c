/* oci_process.c - the process of an OCI config: in the words of instance/process.h, and its wait for `start` */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "container/container_int.h"
#include "container/hooks.h"
#include "container/oci.h"

/* --- words */

/* "RLIMIT_NOFILE" -> "nofile" */
static char *limit_name(const char *type)
{
	size_t skip = strncmp(type, "RLIMIT_", 7) ? 0 : 7;
	char *name = strdup(type + skip);

	for (char *c = name; c && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return name;
}

static int convert_limits(const struct oci_process *p, struct process *ret)
{
	ret->rlimits = calloc(p->n_rlimits + 1, sizeof(*ret->rlimits));
	if (!ret->rlimits)
		return -ENOMEM;
	for (; ret->n_rlimits < p->n_rlimits; ret->n_rlimits++) {
		const struct oci_rlimit *l = &p->rlimits[ret->n_rlimits];
		char *name = limit_name(l->type);

		if (!name)
			return -ENOMEM;
		ret->rlimits[ret->n_rlimits] = (struct rlimit_spec){ name, l->soft, l->hard };
	}
	return 0;
}

int oci_process_convert(const struct oci_process *from, struct process *ret)
{
	int r;

	*ret = (struct process){
		.no_new_privs = from->no_new_privileges,
		.tty = from->terminal,
		.rows = (int)from->console_height,
		.cols = (int)from->console_width,
	};
	r = strv_add_all(&ret->args, &from->args);
	if (r == 0)
		r = strv_add_all(&ret->env, &from->env);
	if (r == 0)
		r = convert_limits(from, ret);
	ret->cwd = strdup(from->cwd ? from->cwd : "/");
	if (r == 0 && ret->cwd)
		return 0;
	json_done(&process_table, ret);
	return -ENOMEM;
}

/* --- capabilities */

static int set_of(const struct strv *names, const char *which, uint64_t *ret, struct err *e)
{
	uint64_t set = 0;

	for (size_t i = 0; i < names->n; i++) {
		int n = strncmp(names->v[i], "CAP_", 4) ? -EINVAL : cap_from_name(names->v[i]);

		if (n < 0)
			return err_set(e, EINVAL,
				       "process.capabilities.%s[%zu]: unknown capability \"%.60s\"", which, i,
				       names->v[i]);
		set |= UINT64_C(1) << n;
	}
	*ret = set;
	return 0;
}

int oci_process_caps(const struct oci_process *p, uint64_t have, struct cap_sets *ret, struct err *e)
{
	const struct oci_capabilities *c = &p->capabilities;
	struct cap_sets s = { 0 };
	int r = set_of(&c->bounding, "bounding", &s.bounding, e);

	if (r == 0)
		r = set_of(&c->permitted, "permitted", &s.permitted, e);
	if (r == 0)
		r = set_of(&c->effective, "effective", &s.effective, e);
	if (r == 0)
		r = set_of(&c->inheritable, "inheritable", &s.inheritable, e);
	if (r == 0)
		r = set_of(&c->ambient, "ambient", &s.ambient, e);
	if (r < 0)
		return r;
	s.bounding &= have;
	s.permitted &= have;
	s.effective &= s.permitted; /* the kernel's rules (capabilities(7)), else it refuses all of them */
	s.inheritable &= have;
	s.ambient &= s.permitted & s.inheritable;
	*ret = s;
	return 0;
}

/* --- the user */

static int take_home(const struct container *c, const struct oci_process *p, struct user *ret, struct err *e)
{
	static const struct strv none = { 0 };
	AUTO(user_done) struct user found = { 0 };
	autofree char *spec = str_printf("%u", p->user.uid);
	int r;

	if (strv_env_get(&p->env, "HOME")) {
		ret->home = strdup("/");
		return ret->home ? 0 : err_set(e, ENOMEM, "out of memory");
	}
	if (!spec)
		return err_set(e, ENOMEM, "out of memory");
	r = user_resolve(c->root, spec, &none, &found, e);
	ret->home = take_ptr(found.home);
	return r;
}

int oci_process_user(const struct container *c, const struct oci_process *p, struct user *ret, struct err *e)
{
	const struct i64v *gids = &p->user.additional_gids;

	*ret = (struct user){ .uid = p->user.uid, .gid = p->user.gid };
	ret->groups = calloc(gids->n + 1, sizeof(*ret->groups));
	if (!ret->groups)
		return err_set(e, ENOMEM, "out of memory");
	for (; ret->n_groups < gids->n; ret->n_groups++)
		ret->groups[ret->n_groups] = (gid_t)gids->v[ret->n_groups];
	return take_home(c, p, ret, e);
}

/* --- the wait */

/* The end of the pipe would not do: it also comes when the parent is killed, while the report may still look open, for the
 * kernel closes a dying process's descriptors in no order. */
static int hear_go(const struct launch *l, struct err *e)
{
	char byte;
	ssize_t n = read_full(l->go, &byte, 1);

	if (n < 0)
		return err_sys(e, (int)-n, "cannot hear from the parent");
	return n == 1 ? 0 : err_set(e, EPIPE, "the parent has gone");
}

int oci_process_wait_mount(const struct launch *l, struct err *e)
{
	if (l->go < 0)
		return 0;
	close(l->go_parent);
	return l->oci->exe_mount >= 0 ? hear_go(l, e) : 0;
}

int oci_process_wait_listener(const struct launch *l, struct err *e)
{
	return l->main ? 0 : hear_go(l, e);
}

bool oci_hooks_are_awaited(const struct oci_hooks *h)
{
	return h->prestart.n || h->create_runtime.n || h->create_container.n || h->start_container.n;
}

int oci_process_wait_record(const struct launch *l, struct err *e)
{
	return oci_hooks_are_awaited(l->oci->hooks) ? 0 : hear_go(l, e);
}

/* The maker hears that all is ready by a report of status 0 and goes; from here on we belong to nobody. */
static int let_maker_go(const struct launch *l, struct err *e)
{
	struct err none = { 0 };

	if (prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) < 0)
		return err_sys(e, errno, "cannot leave the runtime");
	if (l->oci->start < 0)
		return 0;
	launch_report(l, 0, &none);
	close(l->report);
	return 0;
}

static int wait_for_start(int fifo, struct err *e)
{
	char byte;
	ssize_t n;

	if (fifo < 0)
		return 0;
	do
		n = read(fifo, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		return err_sys(e, n < 0 ? errno : EPIPE, "cannot wait for start");
	close(fifo);
	return 0;
}

int oci_process_wait_start(const struct container *c, const struct launch *l, struct err *e)
{
	int r = let_maker_go(l, e);

	if (r == 0)
		r = wait_for_start(l->oci->start, e);
	if (r == 0 && l->oci->hooks)
		r = hooks_run(&l->oci->hooks->start_container, "startContainer", &c->hook_state, e);
	return r;
}

/* --- hooks while the container is made */

#define MAX_HOOK_STATE (4 * 1024 * 1024)

/* The mounts are there, the root is still the host's: now those of the host run, then those inside.  The state ends with
 * the parent's byte: without it the parent has died. */
static int wait_for_host_hooks(struct container *c, const struct launch *l, struct err *e)
{
	unsigned char turn = REPORT_HOOKS;
	int r = write_full(l->report, &turn, 1);

	if (r == 0)
		r = read_to_end(l->go, MAX_HOOK_STATE, &c->hook_state);
	if (r < 0)
		return err_sys(e, -r, "cannot hear from the parent");
	close(l->go);
	if (!c->hook_state.len || c->hook_state.data[c->hook_state.len - 1] != OCI_GO)
		return err_set(e, EPIPE, "the parent has gone");
	c->hook_state.len--;
	return 0;
}

static int apply_hooks(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;
	int r = wait_for_host_hooks(c, c->launch, e);

	if (r < 0)
		return r;
	return hooks_run(&c->launch->oci->hooks->create_container, "createContainer", &c->hook_state, e);
}
const struct step_op op_hooks = { "hooks", STAGE_INSIDE, apply_hooks };
