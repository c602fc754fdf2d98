/* control.c - what is asked of a running instance through its monitor: connect, signal, stop, wait */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "engine/engine_int.h"
#include "sys/pidfd.h"
#include "wire/msg.h"

#define WAIT_POLL_MS   5
#define LISTEN_POLL_MS 1
#define LISTEN_S       60 /* from a start to a monitor that listens: images and kernels may have to be prepared */
#define STOP_TRIES     10

int control_connect(struct engine *en, const struct instance *in, const char *socket_name, int *ret_fd,
		    struct err *e)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	autoclose int dir = openat(en->run_fd, in->spec.id, O_PATH | O_DIRECTORY | O_CLOEXEC);
	autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_sys(e, errno, "socket");
	/* the path of the run root may be longer than an address */
	snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d/%s", dir, socket_name);
	if (dir < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return err_set(e, ESRCH, "%s is not running", in->spec.name);
	*ret_fd = take_fd(&fd);
	return 0;
}

int engine_connect(struct engine *en, const struct instance *in, int *ret_fd, struct err *e)
{
	return control_connect(en, in, "monitor.sock", ret_fd, e);
}

int control_send(int fd, const struct instance *in, const struct buf *b, struct err *e)
{
	int r = buf_ok(b) ? 0 : -ENOMEM;

	if (r == 0 && send(fd, b->data, b->len, MSG_NOSIGNAL) != (ssize_t)b->len)
		r = -EPIPE;
	return r == -EPIPE ? err_set(e, ESRCH, "%s is not running", in->spec.name)
	       : r < 0	   ? err_sys(e, -r, "monitor")
			   : 0;
}

int control_connect_live(struct engine *en, const struct instance *in, int *ret_fd, struct err *e)
{
	int64_t end = clock_mono_ns() + LISTEN_S * NS_PER_S;
	struct instance now = { .spec = in->spec };
	int r;

	while ((r = engine_connect(en, in, ret_fd, e)) == -ESRCH && clock_mono_ns() < end) {
		if (truth_refresh(en, &now, NULL) < 0 || !instance_is_live(&now.state))
			break;
		poll(NULL, 0, LISTEN_POLL_MS);
	}
	json_done(&instance_state_table, &now.state);
	return r;
}

/* Reads until the monitor goes away; -ETIMEDOUT after timeout_ms (-1: never). */
static int wait_for_end(int fd, int64_t timeout_ms)
{
	int64_t end = clock_mono_ns() + timeout_ms * 1000000;
	char junk[4096];

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = (end - clock_mono_ns()) / 1000000;
		int n = poll(&p, 1, timeout_ms < 0 ? -1 : left < 0 ? 0 : (int)left);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -ETIMEDOUT;
		if (n > 0 && read(fd, junk, sizeof(junk)) <= 0)
			return 0;
	}
}

int engine_signal(struct engine *en, const struct instance *in, int signo, struct err *e)
{
	AUTO(buf_done) struct buf b = { 0 };
	autoclose int fd = -1;
	int r = control_connect_live(en, in, &fd, e);

	if (r < 0)
		return r;
	msg_put_u32(&b, MSG_HELLO, 0, MSG_VERSION);
	msg_put_u32(&b, MSG_SIGNAL, 0, (uint32_t)signo);
	r = control_send(fd, in, &b, e);
	if (r == 0 && signo == SIGKILL) /* for rm right behind; one that takes longer ends when it can */
		wait_for_end(fd, CONTROL_GRACE_S * 1000);
	/* closing at once could overtake what the monitor has not read: wait until it has */
	if (r == 0)
		shutdown(fd, SHUT_WR);
	for (char junk[512]; r == 0 && read(fd, junk, sizeof(junk)) > 0;)
		;
	return r;
}

int control_monitor(int fd)
{
	struct ucred peer = { 0 };
	socklen_t n = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0 || peer.pid <= 1)
		return -ESRCH;
	return pidfd_open_pid(peer.pid);
}

int control_kill_monitor(const struct instance *in, int fd, struct err *e)
{
	autoclose int pidfd = control_monitor(fd);
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	if (pidfd < 0)
		return err_set(e, ESRCH, "%s: its monitor cannot be found", in->spec.name);
	if (pidfd_signal(pidfd, SIGKILL) < 0 || poll(&p, 1, CONTROL_GRACE_S * 1000) != 1)
		return err_set(e, ETIMEDOUT, "%s: its monitor cannot be killed", in->spec.name);
	return 0;
}

int64_t control_stop_deadline(int timeout_s)
{
	return clock_mono_ns() + ((int64_t)timeout_s + CONTROL_GRACE_S) * NS_PER_S;
}

static int ask_to_stop(struct engine *en, const struct instance *in, int signo, int timeout_s,
		       struct stopping *ret, struct err *e)
{
	AUTO(buf_done) struct buf b = { 0 };
	autoclose int fd = -1;
	int r = control_connect_live(en, in, &fd, e);

