/* system.c - ketch system start-all, stop-all: what a host does with its instances when it comes up and goes down */
#include <errno.h>

#include "base/auto.h"
#include "cli/begin.h"
#include "cli/commands.h"

#define AT_ONCE 16 /* machines boot side by side, but not all of them */

/* One that is being started. */
struct start {
	const struct instance *in;
	int fd;
};

/* Returns the exit status. */
static int follow_all(struct engine *en, const struct start *s, size_t n)
{
	const struct attach how = { .detach = true };
	struct err e = { 0 };
	int status = 0;

	for (size_t i = 0; i < n; i++) {
		if (begin_follow(en, &s[i].in->spec, &how, s[i].fd, NULL) != 0)
			status = STATUS_FAILED; /* the pump has said why */
		else if (cli_print_name(s[i].in->spec.name, &e) < 0)
			status = cli_complain(&e, STATUS_FAILED);
	}
	return status;
}

/* The oldest first. */
static int start_all(struct engine *en, const struct instance *in, size_t n)
{
	struct start started[AT_ONCE];
	size_t n_started = 0;
	int status = 0;

	for (size_t i = n; i-- > 0;) {
		struct err e = { 0 };
		int fd;

		if (!engine_starts_at_boot(&in[i]))
			continue;
		if (engine_start(en, &in[i].spec, &fd, &e) < 0) {
			status = e.no == EALREADY ? status : cli_complain(&e, STATUS_FAILED);
			continue;
		}
		started[n_started++] = (struct start){ &in[i], fd };
		if (n_started < AT_ONCE)
			continue;
		status |= follow_all(en, started, n_started);
		n_started = 0;
	}
	return status | follow_all(en, started, n_started);
}

static int start_all_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	struct engine *en = cli_engine(c, e);
	struct instance *in;
	size_t n;
	int r = en ? engine_list(en, true, &in, &n, e) : -e->no;

	if (r < 0)
		return r;
	r = start_all(en, in, n);
	instances_free(in, n);
	return r;
}

const struct command cmd_system_start_all = {
	.name = "system start-all",
	.usage = "",
	.summary = "Start what has to run after a reboot",
	.text = "Those with --restart always, and those with --restart unless-stopped unless ketch stop or "
		"kill ended them.  The unit ketch.service of systemd does it at boot.",
	.opts = no_opts,
	.run = start_all_run,
};

static int stop_all_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(strv_done) struct strv names = { 0 };
	struct engine *en = cli_engine(c, e);
	int r = en ? engine_stop_all(en, &names, e) : -e->no;
	struct err why = { 0 };

	for (size_t i = 0; i < names.n && (r == 0 || r == -ETIMEDOUT); i++)
		if (cli_print_name(names.v[i], &why) < 0)
			return cli_complain(&why, STATUS_FAILED);
	return r;
}

const struct command cmd_system_stop_all = {
	.name = "system stop-all",
	.usage = "",
	.summary = "Stop everything, as when the host goes down",
	.text = "All get their stop signal at the same time, the newest first, and each its own time-out.  "
		"Restart policies take it for an end of the host: ketch system start-all starts them "
		"again.",
	.opts = no_opts,
	.run = stop_all_run,
};
