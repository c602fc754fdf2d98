/* pool_give.c - the half of `ketch-net pool` without rights: it holds the ports that are ready, and hands them out
 *
 * Nobody tells it anything: who connects gets a port, or the end of the stream where none is ready.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "network/jail.h"
#include "network/pool_int.h"
#include "sys/confine.h"
#include "sys/scm.h"

/* Who was given one goes on with his start, and would have to share processors and the kernel's locks with whoever makes
 * another: so that is made when the start is over, or sooner where few are left.  Not at a low priority instead: it would be
 * kept waiting with the kernel's lock of all links in its hand, and everybody behind it. */
#define QUIET_MS  25
#define SOON_MS	  5
#define NS_PER_MS (NS_PER_S / 1000)

struct stock {
	const struct pool_giver *g;
	struct {
		struct pool_message what;
		int fd;
	} ready[POOL_MAX];
	uint32_t n;
	bool wanted; /* the maker is at work */
	int64_t next_ns; /* when he may be, at the earliest */
};

/* --- its jail */

static int seal(void)
{
	static const int calls[] = { SYS_poll,	       SYS_accept4,   SYS_sendmsg,	   SYS_sendto,
				     SYS_recvmsg,      SYS_close,     SYS_restart_syscall, SYS_clock_gettime,
				     SYS_rt_sigreturn, SYS_exit_group };
	struct filter f;

	filter_begin(&f);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		filter_allow(&f, (uint32_t)calls[i]);
	filter_kill(&f);
	return filter_enter(&f);
}

static int enter_jail(const struct pool_giver *g)
{
	const int fds[] = { g->link_fd, g->socket_fd, g->lock_fd, g->events_fd };

	return jail_enter(&(struct jail){ .fds = fds,
					  .n_fds = ARRAY_LEN(fds),
					  .opens = POOL_MAX,
					  .uid = JAIL_UID_WORKER,
					  .seal = seal });
}

/* --- its work */

static void wait_ms(struct stock *s, int ms)
{
	int64_t then = clock_mono_ns() + ms * NS_PER_MS;

	if (then > s->next_ns)
		s->next_ns = then;
}

/* For poll(2). */
static int ms_left(const struct stock *s)
{
	int64_t left = s->next_ns - clock_mono_ns();

	return left <= 0 ? 0 : (int)(left / NS_PER_MS) + 1;
}

static void hand_out(struct stock *s)
{
	int to = accept4(s->g->socket_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (to < 0)
		return;
	if (s->n) {
		s->n--;
		scm_send(to, s->ready[s->n].fd, &s->ready[s->n].what, sizeof(s->ready[s->n].what));
		close(s->ready[s->n].fd); /* never again: who did not get it had it all the same */
	}
	close(to);
	wait_ms(s, s->n < s->g->size / 2 ? SOON_MS : QUIET_MS);
}

static void take_in(struct stock *s)
{
	struct pool_message m = { 0 };
	int fd;
	ssize_t n = scm_read(s->g->link_fd, &m, sizeof(m), &fd);

	if (n != sizeof(m) || fd < 0 || s->n == s->g->size)
		_exit(0);
	s->ready[s->n].what = m;
	s->ready[s->n++].fd = fd;
	s->wanted = false;
	wait_ms(s, SOON_MS);
}

static void want_one(struct stock *s)
{
	if (send(s->g->link_fd, "", 1, MSG_NOSIGNAL) < 0)
		_exit(0);
	s->wanted = true;
}

void pool_give(const struct pool_giver *g)
{
	static struct stock s;
	struct pollfd p[] = { { g->events_fd, POLLIN, 0 },
			      { g->link_fd, POLLIN, 0 },
			      { g->socket_fd, POLLIN, 0 } };

	s.g = g;
	if (enter_jail(g) < 0)
		_exit(1);
	wait_ms(&s, SOON_MS);
	for (;;) {
		bool wants = !s.wanted && s.n < g->size;
		int r = poll(p, ARRAY_LEN(p), wants ? ms_left(&s) : -1);

		if (r < 0 && errno != EINTR)
			_exit(1);
		if (r == 0)
			want_one(&s);
		if (r <= 0)
			continue;
		if (p[0].revents)
			_exit(0);
		if (p[1].revents)
			take_in(&s);
		if (p[2].revents)
			hand_out(&s);
	}
}