	*ret = (struct stopping){ .fd = -1 };
	if (r == -ESRCH)
		return 0; /* stopped already, as Docker takes it */
	if (r < 0)
		return r;
	msg_put_u32(&b, MSG_HELLO, 0, MSG_VERSION);
	msg_put_u32x2(&b, MSG_STOP, 0, (uint32_t)signo, (uint32_t)timeout_s);
	r = control_send(fd, in, &b, e);
	if (r < 0 && r != -ESRCH)
		return r;
	ret->fd = take_fd(&fd);
	ret->end_ns = control_stop_deadline(timeout_s);
	return 0;
}

int control_await_stop(const struct instance *in, struct stopping *s, struct err *e)
{
	autoclose int fd = take_fd(&s->fd);
	int64_t left_ns = s->end_ns - clock_mono_ns();
	int r;

	if (fd < 0)
		return 0;
	r = wait_for_end(fd, left_ns > 0 ? left_ns / 1000000 : 0);
	return r == -ETIMEDOUT ? control_kill_monitor(in, fd, e) : r;
}

/* Of one that was asked.  The last look clears what a killed monitor left.  It may also find that what we asked for came too
 * late: the policy was just starting it again. */
static int stop(struct engine *en, const struct instance *in, int signo, int timeout_s, struct stopping *s,
		struct err *e)
{
	struct instance now = { .spec = in->spec };
	int r, tries = 0;

	do {
		r = tries ? ask_to_stop(en, in, signo, timeout_s, s, e) : 0;
		if (r == 0)
			r = control_await_stop(in, s, e);
		if (r == 0)
			r = truth_refresh(en, &now, e);
	} while (r == 0 && instance_is_live(&now.state) && now.state.restarts > 0 && ++tries < STOP_TRIES);
	json_done(&instance_state_table, &now.state);
	return r;
}

static int seconds(const struct instance *in, int timeout_s)
{
	return timeout_s < 0 ? in->spec.stop_timeout_s : timeout_s;
}

int engine_stop_ask(struct engine *en, const struct instance *in, int timeout_s, struct stopping *ret,
		    struct err *e)
{
	return ask_to_stop(en, in, in->spec.stop_signal, seconds(in, timeout_s), ret, e);
}

int engine_stop_await(struct engine *en, const struct instance *in, int timeout_s, struct stopping *s,
		      struct err *e)
{
	return stop(en, in, in->spec.stop_signal, seconds(in, timeout_s), s, e);
}

int engine_stop(struct engine *en, const struct instance *in, int timeout_s, struct err *e)
{
	struct stopping s;
	int r = engine_stop_ask(en, in, timeout_s, &s, e);

	return r < 0 ? r : engine_stop_await(en, in, timeout_s, &s, e);
}

int engine_end(struct engine *en, const struct instance *in, struct err *e)
{
	struct stopping s;
	int r = ask_to_stop(en, in, SIGKILL, 0, &s, e);

	return r < 0 ? r : stop(en, in, SIGKILL, 0, &s, e);
}

void control_end_files(struct engine *en, const struct instance *in)
{
	AUTO(buf_done) struct buf b = { 0 };
	autoclose int fd = -1;

	if (control_connect(en, in, "files.sock", &fd, NULL) < 0)
		return;
	msg_put_u32(&b, MSG_HELLO, 0, MSG_VERSION);
	msg_put_u32x2(&b, MSG_STOP, 0, SIGKILL, 0);
	if (control_send(fd, in, &b, NULL) == 0)
		wait_for_end(fd, CONTROL_GRACE_S * 1000);
}

/* A connection ends with its monitor: with the instance, or when the policy starts it anew. */
int engine_wait(struct engine *en, const struct instance *in, int *ret_exit_code, struct err *e)
{
	struct instance now = { .spec = in->spec };
	int r;

	do {
		autoclose int fd = -1;

		r = engine_connect(en, in, &fd, e);
		if (r == 0)
			wait_for_end(fd, -1);
		else if (r == -ESRCH)
			poll(NULL, 0, WAIT_POLL_MS); /* it has ended, or its monitor is about to listen */
		else
			break;
		r = truth_refresh(en, &now, e);
	} while (r == 0 && instance_is_live(&now.state));
	if (r == 0)
		*ret_exit_code = now.state.exit_code;
	json_done(&instance_state_table, &now.state);
	return r;
}

int engine_exec_process(const struct instance *in, struct process *ret, struct err *e)
{
	int r = json_copy(&process_table, &in->spec.process, ret);

	if (r < 0)
		return err_set(e, ENOMEM, "out of memory");
	strv_done(&ret->args);
	ret->tty = ret->stdin_open = false;
	ret->rows = ret->cols = 0;
	return 0;
}
