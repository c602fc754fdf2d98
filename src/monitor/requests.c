/* requests.c - what is asked of a running instance: signals, stop, pause, processes and their input */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/auto.h"
#include "instance/update.h"
#include "monitor/monitor_int.h"
#include "monitor/ports.h"

#define MAX_EARLY (2 * MSG_WINDOW) /* that waits for the instance to begin: no further process then */
#define FORCE_S	  6 /* less than CONTROL_GRACE_S of the engine: for the same, once the time of a stop is over */
#define KILL_S	  10 /* for a process to die of SIGKILL, and a guest to power off */

/* --- pause: asked of the back end, which answers in order */

static void ask_pause(struct monitor *m, bool pause)
{
	AUTO(buf_done) struct buf b = { 0 };
	struct err e;
	struct msg msg;

	msg_put_u32(&b, MSG_PAUSE, 0, pause);
	if (msg_peek(&b, PEER_MONITOR, &msg, &e) != 1)
		return;
	m->wants_pause = pause;
	m->pauses++;
	m->backend->send(m->running, &msg);
}

void monitor_on_paused(struct monitor *m, const struct msg *msg)
{
	autofree char *text = msg_text(msg);
	int no = (int)msg_u32(msg, 0);

	if (m->pauses)
		m->pauses--;
	if (!m->pauses && !no && !m->last.len) {
		m->state.status = m->wants_pause ? STATUS_PAUSED : STATUS_RUNNING;
		monitor_save_state(m);
		news_paused(&m->news, m->wants_pause);
	}
	relay_paused(m->relay, no, text ? text : "");
}

static int pause_instance(void *arg, bool pause)
{
	struct monitor *m = arg;

	if (m->state.status == STATUS_RESTARTING)
		return -EAGAIN;
	if (m->stopping || (m->state.status != STATUS_RUNNING && m->state.status != STATUS_PAUSED))
		return -ESRCH;
	if (m->pauses)
		return -EBUSY;
	if (pause == (m->state.status == STATUS_PAUSED))
		return pause ? -EALREADY : -EINVAL;
	ask_pause(m, pause);
	return 0;
}

/* What stands still can neither hear a signal nor, here and there, die. */
static void thaw(struct monitor *m)
{
	if (m->running && (m->state.status == STATUS_PAUSED || (m->pauses && m->wants_pause)))
		ask_pause(m, false);
}

/* --- processes, signals, stop */

/* Ends it before its main process began. */
void monitor_abandon(struct monitor *m, unsigned status, const char *text)
{
	if (!m->last.len)
		msg_put_text(&m->last, MSG_FAILED, 0, status, text);
	m->state.exit_code = (int)status;
	monitor_set_error(m, text);
	m->backend->kill(m->running);
}

/* In what state nothing can be begun inside; NULL: it can.  Files of a paused container are reached by a process that does
 * not stand still with it; of a machine everything stands still. */
static const char *why_not_begin(const struct monitor *m, enum msg_type type)
{
	bool paused = m->state.status == STATUS_PAUSED || m->pauses;

	if (paused && type == MSG_START)
		return "the container is paused, unpause the container before exec";
	if (paused && m->boot.spec.isolation == ISOLATION_VM)
		return "a machine that is paused cannot reach its files: unpause it first";
	return m->running ? NULL : "the container is restarting, wait until the container is running";
}

static void refuse_begin(struct monitor *m, uint32_t stream, const char *text)
{
	AUTO(buf_done) struct buf b = { 0 };
	struct err e;
	struct msg failed;

	msg_put_text(&b, MSG_FAILED, stream, 1, text);
	if (msg_peek(&b, PEER_MONITOR, &failed, &e) == 1)
		relay_from_backend(m->relay, &failed);
}

/* Its policy does not start again what a user has ended; nor does it when the host goes down, but then a reboot does. */
static void end_for_good(struct monitor *m, bool by_user)
{
	m->stopping = true;
	m->state.stopped_by_user |= by_user;
	monitor_save_state(m);
	if (m->state.status == STATUS_RESTARTING)
		loop_stop(m->loop);
}

static bool is_ending_signal(const struct monitor *m, int signo)
{
	return signo == SIGKILL || signo == SIGTERM || signo == SIGINT || signo == m->boot.spec.stop_signal;
}

/* The policy is the monitor's own.  While it waits to restart there is nobody to set limits: the next start reads the
 * record. */
static void take_update(struct monitor *m, const struct msg *msg)
{
	struct instance_update up = { 0 };

	if (json_parse(&instance_update_table, msg->data, msg->len, 0, &up, NULL) == 0) {
		m->boot.spec.restart = up.restart;
		schedule_change(m, &up.snapshots);
	}
	json_done(&instance_update_table, &up);
	if (m->main_started && !m->running)
		relay_from_backend(m->relay, &(struct msg){ MSG_UPDATE_REPLY, 0, "\0\0\0", 4 });
}

/* Nothing of a stream that was taken on is lost: what waits of its input is a window at most. */
static void send_later(struct monitor *m, const struct msg *msg)
{
	if (m->early.len >= MAX_EARLY && msg_begins_stream(msg->type))
		refuse_begin(m, msg->stream,
			     "too much waits already for the instance to begin: try again then");
	else
		msg_put(&m->early, msg->type, msg->stream, msg->data, msg->len);
}

