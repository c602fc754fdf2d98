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

#define WAIT_POLL_MS 5
#define PAUSE_S	     15 /* longer than a freezer may take */

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

static int send_frames(int fd, const struct instance *in, const struct buf *b, struct err *e)
{
	int r = buf_ok(b) ? 0 : -ENOMEM;

	if (r == 0 && send(fd, b->data, b->len, MSG_NOSIGNAL) != (ssize_t)b->len)
		r = -EPIPE;
	return r == -EPIPE ? err_set(e, ESRCH, "%s is not running", in->spec.name)
	       : r < 0	   ? err_sys(e, -r, "monitor")
			   : 0;
}

int engine_signal(struct engine *en, const struct instance *in, int signo, struct err *e)
{
	AUTO(buf_done) struct buf b = { 0 };
	autoclose int fd = -1;
	int r = engine_connect(en, in, &fd, e);

	if (r < 0)
		return r;
	msg_put_u32(&b, MSG_HELLO, 0, MSG_VERSION);
	msg_put_u32(&b, MSG_SIGNAL, 0, (uint32_t)signo);
	r = send_frames(fd, in, &b, e);
	/* closing at once could overtake what the monitor has not read: wait until it has */
	if (r == 0)
		shutdown(fd, SHUT_WR);
	for (char junk[512]; r == 0 && read(fd, junk, sizeof(junk)) > 0;)
		;
	return r;
}

/* Why the monitor does not pause or resume it: Docker's words. */
static int pause_error(const struct instance *in, int no, const char *text, struct err *e)
{
	const char *name = in->spec.name;

	switch (no) {
	case EALREADY:
		return err_set(e, no, "container %s is already paused", name);
	case EINVAL:
		return err_set(e, no, "container %s is not paused", name);
	case ESRCH:
		return err_set(e, no, "container %s is not running", name);
	case EAGAIN:
		return err_set(e, no, "container %s is restarting, wait until the container is running",
			       name);
	case EBUSY:
		return err_set(e, no, "%s is just being paused or unpaused", name);
	default:
		return err_set(e, no > 0 ? no : EIO, "%s: %s", name,
			       text && *text ? text : "it does not answer");
	}
}

/* The next message from the monitor; 1, or 0 at its end, or -errno. */
static int read_message(int fd, struct buf *in, int64_t end, struct msg *ret, struct err *e)
{
	int r;

	while ((r = msg_peek(in, PEER_MONITOR, ret, e)) == 0) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = (end - clock_mono_ns()) / 1000000;
		char bytes[4096];
		ssize_t n;

		if (left <= 0 || poll(&p, 1, (int)left) == 0)
			return err_set(e, ETIMEDOUT, "the monitor does not answer");
		n = read(fd, bytes, sizeof(bytes));
		if (n == 0 || (n < 0 && errno != EINTR))
			return 0;
		if (n > 0 && (buf_add(in, bytes, (size_t)n), !buf_ok(in)))
			return err_set(e, ENOMEM, "out of memory");
	}
	return r;
}

static int await_pause(int fd, const struct instance *in, struct err *e)
{
	int64_t end = clock_mono_ns() + PAUSE_S * NS_PER_S;
	AUTO(buf_done) struct buf b = { 0 };
	struct msg m;
	int r;

	while ((r = read_message(fd, &b, end, &m, e)) > 0 && m.type != MSG_PAUSED)
		msg_drop(&b, &m);
	if (r == 0)
		return pause_error(in, ESRCH, NULL, e);
	if (r > 0 && msg_u32(&m, 0)) {
		autofree char *text = msg_text(&m);

		return pause_error(in, (int)msg_u32(&m, 0), text, e);
	}
	return r < 0 ? err_wrap(e, r, "%s", in->spec.name) : 0;
}

int engine_pause(struct engine *en, const struct instance *in, bool pause, struct err *e)
{
	AUTO(buf_done) struct buf b = { 0 };
	autoclose int fd = -1;
	int r = engine_connect(en, in, &fd, e);

	if (r == -ESRCH)
		return pause_error(in, in->state.status == STATUS_RESTARTING ? EAGAIN : ESRCH, NULL, e);
	if (r < 0)
		return r;
	msg_put_u32(&b, MSG_HELLO, 0, MSG_VERSION);
	msg_put_u32(&b, MSG_PAUSE, 0, pause);
	r = send_frames(fd, in, &b, e);
	return r < 0 ? r : await_pause(fd, in, e);
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

int engine_stop(struct engine *en, const struct instance *in, int timeout_s, struct err *e)
{
	AUTO(buf_done) struct buf b = { 0 };
	autoclose int fd = -1;
	struct instance now = { .spec = in->spec };
	int r;

	if (timeout_s < 0)
		timeout_s = in->spec.stop_timeout_s;
	r = engine_connect(en, in, &fd, e);
	if (r == -ESRCH)
		return 0; /* stopped already, as Docker takes it */
	if (r < 0)
		return r;
	msg_put_u32(&b, MSG_HELLO, 0, MSG_VERSION);
	msg_put_u32x2(&b, MSG_STOP, 0, (uint32_t)in->spec.stop_signal, (uint32_t)timeout_s);
	r = send_frames(fd, in, &b, e);
	if (r < 0 && r != -ESRCH)
		return r;
	r = wait_for_end(fd, ((int64_t)timeout_s + CONTROL_GRACE_S) * 1000);
	if (r == -ETIMEDOUT)
		r = control_kill_monitor(in, fd, e);
	/* the state of `in` is the caller's; this look clears what a killed monitor left */
	if (r == 0)
		r = truth_refresh(en, &now, e);
	json_done(&instance_state_table, &now.state);
	return r;
}

void control_end_files(struct engine *en, const struct instance *in)
{
	AUTO(buf_done) struct buf b = { 0 };
	autoclose int fd = -1;

	if (control_connect(en, in, "files.sock", &fd, NULL) < 0)
		return;
	msg_put_u32(&b, MSG_HELLO, 0, MSG_VERSION);
	msg_put_u32x2(&b, MSG_STOP, 0, SIGKILL, 0);
	if (send_frames(fd, in, &b, NULL) == 0)
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
