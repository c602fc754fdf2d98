/* runtime_process.c - what can be wrong with a process (config.md#process) */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "oci/runtime_int.h"

static int check_command(const struct oci_process *p, const char *at, struct err *e)
{
	if (!p->args.n)
		return err_set(e, EINVAL, "%sargs: missing", at);
	if (oci_check_absolute(e, p->cwd, "%scwd", at) < 0)
		return -EINVAL;
	return oci_check_env(e, &p->env, "%senv", at);
}

static int check_user(const struct oci_process *p, const char *at, struct err *e)
{
	const struct oci_user *u = &p->user;

	if (oci_check_range(e, u->uid, OCI_IDS, "%suser.uid", at) < 0 ||
	    oci_check_range(e, u->gid, OCI_IDS, "%suser.gid", at) < 0 ||
	    oci_check_optional(e, &u->umask, (struct oci_range){ 0, 0777 }, "%suser.umask", at) < 0)
		return -EINVAL;
	for (size_t i = 0; i < u->additional_gids.n; i++)
		if (oci_check_range(e, u->additional_gids.v[i], OCI_IDS, "%suser.additionalGids[%zu]", at,
				    i) < 0)
			return -EINVAL;
	return 0;
}

static int check_console(const struct oci_process *p, const char *at, struct err *e)
{
	const struct oci_range sizes = { 0, UINT16_MAX }; /* struct winsize */

	if (oci_check_range(e, p->console_height, sizes, "%sconsoleSize.height", at) < 0)
		return -EINVAL;
	return oci_check_range(e, p->console_width, sizes, "%sconsoleSize.width", at);
}

static int check_rlimits(const struct oci_process *p, const char *at, struct err *e)
{
	static const char *const names[] = {
		"RLIMIT_AS",
		"RLIMIT_CORE",
		"RLIMIT_CPU",
		"RLIMIT_DATA",
		"RLIMIT_FSIZE",
		"RLIMIT_LOCKS",
		"RLIMIT_MEMLOCK",
		"RLIMIT_MSGQUEUE",
		"RLIMIT_NICE",
		"RLIMIT_NOFILE",
		"RLIMIT_NPROC",
		"RLIMIT_RSS",
		"RLIMIT_RTPRIO",
		"RLIMIT_RTTIME",
		"RLIMIT_SIGPENDING",
		"RLIMIT_STACK",
		NULL,
	};

	for (size_t i = 0; i < p->n_rlimits; i++) {
		const struct oci_rlimit *l = &p->rlimits[i];

		if (oci_check_name(e, l->type, names, "%srlimits[%zu].type", at, i) < 0)
			return -EINVAL;
		for (size_t k = 0; k < i; k++)
			if (!strcmp(l->type, p->rlimits[k].type))
				return err_set(e, EINVAL, "%srlimits[%zu].type: %s is given twice", at, i,
					       l->type);
		if (l->soft > l->hard)
			return err_set(e, EINVAL, "%srlimits[%zu].soft: above the hard limit", at, i);
	}
	return 0;
}

/* capset(2) */
static int check_capabilities(const struct oci_process *p, const char *at, struct err *e)
{
	const struct oci_capabilities *c = &p->capabilities;

	for (size_t i = 0; i < c->effective.n; i++)
		if (!strv_has(&c->permitted, c->effective.v[i]))
			return err_set(e, EINVAL, "%scapabilities.effective[%zu]: %.60s is not permitted", at,
				       i, c->effective.v[i]);
	return 0;
}

