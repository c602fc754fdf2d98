/* run_defaults.c - what holds for a new instance before its command line: settings, then profiles
 *
 * Both are written into the struct that the command line is parsed into afterwards, so that what is given there goes
 * before them, and lists grow.  The wall and what only a virtual machine takes cannot be written before it is known what
 * the line says of the wall: they are kept aside until then.
 */
#include "cli/run_defaults.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cli/run_profile.h"
#include "cli/template.h"

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

/* --- the wall */

static int take_default(const char *value, char **given, struct err *e)
{
	if (*given || !value)
		return 0;
	*given = strdup(value);
	return *given ? 0 : no_memory(e);
}

int run_take_isolation(struct run_args *a, struct err *e)
{
	bool by_runtime = a->runtime && !strcmp(a->runtime, "ketch-vm");
	bool vm = a->isolation ? !strcmp(a->isolation, isolation_names[ISOLATION_VM]) : a->vm || by_runtime;
	int r = 0;

	a->rq.auto_isolation = a->isolation && !strcmp(a->isolation, "auto");
	if (a->vm && !vm)
		return err_set(e, EINVAL, "--vm and --isolation=%s contradict each other", a->isolation);
	if (a->runtime && (by_runtime != vm || a->rq.auto_isolation))
		return err_set(e, EINVAL, "--runtime=%s and %s%s contradict each other", a->runtime,
			       a->isolation ? "--isolation=" : "--vm", a->isolation ? a->isolation : "");
	if (!a->isolation && !a->vm && !a->runtime) {
		vm = a->defaults.isolation == ISOLATION_VM;
		a->rq.auto_isolation = a->defaults.auto_isolation;
	}
	a->rq.isolation = vm ? ISOLATION_VM : ISOLATION_CONTAINER;
	if (vm)
		r = take_default(a->defaults.driver, &a->rq.driver, e);
	return r == 0 && vm ? take_default(a->defaults.kernel, &a->rq.kernel, e) : r;
}

/* What the profiles say of the wall becomes a default: the line may say otherwise. */
static int keep_isolation(struct run_args *a, struct err *e)
{
	int r = 0;

	if (a->isolation || a->vm || a->runtime) {
		r = run_take_isolation(a, e);
		a->defaults.isolation = a->rq.isolation;
		a->defaults.auto_isolation = a->rq.auto_isolation;
	}
	free(take_ptr(a->isolation));
	free(take_ptr(a->runtime));
	a->vm = false;
	a->defaults.warm |= a->warm;
	return r;
}

/* --- settings */

static int take_settings(const struct settings *s, struct run_args *a, struct err *e)
{
	static const char *const keys[] = { "cpus", "log-driver", "memory", "pids-limit", "publish-address" };
	const char *isolation = settings_get(s, "isolation");

	a->defaults.driver = settings_get(s, "driver");
	a->defaults.kernel = settings_get(s, "kernel");
	if (isolation && !strcmp(isolation, isolation_names[ISOLATION_VM]))
		a->defaults.isolation = ISOLATION_VM;
	a->defaults.auto_isolation = isolation && !strcmp(isolation, "auto");
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const char *value = settings_get(s, keys[i]);

		if (value && opts_set(RUN_OPTS, keys[i], value, a, e) < 0)
			return -e->no;
	}
	return 0;
}

/* --- profiles */

static int add_names(struct strv *ret, const char *list)
{
	AUTO(strv_done) struct strv names = { 0 };
	int r = strv_split(&names, list, ",");

	return r < 0 ? r : strv_add_all(ret, &names);
}

/* "--profile A,B --profile C" of the line; without any that of the settings.  What else is wrong with the line its own
 * parser tells, but for what does not go with --template or --trusted: only here it is known what was not given. */
static int find_profiles(const struct settings *s, const struct command *cmd, char *const *argv,
			 struct strv *ret, struct err *e)
{
	const char *by_default = settings_get(s, "profile");
	AUTO(strv_done) struct strv rest = { 0 };
	struct run_args scratch = { 0 };
	struct err unused = { 0 };
	int r = 0;

	opts_parse(cmd->opts, cmd->grammar, argv, &scratch, &rest, &unused);
	for (size_t i = 0; i < scratch.profiles.n && r == 0; i++)
		r = add_names(ret, scratch.profiles.v[i]);
	if (!scratch.profiles.n && by_default)
		r = add_names(ret, by_default);
	if (r < 0)
		no_memory(e);
	else if (scratch.template || scratch.trusted)
		r = template_check_flags(cmd->opts, &scratch, e);
	opts_done(cmd->opts, &scratch);
	return r;
}

static int take_profile(const char *root, const char *name, struct run_args *a, struct err *e)
{
	AUTO(run_profile_done) struct run_profile p = { 0 };
	AUTO(strv_done) struct strv rest = { 0 };
	int r = run_profile_read(root, name, &p, e);

	if (r < 0 || !p.flags.n)
		return r;
	r = opts_parse(RUN_OPTS, OPTS_FIRST, p.flags.v, a, &rest, e);
	if (r == 0)
		r = keep_isolation(a, e);
	return r < 0 ? err_wrap(e, r, "profile %s", name) : 0;
}

int run_prepare(struct cli *c, const struct command *cmd, char *const *argv, void *args, struct err *e)
{
	AUTO(strv_done) struct strv names = { 0 };
	struct run_args *a = args;
	int r = take_settings(&c->settings, a, e);

	if (r == 0)
		r = find_profiles(&c->settings, cmd, argv, &names, e);
	for (size_t i = 0; i < names.n && r == 0; i++)
		if (*names.v[i]) /* "": none, not even the default */
			r = take_profile(cli_root(c), names.v[i], a, e);
	return r;
}
