/* boot_all.c - what a host does when it goes down and comes up: stop everything, start what shall run again */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "base/auto.h"
#include "engine/engine_int.h"
#include "sys/pidfd.h"

#define ROUNDS 3 /* one that its policy was just about to start is found by the next */

bool engine_starts_at_boot(const struct instance *in)
{
	if (in->state.status != STATUS_EXITED)
		return false;
	return in->spec.restart.kind == RESTART_ALWAYS ||
	       (in->spec.restart.kind == RESTART_UNLESS_STOPPED && !in->state.stopped_by_user);
}

/* SIGTERM tells a monitor that the host goes down: the user did not stop it, so that the next boot starts it again. */
static struct stopping ask(struct engine *en, const struct instance *in)
{
	struct stopping s = { .fd = -1 };
	autoclose int pidfd = -1;

	if (engine_connect(en, in, &s.fd, NULL) < 0)
		return (struct stopping){ .fd = -1 };
	s.end_ns = control_stop_deadline(in->spec.stop_timeout_s);
	pidfd = control_monitor(s.fd);
	if (pidfd >= 0)
		pidfd_signal(pidfd, SIGTERM);
	return s;
}

/* All are asked, then each is waited for until its own deadline. */
static int stop_round(struct engine *en, const struct instance *in, size_t n, struct err *e)
{
	autofree struct stopping *all = calloc(n, sizeof(*all));
	int r = 0;

	if (!all)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++)
		all[i] = ask(en, &in[i]);
	for (size_t i = 0; i < n; i++)
		if (control_await_stop(&in[i], &all[i], e) < 0)
			r = -e->no;
	return r;
}

int engine_stop_all(struct engine *en, struct strv *ret_names, struct err *e)
{
	int r = 0;

	for (int round = 0; round < ROUNDS && r == 0; round++) {
		struct instance *in;
		size_t n;

		r = engine_list(en, false, &in, &n, e);
		if (r < 0)
			return r;
		for (size_t i = 0; i < n && r == 0; i++)
			if (!strv_has(ret_names, in[i].spec.name) && strv_add(ret_names, in[i].spec.name) < 0)
				r = err_set(e, ENOMEM, "out of memory");
		if (r == 0 && n)
			r = stop_round(en, in, n, e);
		instances_free(in, n);
		if (!n)
			return r;
	}
	return r;
}