static int check_labels(const struct oci_process *p, const char *at, struct err *e)
{
	for (const char *s = p->apparmor_profile; s && *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return err_set(e, EINVAL, "%sapparmorProfile: a control character", at);
	return oci_check_label(e, p->selinux_label, "%sselinuxLabel", at);
}

static int check_oom_score(const struct oci_process *p, const char *at, struct err *e)
{
	return oci_check_optional(e, &p->oom_score_adj, (struct oci_range){ -1000, 1000 }, "%soomScoreAdj",
				  at);
}

/* sched_setattr(2) */
static int check_deadline(const struct oci_scheduler *s, const char *at, struct err *e)
{
	bool is_deadline = !strcmp(s->policy, "SCHED_DEADLINE");
	uint64_t period = s->period ? s->period : s->deadline;

	if (!is_deadline && (s->runtime || s->deadline || s->period))
		return err_set(e, EINVAL, "%sscheduler.%s: only SCHED_DEADLINE has it", at,
			       s->runtime    ? "runtime"
			       : s->deadline ? "deadline"
					     : "period");
	if (is_deadline && (!s->runtime || s->runtime > s->deadline || s->deadline > period))
		return err_set(e, EINVAL, "%sscheduler.runtime: 0 < runtime <= deadline <= period is wanted",
			       at);
	return 0;
}

static int check_scheduler(const struct oci_process *p, const char *at, struct err *e)
{
	static const char *const policies[] = { "SCHED_OTHER", "SCHED_FIFO", "SCHED_RR",       "SCHED_BATCH",
						"SCHED_ISO",   "SCHED_IDLE", "SCHED_DEADLINE", NULL };
	static const char *const flags[] = {
		"SCHED_FLAG_RESET_ON_FORK",  "SCHED_FLAG_RECLAIM",
		"SCHED_FLAG_DL_OVERRUN",     "SCHED_FLAG_KEEP_POLICY",
		"SCHED_FLAG_KEEP_PARAMS",    "SCHED_FLAG_UTIL_CLAMP_MIN",
		"SCHED_FLAG_UTIL_CLAMP_MAX", NULL,
	};
	const struct oci_scheduler *s = &p->scheduler;
	bool real_time;

	if (!s->policy)
		return 0;
	if (oci_check_name(e, s->policy, policies, "%sscheduler.policy", at) < 0 ||
	    oci_check_range(e, s->nice, (struct oci_range){ -20, 19 }, "%sscheduler.nice", at) < 0)
		return -EINVAL;
	for (size_t i = 0; i < s->flags.n; i++)
		if (oci_check_name(e, s->flags.v[i], flags, "%sscheduler.flags[%zu]", at, i) < 0)
			return -EINVAL;
	real_time = !strcmp(s->policy, "SCHED_FIFO") || !strcmp(s->policy, "SCHED_RR");
	if (!real_time && s->priority)
		return err_set(e, EINVAL, "%sscheduler.priority: only SCHED_FIFO and SCHED_RR have it", at);
	if (real_time &&
	    oci_check_range(e, s->priority, (struct oci_range){ 1, 99 }, "%sscheduler.priority", at) < 0)
		return -EINVAL;
	return check_deadline(s, at, e);
}

static int check_io_priority(const struct oci_process *p, const char *at, struct err *e)
{
	static const char *const classes[] = { "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE",
					       NULL };
	const struct oci_io_priority *io = &p->io_priority;

	if (!io->class)
		return 0;
	if (oci_check_name(e, io->class, classes, "%sioPriority.class", at) < 0)
		return -EINVAL;
	return oci_check_range(e, io->priority, (struct oci_range){ 0, 7 }, "%sioPriority.priority", at);
}

static int check_affinity(const struct oci_process *p, const char *at, struct err *e)
{
	if (oci_check_cpus(e, p->affinity_initial, "%sexecCPUAffinity.initial", at) < 0)
		return -EINVAL;
	return oci_check_cpus(e, p->affinity_final, "%sexecCPUAffinity.final", at);
}

int oci_check_process(const struct oci_process *p, const char *at, struct err *e)
{
	static int (*const checks[])(const struct oci_process *p, const char *at, struct err *e) = {
		check_command, check_user,	check_console,	 check_rlimits,	    check_capabilities,
		check_labels,  check_oom_score, check_scheduler, check_io_priority, check_affinity,
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(checks) && r == 0; i++)
		r = checks[i](p, at, e);
	return r;
}
