/* steps.c - the steps of cgroup plans, applied */
#include "cgroup/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/parse.h"
#include "cgroup/devices.h"
#include "cgroup/ops.h"
#include "cgroup/systemd.h"

static bool is_refusal(int r)
{
	return r == -EACCES || r == -EPERM || r == -EROFS || r == -ENOENT;
}

int cgroup_step_enable(const struct step *s, struct err *e)
{
	AUTO(strv_done) struct strv names = { 0 };

	if (!(s->flags & STEP_MAY_FAIL))
		return cgroup_enable(s->what, s->data, e);
	if (cgroup_enable(s->what, s->data, NULL) == 0)
		return 0;
	/* one that cannot be had must not keep the others away; who needs it hears of it when it is set */
	if (strv_split(&names, s->data, " ") < 0)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < names.n; i++)
		cgroup_enable(s->what, names.v[i], NULL);
	return 0;
}

/* A container that took a cgroup with others in it would freeze, limit and at its end kill them. */
static int check_unused(const char *dir, struct err *e)
{
	AUTO(strv_done) struct strv one = { 0 };
	int r = strv_add(&one, dir);

	if (r == 0)
		r = cgroup_has_processes(&one);
	if (r > 0)
		return err_set(e, EBUSY, "this cgroup is in use: there are processes in it");
	return r < 0 ? err_sys(e, -r, "cannot read the cgroup") : 0;
}

int cgroup_step_make(const struct step *s, struct cgroups *cg, struct err *e)
{
	bool exclusive = s->flags & STEP_UNUSED;
	int r = exclusive ? cgroup_claim(cg, s->what, e) : 0;

	if (r == 0 && exclusive)
		r = check_unused(s->what, e);
	if (r == 0 && exclusive)
		cg->claim.held = true;
	if (r == 0)
		r = cgroup_make(cg, s->what, s->data, s->flags & STEP_V2, e);
	return is_refusal(r) && (s->flags & STEP_MAY_FAIL) ? 0 : r;
}

int cgroup_step_scope(const struct step *s, struct cgroups *cg, struct err *e)
{
	bool user = s->flags & STEP_USER;
	int r;

	if (s->flags & STEP_CHANGE)
		return systemd_scope_update(s->what, user, s->data, e);
	r = systemd_scope_start(s->what, user, s->data, cg, e);
	cg->claim.held = r == 0;
	return r;
}

/* --- set */

static char *in_same_dir(const char *file, const char *name, int n)
{
	return str_printf("%.*s%.*s", (int)(strrchr(file, '/') + 1 - file), file, n, name);
}

static int set_otherwise(const struct step *s)
{
	const char *eq = strchr(s->from, '=');
	autofree char *file = in_same_dir(s->what, s->from, (int)(eq - s->from));

	return file ? write_existing(AT_FDCWD, file, eq + 1) : -ENOMEM;
}

static int check_above_usage(const struct step *s, struct err *e)
{
	autofree char *file = in_same_dir(s->what, "memory.current", 99);
	AUTO(buf_done) struct buf b = { 0 };
	uint64_t usage, limit;

	if (!file)
		return err_set(e, ENOMEM, "out of memory");
	if (read_file(AT_FDCWD, file, 64, &b) < 0 || !b.len)
		return 0; /* nothing uses memory where none is counted */
	b.data[b.len - 1] = '\0';
	if (parse_u64(b.data, &usage) == 0 && parse_u64(s->data, &limit) == 0 && limit <= usage)
		return err_set(e, EBUSY,
			       "linux.resources.memory: a limit of %s is not above what is in use, %s",
			       s->data, b.data);
	return 0;
}

static int behind_first_word(const struct step *s, char **ret)
{
	AUTO(buf_done) struct buf b = { 0 };
	int r = read_file(AT_FDCWD, s->what, 4096, &b);

	if (r < 0)
		return r;
	*ret = str_printf("%.*s %s", (int)strcspn(b.data ? b.data : "", " \n"), b.data ? b.data : "",
			  s->data);
	return *ret ? 0 : -ENOMEM;
}

int cgroup_step_set(const struct step *s, struct err *e)
{
	autofree char *joined = NULL;
	int r = s->flags & STEP_ABOVE_USAGE ? check_above_usage(s, e) : 0;

	if (r < 0)
		return r;
	if (s->flags & STEP_KEEP_FIRST)
		r = behind_first_word(s, &joined);
	if (r == 0)
		r = write_existing(AT_FDCWD, s->what, joined ? joined : s->data);
	if (r == -ENOENT && s->from)
		r = set_otherwise(s);
	if ((r == -ENOENT && (s->flags & STEP_OPTIONAL)) || (r == -EINVAL && (s->flags & STEP_TRY)))
		return 0;
	if (r == -ENOENT)
		return err_set(e, ENOENT, "the kernel has no %s here", strrchr(s->what, '/') + 1);
	return r < 0 ? err_sys(e, -r, "cannot set \"%s\"", s->data) : 0;
}

int cgroup_step_devices(const struct step *s, const struct cgroups *cg, struct err *e)
{
	bool may_fail = s->flags & STEP_MAY_FAIL;
	int r;

	if (s->flags & STEP_V2) {
		if (cg->unified < 0 && may_fail)
			return 0;
		r = devices_apply_v2(cg->unified, s->data, e);
		if (r == -EPERM || r == -EINVAL || r == -ENOSYS) /* bpf is forbidden, or not in this kernel */
			return !may_fail;
		return r;
	}
	r = devices_apply_v1(s->what, s->data, e);
	return is_refusal(r) && may_fail ? 0 : r;
}
