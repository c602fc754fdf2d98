/* health.c - the checks of a running instance
 *
 * States: the timer runs for `interval`, or `start_interval` (WAITING); then a check is started and it runs for `timeout`
 * (RUNNING); the EXIT of the check ends that, after SIGKILL if need be.  What is paused, or is about to be, is not checked,
 * nor is its check ended.
 */
#include "monitor/health.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "instance/news.h"
#include "monitor/monitor_int.h"

static void set_timer(struct health *h, int64_t ns)
{
	struct itimerspec t = { .it_value = { ns / NS_PER_S, ns % NS_PER_S } };

	timerfd_settime(h->timer.fd, 0, &t, NULL);
}

static const struct image_healthcheck *check_of(const struct monitor *m)
{
	return &m->boot.spec.health;
}

static int64_t interval_of(const struct monitor *m)
{
	return health_interval(check_of(m), &m->state.health, clock_real_ns() - m->state.started_ns);
}

static void process_done(struct process *p)
{
	json_done(&process_table, p);
}

static void begin_check(struct monitor *m)
{
	AUTO(process_done) struct process p = { 0 };
	AUTO(buf_done) struct buf json = { 0 };
	struct health *h = &m->health;

	if (health_process(check_of(m), &m->boot.spec.process, &p) < 0 ||
	    json_print(&process_table, &p, 0, &json) < 0) {
		set_timer(h, interval_of(m));
		return;
	}
	h->start_ns = clock_real_ns();
	h->start_mono_ns = clock_mono_ns();
	h->timed_out = false;
	h->output.len = 0;
	h->stream = relay_begin(m->relay, &json);
	set_timer(h, h->stream ? check_of(m)->timeout_ns : interval_of(m));
}

/* Again and again: one that has not quite begun cannot be killed yet. */
static void end_late(struct monitor *m)
{
	m->health.timed_out = true;
	relay_kill(m->relay, m->health.stream);
	set_timer(&m->health, check_of(m)->timeout_ns);
}

static void on_timer(void *arg, uint32_t events)
{
	struct monitor *m = arg;
	uint64_t n;

	if (read(m->health.timer.fd, &n, sizeof(n)) != sizeof(n))
		return;
	/* what stands still cannot be late */
	if (m->health.stream && m->state.status != STATUS_PAUSED)
		end_late(m);
	else if (!m->health.stream && m->state.status == STATUS_RUNNING && !m->pauses && m->running &&
		 !m->last.len)
		begin_check(m);
	else
		set_timer(&m->health, interval_of(m));
}

void monitor_health_start(struct monitor *m)
{
	struct health *h = &m->health;

	if (!health_is_checked(check_of(m)))
		return;
	if (!h->armed) {
		int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

		h->timer = (struct watch){ .fd = fd, .events = EPOLLIN, .fn = on_timer, .arg = m };
		h->armed = fd >= 0 && loop_add(m->loop, &h->timer) == 0;
	}
	if (!h->armed)
		return;
	m->state.health.status = HEALTH_STARTING;
	set_timer(h, interval_of(m));
}

/* "health_status: healthy" */
static void tell(struct monitor *m)
{
	autofree char *action = str_printf("health_status: %s", health_names[m->state.health.status]);

	if (action)
		instance_tell(m->news.dir, &m->boot.spec, action, NULL);
}

/* Its last word, in a form that JSON can have. */
static char *take_output(struct health *h, const struct msg *msg, int64_t timeout_ns)
{
	if (h->timed_out)
		return str_printf("Health check exceeded timeout (%gs)",
				  (double)timeout_ns / (double)NS_PER_S);
	if (msg->type == MSG_FAILED)
		return msg_text(msg);
	for (size_t i = 0; i < h->output.len; i++)
		if (!h->output.data[i])
			h->output.data[i] = '?';
	return strndup(h->output.data ? h->output.data : "", h->output.len);
}

static void on_end(struct monitor *m, const struct msg *msg)
{
	struct health *h = &m->health;
	const struct health_result result = {
		.start_ns = h->start_ns,
		.end_ns = h->start_ns + clock_mono_ns() - h->start_mono_ns,
		.exit_code = h->timed_out ? -1 : (int)(msg_u32(msg, 0) & 0xff),
		.output = take_output(h, msg, check_of(m)->timeout_ns),
	};

	h->stream = 0;
	if (health_note(check_of(m), &m->state.health, &result, h->start_ns - m->state.started_ns))
		tell(m);
	monitor_save_state(m);
	set_timer(h, interval_of(m));
}

void monitor_health_message(struct monitor *m, const struct msg *msg)
{
	struct health *h = &m->health;
	size_t room = HEALTH_OUTPUT - h->output.len;

	if (msg->type == MSG_STDOUT || msg->type == MSG_STDERR)
		buf_add(&h->output, msg->data, msg->len < room ? msg->len : room);
	else if (msg->type == MSG_EXIT || msg->type == MSG_FAILED)
		on_end(m, msg);
}
