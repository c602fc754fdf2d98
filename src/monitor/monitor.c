/* monitor.c - ketch-monitor: the one process that stands beside a running instance
 *
 * How it works: the engine execs it with a boot document and open descriptors.  It starts the back end of the
 * instance's isolation, listens on run/monitor.sock, and relays messages between clients and the back end
 * (relay.c).  The main process starts once the back end is ready and the command that asked for it has
 * attached, so that no output is lost.
 *
 * States (state.json in the run directory): STARTING -STARTED-> RUNNING -EXIT, FAILED or loss-> EXITED; RUNNING
 * -PAUSE-> PAUSED and back; where the policy says so (restart.h), RUNNING -EXIT or loss-> RESTARTING.
 *
 * RESTARTING: the back end is released, its clients have heard EXIT, the monitor keeps lock and socket and waits.  Then it
 * becomes the command that starts the instance and hands the lock on, so that it begins as any other does.  A stop or a
 * signal ends the wait: EXITED.
 *
 * The end, in this order: the back end has ended and is released; exit.json is written beside the log; the run
 * directory is emptied; the lock goes; the clients hear EXIT.  So whoever hears it may remove the instance.
 *
 * Started for files only (boot.h): the main process is one that waits (process.h); GET and PUT are all that is done, and
 * it ends when the client that started it leaves.  Nothing of that is recorded, but in state.json, for who finds it
 * killed; it listens where only those look who are about files.
 *
 * Blank (boot.h): there is no main process, ever; it is RUNNING once its machine has booted, and is killed when the client
 * that started it leaves.
 *
 * Runs as: ketch-monitor, uid of the caller, in a session of its own.
 */
#include "monitor/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/loop.h"
#include "base/path.h"
#include "container/container.h"
#include "monitor/monitor_int.h"
#include "monitor/names.h"
#include "monitor/set_up.h"
#include "vm/vm.h"

static const struct backend *const backends[ISOLATION_N] = {
	[ISOLATION_CONTAINER] = &container_backend,
	[ISOLATION_VM] = &vm_backend,
};

/* --- state on disk */

void monitor_save_state(struct monitor *m)
{
	AUTO(buf_done) struct buf b = { 0 };

	if (json_print(&instance_state_table, &m->state, 0, &b) == 0)
		write_file_swap(m->run_fd, "state.json", 0600, b.data, b.len);
}

void monitor_set_error(struct monitor *m, const char *text)
{
	free(m->state.error);
	m->state.error = strdup(text);
}

/* --- the main process */

static void release_early(struct monitor *m)
{
	struct msg msg;
	struct err e;

	m->main_started = true;
	while (msg_peek(&m->early, PEER_MONITOR, &msg, &e) == 1) {
		m->backend->send(m->running, &msg);
		msg_drop(&m->early, &msg);
	}
	buf_done(&m->early);
}

static void send_main(struct monitor *m, const struct process *p)
{
	AUTO(buf_done) struct buf json = { 0 };

	m->main_sent = true;
	json_print(&process_table, p, 0, &json);
	m->backend->send(m->running, &(struct msg){ MSG_START, 0, json.data, json.len });
}

/* It has booted, and nothing begins in it: what is asked of it is for the machine alone. */
static void stand_by(struct monitor *m)
{
	m->main_sent = true;
	m->state.status = STATUS_RUNNING;
	m->state.started_ns = clock_real_ns();
	monitor_save_state(m);
	release_early(m);
}

void monitor_start_main(struct monitor *m)
{
	static const struct process waits = { .hold = true };
	struct err e;

	if (m->last.len || !m->backend_ready || m->main_sent)
		return;
	if (m->boot.blank) {
		stand_by(m);
		return;
	}
	if (!m->client_settled && !m->boot.files_only)
		return;
	if (names_await(&m->boot, &e) < 0) {
		monitor_abandon(m, 125, e.msg);
		return;
	}
	send_main(m, m->boot.files_only ? &waits : &m->boot.spec.process);
	if (!m->boot.files_only) /* files are reached through a process that runs already */
		release_early(m);
}

