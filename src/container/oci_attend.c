/* oci_attend.c - what the maker of a process of ketch-oci does for it on its way */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "container/attributes.h"
#include "container/oci_attend.h"
#include "container/seccomp_notify.h"
#include "sys/pidfd.h"
#include "sys/signals.h"

#define REPORT_MAX 1024

/* --- beginning */

static int open_report(struct launch *l, int *ret_ours, struct err *e)
{
	int pair[2], r = pipe_cloexec(pair);

	if (r < 0)
		return err_sys(e, -r, "cannot make a pipe");
	*ret_ours = l->report_parent = pair[0];
	/* out of the way of the descriptors that the process is to get */
	l->report = fcntl(pair[1], F_DUPFD_CLOEXEC, launch_first_fd(l->oci));
	close(pair[1]);
	return l->report < 0 ? err_sys(e, errno, "cannot make a pipe") : 0;
}

static int open_go(struct launch *l, int *ret_ours, struct err *e)
{
	int pair[2], r = pipe_cloexec(pair);

	if (r < 0)
		return err_sys(e, -r, "cannot make a pipe");
	l->go = fcntl(pair[0], F_DUPFD_CLOEXEC, launch_first_fd(l->oci));
	close(pair[0]);
	*ret_ours = l->go_parent = pair[1];
	return l->go < 0 ? err_sys(e, errno, "cannot make a pipe") : 0;
}

static void close_if_open(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* The child begins with the score that it is to have. */
static pid_t launch_scored(struct container *c, const struct launch *l, int *ret_pidfd, struct err *e)
{
	const struct opt_i64 *want = &l->oci->process->oom_score_adj;
	autoclose int proc = want->set ? open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	int64_t before, ignored;
	struct err none = { 0 };
	pid_t pid;
	int r;

	if (!want->set)
		return container_launch(c, l, ret_pidfd, e);
	r = attributes_set_score(want->v, proc, &before, e);
	pid = r < 0 ? r : container_launch(c, l, ret_pidfd, e);
	if (r == 0)
		attributes_set_score(before, proc, &ignored, &none);
	return pid;
}

int attend_launch(struct attendance *a, struct container *c, struct launch *l, bool must_wait, struct err *e)
{
	int r = open_report(l, &a->report, e);

	if (r == 0 && must_wait)
		r = open_go(l, &a->go, e);
	if (r < 0)
		return r;
	a->pid = launch_scored(c, l, &a->pidfd, e);
	close_if_open(&l->report);
	a->go_child = l->go;
	return a->pid < 0 ? a->pid : 0;
}

/* --- what the child says */

static int say_go(struct attendance *a, struct err *e)
{
	const char go = OCI_GO;
	int r;

	if (a->hold_signals)
		signals_hold();
	r = write_full(a->go, &go, 1);
	return r < 0 ? err_sys(e, -r, "cannot speak to the process") : 0;
}

/* The filter's listener goes to its agent; until it answers, what the child asks waits in the kernel. */
static int pass_listener(const struct oci_start *st, const char *state, pid_t pid, int pidfd, int number,
			 struct err *e)
{
	AUTO(buf_done) struct buf text = { 0 };
	autoclose int fd = pidfd_get_fd(pidfd, number);

	if (fd < 0)
		return err_sys(e, -fd, "linux.seccomp: cannot fetch the listener");
	seccomp_notify_state(pid, st->listener_metadata, state, &text);
	return buf_ok(&text) ? seccomp_notify_send(st->listener, fd, &text, e)
			     : err_set(e, ENOMEM, "out of memory");
}

/* What the child says next: nothing more, for its program runs; that it waits for start; which its listener is; that it is
 * the turn of the host's hooks; that it has closed our mount; else what went wrong. */
static int hear(int report, int *ret_listener, int *ret_status, struct err *e)
{
	unsigned char what = 0;
	char text[REPORT_MAX + 1];
	ssize_t n = read_full(report, &what, 1);

	if (n == 0)
		return HEARD_END;
	if (n == 1 && what == 0)
		return HEARD_READY;
	if (n == 1 && what == REPORT_HOOKS)
		return HEARD_HOOKS;
	if (n == 1 && what == REPORT_CLOSED)
		return HEARD_CLOSED;
	if (n == 1 && what == REPORT_LISTENER)
		return read_full(report, ret_listener, sizeof(*ret_listener)) == sizeof(*ret_listener)
			       ? HEARD_LISTENER
			       : err_set(e, EPROTO, "the process does not say which its listener is");
	*ret_status = n < 0 ? OCI_STATUS_FAILED : what;
	if (n == 1)
		n = read_full(report, text, REPORT_MAX);
	if (n < 0)
		return err_sys(e, (int)-n, "cannot hear from the process");
	text[n] = '\0';
	return err_set(e, ECHILD, "%s", text);
}

/* --- what is done for it */

int attend_made(struct attendance *a, struct container *c, struct err *e)
{
	bool has_ids = c->clone_flags & CLONE_NEWUSER;
	int r = has_ids ? launch_map_ids(c, a->pid, e) : 0;

	if (r == 0)
		r = a->create->made(a->create->arg, a->pid, &a->state, e);
	if (r == 0 && has_ids)
		r = say_go(a, e);
	if (oci_hooks_are_awaited(&a->create->spec->hooks))
		return r;
	if (r == 0)
		r = say_go(a, e);
	close_if_open(&a->go);
	return r;
}

void attendance_done(struct attendance *a)
{
	buf_done(&a->state);
	close_if_open(&a->pidfd);
	close_if_open(&a->report);
	close_if_open(&a->go);
	close_if_open(&a->go_child);
}

static int do_hooks(struct attendance *a, struct err *e)
{
	int r = a->create->host_hooks(a->create->arg, &a->state, e);

	close_if_open(
		&a->go_child); /* the state may be more than a pipe takes from someone whom nobody reads */
	if (r == 0) {
		r = write_full(a->go, a->state.data, a->state.len);
		r = r < 0 ? err_sys(e, -r, "cannot speak to the process") : say_go(a, e);
	}
	close_if_open(&a->go);
	return r;
}

/* The child's copy is closed: ours is the last, and the wait for RCU ours.  A child of exec waits for the end of it. */
static int close_mount(struct attendance *a, struct err *e)
{
	int r = 0;

	close_if_open(a->start->exe_mount);
	if (!a->create)
		r = say_go(a, e);
	if (!a->create && a->start->listener < 0)
		close_if_open(&a->go);
	return r;
}

/* A child of exec goes on when we have its listener. */
static int take_listener(struct attendance *a, int listener, struct err *e)
{
	const char *state = a->create ? a->state.data : a->start->state;
	int r = pass_listener(a->start, state, a->pid, a->pidfd, listener, e);

	if (r < 0 || a->create)
		return r;
	r = say_go(a, e);
	close_if_open(&a->go);
	return r;
}

int attend_until_ready(struct attendance *a, int *ret_status, struct err *e)
{
	for (;;) {
		int listener = -1, r = hear(a->report, &listener, ret_status, e);

		if (r == HEARD_LISTENER)
			r = take_listener(a, listener, e);
		else if (r == HEARD_HOOKS && a->go >= 0)
			r = do_hooks(a, e);
		else if (r == HEARD_CLOSED)
			r = close_mount(a, e);
		else
			return r;
		if (r < 0)
			return r;
	}
}
