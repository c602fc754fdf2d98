/* request_life.c - how an instance ends and begins again: --restart, --stop-signal, --stop-timeout, --pidfile */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/parse.h"
#include "base/when.h"
#include "engine/request.h"
#include "engine/request_int.h"

#define STOP_TIMEOUT_S	   10
#define STOP_TIMEOUT_MAX_S 86400 /* as the -t of stop */

/* "no", "on-failure[:N]", "always", "unless-stopped"; "" is "no". */
int request_restart(const char *text, struct restart_policy *ret, struct err *e)
{
	size_t n = text ? strcspn(text, ":") : 0;
	const char *count = text && text[n] ? text + n + 1 : NULL;
	uint32_t max = 0;
	int kind = RESTART_NO;

	while (n && restart_names[kind] &&
	       (strlen(restart_names[kind]) != n || strncmp(restart_names[kind], text, n) != 0))
		kind++;
	if (kind == RESTART_N)
		return err_set(e, EINVAL, "--restart: invalid restart policy '%.60s'", text);
	if (count && (parse_u32(count, &max) < 0 || max > INT_MAX))
		return err_set(e, EINVAL, "--restart: maximum retry count must be a number: '%.60s'", text);
	if (count && kind != RESTART_ON_FAILURE)
		return err_set(e, EINVAL,
			       "--restart: maximum retry count cannot be used with restart policy '%s'",
			       restart_names[kind]);
	*ret = (struct restart_policy){ kind, max };
	return 0;
}

static int set_stop(const struct run_request *rq, const struct image_run_config *c, struct instance_spec *s,
		    struct err *e)
{
	const char *name = rq->stop_signal ? rq->stop_signal : c->stop_signal;
	uint32_t seconds = STOP_TIMEOUT_S;

	s->stop_signal = SIGTERM;
	if (name && *name && parse_signal(name, &s->stop_signal) < 0)
		return err_set(e, EINVAL, "invalid stop signal: %.60s", name);
	if (rq->stop_timeout && (parse_u32(rq->stop_timeout, &seconds) < 0 || seconds > STOP_TIMEOUT_MAX_S))
		return err_set(e, EINVAL, "--stop-timeout: '%.60s' is not a number of seconds up to %d",
			       rq->stop_timeout, STOP_TIMEOUT_MAX_S);
	s->stop_timeout_s = (int)seconds;
	return 0;
}

#define SNAPSHOTS_USUAL 24
#define SNAPSHOTS_MOST	1000

int request_snapshots(const char *every, const char *keep, struct snapshot_policy *p, struct err *e)
{
	struct snapshot_policy mine = *p;

	if (every && (parse_duration(every, &mine.every_ns) < 0 || mine.every_ns < 0 ||
		      (mine.every_ns && mine.every_ns < NS_PER_S)))
		return err_set(e, EINVAL, "--snapshot-every: '%.60s' is no duration such as 6h, at least 1s",
			       every);
	if (keep && (parse_u32(keep, &mine.keep) < 0 || !mine.keep || mine.keep > SNAPSHOTS_MOST))
		return err_set(e, EINVAL, "--snapshot-keep: '%.60s' is not a number from 1 to %d", keep,
			       SNAPSHOTS_MOST);
	if (keep && !mine.every_ns)
		return err_set(e, EINVAL, "--snapshot-keep is for what --snapshot-every makes");
	if (!mine.every_ns)
		mine.keep = 0;
	else if (!mine.keep)
		mine.keep = SNAPSHOTS_USUAL;
	*p = mine;
	return 0;
}

/* Absolute: whoever starts the instance again may stand somewhere else. */
static int set_pid_file(const struct run_request *rq, struct instance_spec *s, struct err *e)
{
	autofree char *cwd = NULL;

	if (!rq->pid_file)
		return 0;
	if (!*rq->pid_file)
		return err_set(e, EINVAL, "--pidfile: the path is empty");
	cwd = *rq->pid_file == '/' ? NULL : getcwd(NULL, 0);
	s->pid_file = *rq->pid_file == '/' ? strdup(rq->pid_file)
		      : cwd		   ? str_printf("%s/%s", cwd, rq->pid_file)
					   : NULL;
	return s->pid_file ? 0 : err_set(e, ENOMEM, "out of memory");
}

int request_life(const struct run_request *rq, const struct image_run_config *c, struct instance_spec *s,
		 struct err *e)
{
	int r = request_restart(rq->restart, &s->restart, e);

	if (r == 0 && s->restart.kind != RESTART_NO && rq->auto_remove)
		r = err_set(e, EINVAL, "conflicting options: --restart and --rm");
	if (r == 0)
		r = request_snapshots(rq->snapshot_every, rq->snapshot_keep, &s->snapshots, e);
	if (r == 0)
		r = set_stop(rq, c, s, e);
	return r < 0 ? r : set_pid_file(rq, s, e);
}
