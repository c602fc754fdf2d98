/* monitor.c - ketch-monitor: the one process that stands beside a running instance
 *
 * How it works: the engine execs it with a boot document and open descriptors.  It starts the back end of the
 * instance's isolation, listens on run/monitor.sock, and relays messages between clients and the back end
 * (relay.c).  The main process starts once the back end is ready and the command that asked for it has
 * attached, so that no output is lost.
 *
 * States (state.json in the run directory): STARTING -STARTED-> RUNNING -EXIT, FAILED or loss-> EXITED.
 *
 * The end, in this order: the back end has ended and is released; exit.json is written beside the log; the run
 * directory is emptied; the lock goes; the clients hear EXIT.  So whoever hears it may remove the instance.
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
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/loop.h"
#include "base/path.h"
#include "container/container.h"
#include "instance/backend.h"
#include "monitor/news.h"
#include "monitor/relay.h"
#include "vm/vm.h"

#define MAX_BOOT      (8 * 1024 * 1024)
#define MAX_EARLY     (2 * MSG_WINDOW)
#define LAST_WORDS_MS 5000
#define KILL_S	      10 /* for a process to die of SIGKILL, and a guest to power off */

static const struct backend *const backends[ISOLATION_N] = {
	[ISOLATION_CONTAINER] = &container_backend,
	[ISOLATION_VM] = &vm_backend,
};

struct monitor {
	struct boot boot;
	struct instance_state state;
	struct plan plan;
	struct loop *loop;
	const struct backend *backend;
	struct backend_events events;
	struct running *running;
	struct log *log;
	struct relay *relay;
	struct relay_ops relay_ops;
	struct news news;
	struct watch listener, signals, stop_timer, time_limit;
	int run_fd, dir_fd, lock_fd;
	bool backend_ready, client_settled, main_started;
	struct buf early; /* what clients said to the main process before it was started */
	struct buf last; /* the frame of EXIT or FAILED of stream 0 */
};

/* --- state on disk */

static void save_state(struct monitor *m)
{
	AUTO(buf_done) struct buf b = { 0 };

	if (json_print(&instance_state_table, &m->state, 0, &b) == 0)
		write_file_swap(m->run_fd, "state.json", 0600, b.data, b.len);
}

/* exit.json: what is left to tell when the run directory is gone. */
static void save_exit(struct monitor *m)
{
	AUTO(buf_done) struct buf b = { 0 };

	m->state.status = STATUS_EXITED;
	m->state.finished_ns = clock_real_ns();
	m->state.pid = 0;
	m->state.monitor_pid = 0;
	strv_done(&m->state.cgroups);
	if (json_print(&instance_state_table, &m->state, 0, &b) < 0)
		return;
	if (m->boot.spec.auto_remove)
		write_file_swap(m->dir_fd, "exit.json", 0600, b.data, b.len);
	else
		write_file_atomic(m->dir_fd, "exit.json", 0600, b.data, b.len);
}

static void set_error(struct monitor *m, const char *text)
{
	free(m->state.error);
	m->state.error = strdup(text);
}

/* --- the main process */

static void start_main(struct monitor *m)
{
	AUTO(buf_done) struct buf json = { 0 };
	struct msg start;
	struct err e;

	if (!m->backend_ready || !m->client_settled || m->main_started)
		return;
	m->main_started = true;
	json_print(&process_table, &m->boot.spec.process, 0, &json);
	start = (struct msg){ MSG_START, 0, json.data, json.len };
	m->backend->send(m->running, &start);
	while (msg_peek(&m->early, PEER_MONITOR, &start, &e) == 1) {
		m->backend->send(m->running, &start);
		msg_drop(&m->early, &start);
	}
	buf_done(&m->early);
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
		set_error(m, text ? text : "out of memory");
	}
	/* a writable layer that is thrown away needs no orderly end */
	if (m->boot.spec.auto_remove)
		m->backend->kill(m->running);
	else
		m->backend->send(m->running, &(struct msg){ .type = MSG_SHUTDOWN });
}

static void start_time_limit(struct monitor *m)
{
	struct itimerspec t = { .it_value = { .tv_sec = m->boot.spec.timeout_s } };

	timerfd_settime(m->time_limit.fd, 0, &t, NULL); /* 0: it never fires */
}

static void on_backend_message(void *arg, const struct msg *msg)
{
	struct monitor *m = arg;

	if (!msg->stream && (msg->type == MSG_EXIT || msg->type == MSG_FAILED)) {
		main_is_over(m, msg);
		return;
	}
	if (!msg->stream && msg->type == MSG_STARTED) {
		m->state.status = STATUS_RUNNING;
		m->state.started_ns = clock_real_ns();
		if (!m->state.pid)
			m->state.pid = (int)msg_u32(msg, 0);
		save_state(m);
		news_started(&m->news);
		start_time_limit(m);
	}
	relay_from_backend(m->relay, msg);
}

static void on_backend_ready(void *arg)
{
	struct monitor *m = arg;

	m->backend_ready = true;
	start_main(m);
}

