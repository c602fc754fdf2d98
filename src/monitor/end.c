/* end.c - the end of an instance, and of its monitor; or what begins again
 *
 * The order is told in monitor.c.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "instance/exit_record.h"
#include "monitor/monitor_int.h"
#include "monitor/ports.h"
#include "monitor/restart.h"
#include "sys/rtnetlink.h"

#define LAST_WORDS_MS 5000

/* --- records */

static void note_end(struct monitor *m)
{
	m->state.status = STATUS_EXITED;
	m->state.finished_ns = clock_real_ns();
	m->state.pid = 0;
	strv_done(&m->state.cgroups);
}

static void save_exit(struct monitor *m)
{
	m->state.status = STATUS_EXITED;
	m->state.monitor_pid = 0;
	exit_record_write(m->dir_fd, &m->state, !m->boot.spec.auto_remove);
}

/* --- what it becomes */

static void unblock_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* With --rm and nobody attached, the instance's record is ours to remove: we become the command that does. */
static void become_remover(struct monitor *m)
{
	const struct boot *b = &m->boot;

	unblock_signals();
	execl(b->ketch, "ketch", "--root", b->root, "--run-root", b->run_root, "rm", b->spec.id,
	      (char *)NULL);
}

/* What it had on networks the command takes back that looks after the records; nobody waits for it: the kernel takes ten
 * milliseconds to forget a rule.  remove: and then the instance, as the remover. */
static void become_releaser(struct monitor *m, bool remove)
{
	const struct boot *b = &m->boot;

	unblock_signals();
	execl(b->ketch, "ketch", "--root", b->root, "--run-root", b->run_root, "network-release", b->spec.id,
	      remove ? "rm" : NULL, (char *)NULL);
}

/* A veth goes with the network namespace that it leads to, but somebody else may be in that. */
static void remove_links(const struct net_spec *n)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	autoclose int rt = nl_open(NETLINK_ROUTE);

	for (size_t i = 0; i < n->n_attachments; i++)
		if (n->attachments[i].given.link)
			rt_link_remove(&b, &(struct rt_link){ .name = n->attachments[i].given.link });
	if (rt >= 0)
		nl_run(rt, &b, NULL);
}

static void leave_networks(struct monitor *m, bool remove)
{
	if (m->boot.spec.network != NETWORK_ATTACHED || m->boot.files_only)
		return;
	remove_links(&m->boot.spec.net);
	become_releaser(m, remove);
}

/* The command that starts the instance, with the lock as an argument. */
static void become_starter(struct monitor *m)
{
	const struct boot *b = &m->boot;
	char lock[16];

	snprintf(lock, sizeof(lock), "%d", m->lock_fd);
	if (fd_set_cloexec(m->lock_fd, false) < 0)
		return;
	unblock_signals();
	execl(b->ketch, "ketch", "--root", b->root, "--run-root", b->run_root, "start-locked", b->spec.id,
	      lock, (char *)NULL);
	fd_set_cloexec(m->lock_fd, true);
	monitor_set_error(m, "it could not be started again: the program ketch cannot be executed");
}

static void say_last(struct monitor *m)
{
	struct err e;
	struct msg last;

	if (msg_peek(&m->last, PEER_MONITOR, &last, &e) == 1)
		relay_finish(m->relay, &last, LAST_WORDS_MS);
}

/* Does the policy have it run again?  Not what never ran. */
static int ms_to_restart(const struct monitor *m)
{
	return m->stopping || !m->state.started_ns ? -1 : restart_wait_ms(&m->boot.spec.restart, &m->state);
}

/* true: the time has come; false: it was ended meanwhile. */
static bool wait_to_restart(struct monitor *m, int ms)
{
	struct itimerspec t = { .it_value = { ms / 1000, ms % 1000 * 1000000L } };

	m->state.status = STATUS_RESTARTING;
	m->state.restarts++;
	m->state.backoff_ms = ms;
	monitor_save_state(m);
	say_last(m);
	timerfd_settime(m->timer.fd, 0, &t, NULL);
	loop_run(m->loop);
	return !m->stopping;
}

static void release(struct monitor *m)
{
	m->backend->release(m->running);
	m->running = NULL;
	m->log = log_close(m->log);
	note_end(m);
	news_ended(&m->news, &m->state);
}

void monitor_give_up(struct monitor *m, const struct err *why)
{
	AUTO(buf_done) struct buf last = { 0 };

	m->state.exit_code = 125;
	monitor_set_error(m, why->msg);
	note_end(m);
	if (!m->boot.files_only)
		save_exit(m);
	ports_let_go(&m->boot);
	remove_tree(boot_fd(&m->boot, "run-root"), m->boot.spec.id);
	close(m->lock_fd);
	msg_put_u32(&last, MSG_HELLO, 0, MSG_VERSION);
	msg_put_text(&last, MSG_FAILED, 0, 125, why->msg);
	if (buf_ok(&last))
		write_full(boot_fd(&m->boot, "client"), last.data, last.len);
	leave_networks(m, false);
}

void monitor_wind_up(struct monitor *m)
{
	bool alone;
	int ms;

	release(m);
	ms = ms_to_restart(m);
	if (ms >= 0 && wait_to_restart(m, ms))
		become_starter(m);
	ports_let_go(&m->boot); /* whoever hears of the end may want them at once */
	if (!m->boot.files_only)
		save_exit(m);
	remove_tree(boot_fd(&m->boot, "run-root"), m->boot.spec.id);
	alone = !relay_has_first_client(m->relay);
	close(m->lock_fd);
	say_last(m);
	m->relay = relay_free(m->relay); /* who waits for the end of the connection waits for no link to go */
	leave_networks(m, m->boot.spec.auto_remove && alone);
	if (m->boot.spec.auto_remove && alone && !m->boot.files_only)
		become_remover(m);
}
