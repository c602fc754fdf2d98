/* schedule.c - snapshots of a running instance by its policy
 *
 * How it works: records are the engine's, so a snapshot is made by a command that is started as a user would start it, one
 * at a time.  Nobody waits for it: it talks to us as any client does.  While it is late, no other is begun; what is paused is
 * not snapshotted, for nothing changes.
 */
#include "monitor/schedule.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "monitor/monitor_int.h"
#include "sys/pidfd.h"

static void set_timer(struct monitor *m, int64_t first_ns)
{
	int64_t every_ns = m->boot.spec.snapshots.every_ns;
	struct itimerspec t = { .it_value = { first_ns / NS_PER_S, first_ns % NS_PER_S },
				.it_interval = { every_ns / NS_PER_S, every_ns % NS_PER_S } };

	if (m->schedule.armed)
		timerfd_settime(m->schedule.timer.fd, 0, &t, NULL); /* every 0: never */
}

/* Our standard streams lead nowhere that a user would look. */
static int start_maker(const struct boot *b, pid_t *ret)
{
	static char name[] = "ketch", root[] = "--root", run_root[] = "--run-root", due[] = "snapshot-due";
	char *const argv[] = { name, root, b->root, run_root, b->run_root, due, b->spec.id, NULL };
	posix_spawnattr_t how;
	sigset_t none;
	int r = posix_spawnattr_init(&how);

	if (r)
		return -r;
	sigemptyset(&none);
	posix_spawnattr_setsigmask(&how, &none);
	posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK);
	r = posix_spawn(ret, b->ketch, NULL, &how, argv, environ);
	posix_spawnattr_destroy(&how);
	return -r;
}

static void on_made(void *arg, uint32_t events)
{
	struct monitor *m = arg;
	int status;

	if (pidfd_reap(m->schedule.maker.fd, &status) < 0)
		return;
	loop_del(m->loop, &m->schedule.maker);
	close(m->schedule.maker.fd);
	m->schedule.making = false;
}

static void make(struct monitor *m)
{
	struct schedule *s = &m->schedule;
	pid_t pid;
	int fd;

	if (start_maker(&m->boot, &pid) < 0)
		return;
	fd = pidfd_open_pid(pid);
	s->maker = (struct watch){ .fd = fd, .events = EPOLLIN, .fn = on_made, .arg = m };
	s->making = fd >= 0 && loop_add(m->loop, &s->maker) == 0;
	if (!s->making && fd >= 0)
		close(fd);
}

static void on_timer(void *arg, uint32_t events)
{
	struct monitor *m = arg;
	uint64_t n;

	if (read(m->schedule.timer.fd, &n, sizeof(n)) != sizeof(n))
		return;
	if (!m->schedule.making && m->state.status == STATUS_RUNNING && m->running && !m->last.len)
		make(m);
}

static void arm(struct monitor *m)
{
	struct schedule *s = &m->schedule;
	int fd;

	if (s->armed)
		return;
	fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	s->timer = (struct watch){ .fd = fd, .events = EPOLLIN, .fn = on_timer, .arg = m };
	s->armed = fd >= 0 && loop_add(m->loop, &s->timer) == 0;
	if (!s->armed && fd >= 0)
		close(fd);
}

void schedule_start(struct monitor *m)
{
	if (!m->boot.spec.snapshots.every_ns)
		return;
	arm(m);
	set_timer(m, m->boot.snapshot_in_ns);
}

void schedule_change(struct monitor *m, const struct snapshot_policy *policy)
{
	int64_t was_ns = m->boot.spec.snapshots.every_ns;

	m->boot.spec.snapshots = *policy;
	m->boot.snapshot_in_ns = policy->every_ns;
	if (policy->every_ns == was_ns || m->state.status == STATUS_STARTING)
		return;
	arm(m);
	set_timer(m, policy->every_ns);
}