static void on_backend_ended(void *arg, const struct err *why)
{
	struct monitor *m = arg;

	if (!m->last.len) { /* it was lost, not over */
		const char *text = why->no ? why->msg : "it was killed";
		bool never = m->state.status != STATUS_RUNNING;

		m->state.exit_code = never ? 125 : 137;
		if (never || why->no)
			set_error(m, text);
		if (never)
			msg_put_text(&m->last, MSG_FAILED, 0, 125, text);
		else
			msg_put_u32x2(&m->last, MSG_EXIT, 0, 137, 0);
	}
	loop_stop(m->loop);
}

/* --- what clients ask for */

/* Ends it before its main process began. */
static void abandon(struct monitor *m, unsigned status, const char *text)
{
	if (!m->last.len)
		msg_put_text(&m->last, MSG_FAILED, 0, status, text);
	m->state.exit_code = (int)status;
	set_error(m, text);
	m->backend->kill(m->running);
}

static void relay_down(void *arg, const struct msg *msg)
{
	struct monitor *m = arg;

	if (msg->type == MSG_SIGNAL && !msg->stream)
		news_signal(&m->news, (int)msg_u32(msg, 0));
	if (m->main_started)
		m->backend->send(m->running, msg);
	else if (msg->type == MSG_SIGNAL && !msg->stream)
		abandon(m, 128 + (msg_u32(msg, 0) & 0x7f), "stopped before its command began");
	else if (m->early.len < MAX_EARLY)
		msg_put(&m->early, msg->type, msg->stream, msg->data, msg->len);
}

static void signal_main(struct monitor *m, int signo)
{
	AUTO(buf_done) struct buf b = { 0 };
	struct err e;
	struct msg msg;

	msg_put_u32(&b, MSG_SIGNAL, 0, (uint32_t)signo);
	if (msg_peek(&b, PEER_MONITOR, &msg, &e) == 1)
		relay_down(m, &msg);
}

static void stop_instance(void *arg, int signo, unsigned timeout_s)
{
	struct monitor *m = arg;
	struct itimerspec t = { .it_value = { .tv_sec = timeout_s, .tv_nsec = 1 } };

	m->news.stopped = true;
	signal_main(m, signo); /* ends one that has not begun */
	if (timeout_s == 0)
		m->backend->kill(m->running);
	else
		timerfd_settime(m->stop_timer.fd, 0, &t, NULL);
}

static void on_stop_timer(void *arg, uint32_t events)
{
	struct monitor *m = arg;
	uint64_t n;

	if (read(m->stop_timer.fd, &n, sizeof(n)) == sizeof(n))
		m->backend->kill(m->running);
}

static void on_exec(void *arg, uint32_t id, const struct msg *msg)
{
	struct monitor *m = arg;

	news_exec(&m->news, id, msg);
}

/* --timeout: the main process is killed; what does not end then is as stuck as in `ketch stop`. */
static void on_time_limit(void *arg, uint32_t events)
{
	struct monitor *m = arg;
	uint64_t n;

	if (read(m->time_limit.fd, &n, sizeof(n)) == sizeof(n))
		stop_instance(m, SIGKILL, KILL_S);
}

static void on_client_settled(void *arg, bool attached)
{
	struct monitor *m = arg;

	m->client_settled = true;
	if (attached)
		start_main(m);
	else
		abandon(m, 125, "the command that started it was killed");
}

static void on_connection(void *arg, uint32_t events)
{
	struct monitor *m = arg;
	int fd = accept4(m->listener.fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0)
		relay_add_client(m->relay, fd, false);
}

/* SIGTERM: the host goes down; the instance is stopped as `ketch stop` would. */
static void on_signal(void *arg, uint32_t events)
{
	struct monitor *m = arg;
	struct signalfd_siginfo si;

	if (read(m->signals.fd, &si, sizeof(si)) == sizeof(si))
		stop_instance(m, m->boot.spec.stop_signal, (unsigned)m->boot.spec.stop_timeout_s);
}

/* --- set-up */

static int read_boot(int fd, struct boot *ret, struct err *e)
{
	AUTO(buf_done) struct buf b = { 0 };
	int r = read_to_end(fd, MAX_BOOT, &b);

	close(fd);
	if (r < 0)
		return err_sys(e, -r, "boot document");
	return json_parse(&boot_table, b.data, b.len, JSON_STRICT, ret, e);
}

static int compare_fds(const void *a, const void *b)
{
	return ((const struct boot_fd *)a)->fd - ((const struct boot_fd *)b)->fd;
}

/* What the user's shell left open is not ours to keep: everything but stdio and the listed descriptors goes. */
static void close_strangers(struct boot *b)
{
	unsigned next = 3;

	qsort(b->fds, b->n_fds, sizeof(*b->fds), compare_fds);
	for (size_t i = 0; i < b->n_fds; i++) {
		unsigned fd = (unsigned)b->fds[i].fd;

		if (fd > next)
			close_range(next, fd - 1, 0);
		next = fd + 1;
	}
	close_range(next, ~0U, 0);
}