/* To the back end, as soon as there is somebody to hear it. */
static void send_down(struct monitor *m, const struct msg *msg)
{
	const char *why_not = msg_begins_stream(msg->type) ? why_not_begin(m, msg->type) : NULL;
	bool is_signal = msg->type == MSG_SIGNAL && !msg->stream;

	if (msg->type == MSG_UPDATE)
		take_update(m, msg);
	if (why_not)
		refuse_begin(m, msg->stream, why_not);
	else if (m->main_started && m->running)
		m->backend->send(m->running, msg);
	else if (m->main_started)
		return;
	else if (is_signal)
		monitor_abandon(m, 128 + (msg_u32(msg, 0) & 0x7f), "stopped before its command began");
	else
		send_later(m, msg);
}

static void on_user_signal(struct monitor *m, int signo)
{
	news_signal(&m->news, signo);
	if (is_ending_signal(m, signo))
		end_for_good(m, true);
	if (signo == SIGKILL)
		thaw(m);
}

static void relay_down(void *arg, const struct msg *msg)
{
	struct monitor *m = arg;

	if (msg->type == MSG_SIGNAL && !msg->stream)
		on_user_signal(m, (int)msg_u32(msg, 0));
	send_down(m, msg);
}

static void signal_main(struct monitor *m, int signo)
{
	AUTO(buf_done) struct buf b = { 0 };
	struct err e;
	struct msg msg;

	msg_put_u32(&b, MSG_SIGNAL, 0, (uint32_t)signo);
	if (msg_peek(&b, PEER_MONITOR, &msg, &e) == 1)
		send_down(m, &msg);
}

static void set_timer(struct monitor *m, unsigned seconds)
{
	struct itimerspec t = { .it_value = { .tv_sec = seconds, .tv_nsec = 1 } };

	timerfd_settime(m->timer.fd, 0, &t, NULL);
}

/* Its time is over.  First its main process is killed where it is, so that the rest ends in order and a guest writes to its
 * disk what it was told to keep; what has not ended then is ended from outside. */
static void end_by_force(struct monitor *m)
{
	if (m->forced) {
		m->backend->kill(m->running);
		return;
	}
	m->forced = true;
	set_timer(m, FORCE_S);
	signal_main(m, SIGKILL);
}

static void begin_stop(struct monitor *m, int signo, unsigned timeout_s)
{
	if (!m->running)
		return;
	m->news.stopped = true;
	news_signal(&m->news, signo);
	thaw(m);
	if (m->boot.files_only)
		monitor_end_in_order(m);
	else
		signal_main(m, signo); /* ends one that has not begun */
	if (timeout_s)
		set_timer(m, timeout_s);
	else if (signo == SIGKILL || m->boot.files_only)
		m->backend->kill(m->running);
	else
		end_by_force(m);
}

static void stop_instance(void *arg, int signo, unsigned timeout_s)
{
	struct monitor *m = arg;

	end_for_good(m, true);
	begin_stop(m, signo, timeout_s);
}

void monitor_on_timer(void *arg, uint32_t events)
{
	struct monitor *m = arg;
	uint64_t n;

	if (read(m->timer.fd, &n, sizeof(n)) != sizeof(n))
		return;
	if (m->running)
		end_by_force(m);
	else
		loop_stop(m->loop);
}

/* --timeout: the main process is killed; what does not end then is as stuck as in `ketch stop`. */
void monitor_on_time_limit(void *arg, uint32_t events)
{
	struct monitor *m = arg;
	uint64_t n;

	if (read(m->time_limit.fd, &n, sizeof(n)) == sizeof(n))
		begin_stop(m, SIGKILL, KILL_S);
}

static void on_exec(void *arg, uint32_t id, const struct msg *msg)
{
	struct monitor *m = arg;

	news_exec(&m->news, id, msg);
}

static void on_own(void *arg, uint32_t id, const struct msg *msg)
{
	monitor_health_message(arg, msg);
}

static void on_client_settled(void *arg, bool attached)
{
	struct monitor *m = arg;

	m->client_settled = true;
	if (m->boot.files_only)
		monitor_end_in_order(m); /* the client has what it came for */
	else if (m->boot.blank && m->running)
		m->backend->kill(m->running); /* nothing in it is to be kept any more */
	else if (attached)
		monitor_start_main(m);
	else
		monitor_abandon(m, 125, "the command that started it was killed");
}

/* SIGTERM: the host goes down; the instance is stopped as `ketch stop` would, but not by its user. */
void monitor_on_signal(void *arg, uint32_t events)
{
	struct monitor *m = arg;
	struct signalfd_siginfo si;

	if (read(m->signals.fd, &si, sizeof(si)) != sizeof(si))
		return;
	end_for_good(m, false);
	begin_stop(m, m->boot.spec.stop_signal, (unsigned)m->boot.spec.stop_timeout_s);
}

static bool is_paused(void *arg)
{
	const struct monitor *m = arg;

	return m->state.status == STATUS_PAUSED;
}

static int on_port(void *arg, enum port_step step, const char *name, int fd)
{
	struct monitor *m = arg;

	return ports_change(&m->boot, step, name, fd);
}

const struct relay_ops monitor_relay_ops = {
	.to_backend = relay_down,
	.stop = stop_instance,
	.pause = pause_instance,
	.is_paused = is_paused,
	.port = on_port,
	.exec = on_exec,
	.own = on_own,
	.first_client_settled = on_client_settled,
};