void monitor_end_in_order(struct monitor *m)
{
	if (m->running && !m->ending)
		m->backend->send(m->running, &(struct msg){ .type = MSG_SHUTDOWN });
	m->ending = true;
}

static void main_is_over(struct monitor *m, const struct msg *msg)
{
	autofree char *text = NULL;

	buf_done(&m->last);
	msg_put(&m->last, msg->type, 0, msg->data, msg->len);
	m->state.exit_code = (int)(msg_u32(msg, 0) & 0xff);
	if (msg->type == MSG_EXIT) {
		m->state.oom_killed = msg_u32(msg, 1) & 1;
	} else {
		text = msg_text(msg);
		monitor_set_error(m, text ? text : "out of memory");
	}
	/* a writable layer that is thrown away needs no orderly end */
	if (m->boot.spec.auto_remove)
		m->backend->kill(m->running);
	else
		monitor_end_in_order(m);
}

static void start_time_limit(struct monitor *m)
{
	struct itimerspec t = { .it_value = { .tv_sec = m->boot.spec.timeout_s } };

	timerfd_settime(m->time_limit.fd, 0, &t, NULL); /* 0: it never fires */
}

static void on_backend_message(void *arg, const struct msg *msg)
{
	struct monitor *m = arg;

	if (msg->type == MSG_PAUSED) {
		monitor_on_paused(m, msg);
		return;
	}
	if (!msg->stream && (msg->type == MSG_EXIT || msg->type == MSG_FAILED)) {
		main_is_over(m, msg);
		return;
	}
	if (!msg->stream && msg->type == MSG_STARTED && m->boot.files_only) {
		release_early(m);
		return;
	}
	if (!msg->stream && msg->type == MSG_STARTED) {
		m->state.status = STATUS_RUNNING;
		m->state.started_ns = clock_real_ns();
		if (!m->state.pid)
			m->state.pid = (int)msg_u32(msg, 0);
		monitor_health_start(m);
		monitor_save_state(m);
		news_started(&m->news);
		start_time_limit(m);
		schedule_start(m);
	}
	if (msg->type == MSG_UPDATE_REPLY) /* it may have more cgroups now */
		monitor_save_state(m);
	relay_from_backend(m->relay, msg);
}

static void on_backend_ready(void *arg)
{
	struct monitor *m = arg;

	m->backend_ready = true;
	monitor_start_main(m);
}

static void on_backend_ended(void *arg, const struct err *why)
{
	struct monitor *m = arg;

	if (!m->last.len) { /* it was lost, not over */
		const char *text = why->no ? why->msg : "it was killed";
		bool never = !m->state.started_ns;

		m->state.exit_code = never ? 125 : 137;
		if (never || why->no)
			monitor_set_error(m, text);
		if (never)
			msg_put_text(&m->last, MSG_FAILED, 0, 125, text);
		else
			msg_put_u32x2(&m->last, MSG_EXIT, 0, 137, 0);
	}
	loop_stop(m->loop);
}

/* --- set-up */