static int take_fds(struct monitor *m, struct err *e)
{
	close_strangers(&m->boot);
	for (size_t i = 0; i < m->boot.n_fds; i++)
		if (fd_set_cloexec(m->boot.fds[i].fd, true) < 0)
			return err_set(e, EBADF, "descriptor %s is missing", m->boot.fds[i].name);
	m->backend = backends[m->boot.spec.isolation];
	m->run_fd = boot_fd(&m->boot, "run");
	m->dir_fd = boot_fd(&m->boot, "dir");
	m->lock_fd = boot_fd(&m->boot, "lock");
	if (m->run_fd < 0 || m->dir_fd < 0 || m->lock_fd < 0)
		return err_set(e, EBADF, "descriptors are missing");
	return 0;
}

static int watch_fd(struct monitor *m, struct watch *w, int fd, void (*fn)(void *, uint32_t))
{
	*w = (struct watch){ .fd = fd, .events = EPOLLIN, .fn = fn, .arg = m };
	return fd < 0 ? -errno : loop_add(m->loop, w);
}

static int open_listener(int run_fd)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* the run directory's path may be long: an address of 108 bytes always holds this one */
	snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d/monitor.sock", run_fd);
	if (fd < 0)
		return -1;
	unlinkat(run_fd, "monitor.sock", 0);
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    fchmodat(run_fd, "monitor.sock", 0600, 0) < 0 || listen(fd, 64) < 0)
		return -1;
	return take_fd(&fd);
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int set_up(struct monitor *m, struct err *e)
{
	int r, client = boot_fd(&m->boot, "client");

	m->events = (struct backend_events){ on_backend_message, on_backend_ready, on_backend_ended, m };
	m->relay_ops = (struct relay_ops){ relay_down, stop_instance, on_exec, on_client_settled, m };
	news_init(&m->news, &m->boot);
	m->loop = loop_new();
	m->log = log_open(m->dir_fd, "log");
	if (!m->log)
		return err_sys(e, errno, "log");
	m->relay = m->loop ? relay_new(m->loop, &m->relay_ops, m->log) : NULL;
	if (!m->relay)
		return err_set(e, ENOMEM, "out of memory");
	r = watch_fd(m, &m->signals, open_signals(), on_signal);
	if (r == 0)
		r = watch_fd(m, &m->stop_timer, timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
			     on_stop_timer);
	if (r == 0)
		r = watch_fd(m, &m->time_limit, timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
			     on_time_limit);
	if (r == 0)
		r = watch_fd(m, &m->listener, open_listener(m->run_fd), on_connection);
	if (r < 0)
		return err_sys(e, -r, "monitor socket");
	r = relay_add_client(m->relay, client, true);
	return r < 0 ? err_sys(e, -r, "client") : 0;
}

static int start_backend(struct monitor *m, struct err *e)
{
	const struct boot *b = &m->boot;
	int r;

	m->state.status = STATUS_STARTING;
	m->state.monitor_pid = getpid();
	r = m->backend->plan(&b->spec, &b->facts, &m->plan, e);
	if (r == 0)
		r = m->backend->start(b, &m->plan, m->loop, &m->events, &m->state, &m->running, e);
	save_state(m);
	return r;
}

/* --- the end */

/* With --rm and nobody attached, the instance's record is ours to remove: we become the command that does. */
static void become_remover(struct monitor *m)
{
	const struct boot *b = &m->boot;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execl(b->ketch, "ketch", "--root", b->root, "--run-root", b->run_root, "rm", b->spec.id,
	      (char *)NULL);
}

static void wind_up(struct monitor *m)
{
	struct err e;
	struct msg last;
	bool alone;

	m->backend->release(m->running);
	m->log = log_close(m->log);
	save_exit(m);
	news_ended(&m->news, &m->state);
	remove_tree(boot_fd(&m->boot, "run-root"), m->boot.spec.id);
	alone = !relay_has_first_client(m->relay);
	close(m->lock_fd);
	if (msg_peek(&m->last, PEER_MONITOR, &last, &e) == 1)
		relay_finish(m->relay, &last, LAST_WORDS_MS);
	if (m->boot.spec.auto_remove && alone)
		become_remover(m);
}

int monitor_run(int fd)
{
	struct monitor *m = calloc(1, sizeof(*m));
	struct err e = { 0 };
	int r;

	if (!m)
		return 125;
	signal(SIGPIPE, SIG_IGN);
	r = read_boot(fd, &m->boot, &e);
	if (r == 0)
		r = take_fds(m, &e);
	if (r < 0)
		return 125; /* nobody to tell: the engine sees its connection end */
	r = set_up(m, &e);
	if (r < 0)
		return 125;
	r = start_backend(m, &e);
	if (r < 0)
		on_backend_ended(m, &e);
	else
		loop_run(m->loop);
	wind_up(m);
	return 0;
}
