/* boot_all.c - what a host does when it goes down and comes up: stop everything, start what shall run again */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "engine/engine_int.h"
#include "sys/pidfd.h"

#define ROUNDS	3 /* one that its policy was just about to start is found by the next */
#define WAKE_MS 1000

bool engine_starts_at_boot(const struct instance *in)
{
	if (in->state.status != STATUS_EXITED)
		return false;
	return in->spec.restart.kind == RESTART_ALWAYS ||
	       (in->spec.restart.kind == RESTART_UNLESS_STOPPED && !in->state.stopped_by_user);
}

/* One that was asked to end. */
struct ending {
	const struct instance *in;
	int fd; /* connection to its monitor; -1: it has ended */
	int64_t deadline;
};

/* SIGTERM tells a monitor that the host goes down: the user did not stop it, so that the next boot starts it again. */
static void ask(struct engine *en, const struct instance *in, struct ending *ret)
{
	autoclose int pidfd = -1;

	ret->in = in;
	ret->deadline = clock_mono_ns() + ((int64_t)in->spec.stop_timeout_s + CONTROL_GRACE_S) * NS_PER_S;
	if (engine_connect(en, in, &ret->fd, NULL) < 0) {
		ret->fd = -1;
		return;
	}
	pidfd = control_monitor(ret->fd);
	if (pidfd >= 0)
		pidfd_signal(pidfd, SIGTERM);
}

static void close_ending(struct ending *x)
{
	close(x->fd);
	x->fd = -1;
}

/* Hears the ends as they come; who is too late is killed. */
static int await_ends(struct ending *all, struct pollfd *polled, size_t n, struct err *e)
{
	int r = 0;
	size_t left;

	do {
		left = 0;
		for (size_t i = 0; i < n; i++) {
			polled[i] = (struct pollfd){ .fd = all[i].fd, .events = POLLIN };
			left += all[i].fd >= 0;
		}
		if (left)
			poll(polled, n, WAKE_MS);
		for (size_t i = 0; i < n; i++) {
			char junk[4096];
			bool heard = all[i].fd >= 0 && (polled[i].revents & (POLLIN | POLLHUP | POLLERR));

			if (heard && read(all[i].fd, junk, sizeof(junk)) <= 0)
				close_ending(&all[i]);
			if (all[i].fd < 0 || clock_mono_ns() < all[i].deadline)
				continue;
			if (control_kill_monitor(all[i].in, all[i].fd, e) < 0)
				r = -e->no;
			close_ending(&all[i]);
		}
	} while (left);
	return r;
}

static int stop_round(struct engine *en, const struct instance *in, size_t n, struct err *e)
{
	autofree struct ending *all = calloc(n, sizeof(*all));
	autofree struct pollfd *polled = calloc(n, sizeof(*polled));

	if (!all || !polled)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++)
		ask(en, &in[i], &all[i]);
	return await_ends(all, polled, n, e);
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