/* Who comes when there is no descriptor left: one that waited to be accepted would keep the loop busy. */
static void turn_away(struct monitor *m)
{
	int fd;

	close(m->spare_fd);
	fd = accept4(m->listener.fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	m->spare_fd = fcntl(m->run_fd, F_DUPFD_CLOEXEC, 3);
}

static void on_connection(void *arg, uint32_t events)
{
	struct monitor *m = arg;
	int fd = accept4(m->listener.fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0)
		relay_add_client(m->relay, fd, false);
	else if (errno == EMFILE || errno == ENFILE)
		turn_away(m);
}

static int take_fds(struct monitor *m, struct err *e)
{
	m->backend = backends[m->boot.spec.isolation];
	m->run_fd = boot_fd(&m->boot, "run");
	m->dir_fd = boot_fd(&m->boot, "dir");
	m->lock_fd = boot_fd(&m->boot, "lock");
	if (m->run_fd < 0 || m->dir_fd < 0 || m->lock_fd < 0)
		return err_set(e, EBADF, "descriptors are missing");
	m->spare_fd = fcntl(m->run_fd, F_DUPFD_CLOEXEC, 3);
	return m->spare_fd < 0 ? err_sys(e, errno, "descriptors") : 0;
}

static int watch_fd(struct monitor *m, struct watch *w, int fd, void (*fn)(void *, uint32_t))
{
	*w = (struct watch){ .fd = fd, .events = EPOLLIN, .fn = fn, .arg = m };
	return fd < 0 ? -errno : loop_add(m->loop, w);
}

static int open_log(struct monitor *m, struct err *e)
{
	const struct instance_spec *s = &m->boot.spec;
	bool journald = s->log.driver == LOG_JOURNALD;

	if (m->boot.files_only || s->log.driver == LOG_NONE)
		return 0;
	m->log = journald ? log_open_journald(s) : log_open(m->dir_fd, "log", &s->log);
	return m->log ? 0 : err_sys(e, errno, journald ? "the log, which goes to journald" : "log");
}

static int set_up(struct monitor *m, struct err *e)
{
	int r, client = boot_fd(&m->boot, "client");

	m->events = (struct backend_events){ on_backend_message, on_backend_ready, on_backend_ended, m };
	m->relay_ops = monitor_relay_ops;
	m->relay_ops.arg = m;
	m->relay_ops.keep_stdin = m->boot.spec.process.tty;
	news_init(&m->news, &m->boot);
	m->loop = loop_new();
	r = open_log(m, e);
	if (r < 0)
		return r;
	m->relay = m->loop ? relay_new(m->loop, &m->relay_ops, m->log) : NULL;
	if (!m->relay)
		return err_set(e, ENOMEM, "out of memory");
	r = watch_fd(m, &m->signals, set_up_signals(), monitor_on_signal);
	if (r == 0)
		r = watch_fd(m, &m->timer, timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
			     monitor_on_timer);
	if (r == 0)
		r = watch_fd(m, &m->time_limit, timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
			     monitor_on_time_limit);
	if (r == 0)
		r = watch_fd(m, &m->listener, set_up_listener(m->run_fd, m->boot.files_only), on_connection);
	if (r < 0)
		return err_sys(e, -r, "monitor socket");
	r = relay_add_client(m->relay, client, true);
	return r < 0 ? err_sys(e, -r, "client") : 0;
}

static int start_backend(struct monitor *m, struct err *e)
{
	struct boot *b = &m->boot;
	int r;

	m->state.status = b->files_only ? STATUS_CREATED : STATUS_STARTING;
	m->state.files_only = b->files_only;
	m->state.monitor_pid = getpid();
	m->state.restarts = b->restarts;
	m->state.backoff_ms = b->backoff_ms;
	r = m->backend->plan(&b->spec, &b->facts, &m->plan, e);
	if (r == 0)
		r = m->backend->start(b, &m->plan, m->loop, &m->events, &m->state, &m->running, e);
	/* The VMM has them.  A snapshot that is removed meanwhile would keep its room as long as this instance runs. */
	boot_drop_fd(b, "state");
	boot_drop_fd(b, "ram/0");
	monitor_save_state(m);
	return r;
}

int monitor_run(int fd)
{
	struct monitor *m = calloc(1, sizeof(*m));
	struct err e = { 0 };
	int r;

	if (!m)
		return 125;
	signal(SIGPIPE, SIG_IGN);
	r = set_up_boot(fd, &m->boot, &e);
	if (r == 0)
		r = take_fds(m, &e);
	if (r < 0)
		return 125; /* nobody to tell: the engine sees its connection end */
	r = set_up(m, &e);
	if (r < 0) {
		monitor_give_up(m, &e);
		return 125;
	}
	r = start_backend(m, &e);
	if (r < 0)
		on_backend_ended(m, &e);
	else
		loop_run(m->loop);
	monitor_wind_up(m);
	return 0;
}
