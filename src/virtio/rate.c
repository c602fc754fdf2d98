/* rate.c - how much a device may do in a second */
#include "virtio/rate.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"

#define BURST_DIVISOR 10 /* of a second's tokens, where no burst is given */
#define SHORTEST_NS   1000000 /* of the timer: what comes in a millisecond is worth waking up for */

static void bucket_init(struct rate_bucket *b, struct rate_limit l, int64_t now_ns)
{
	l.per_second = l.per_second < RATE_MOST ? l.per_second : RATE_MOST;
	l.burst = l.burst < RATE_MOST ? l.burst : RATE_MOST;
	if (!l.burst)
		l.burst = l.per_second / BURST_DIVISOR + 1;
	*b = (struct rate_bucket){ .limit = l, .level = (int64_t)l.burst, .at_ns = now_ns };
}

static void refill(struct rate_bucket *b, int64_t now_ns)
{
	__int128 got;

	if (!b->limit.per_second || now_ns <= b->at_ns)
		return;
	got = (__int128)(now_ns - b->at_ns) * (int64_t)b->limit.per_second + b->rest;
	b->at_ns = now_ns;
	b->rest = (int64_t)(got % NS_PER_S);
	got = got / NS_PER_S + b->level;
	b->level = got < (int64_t)b->limit.burst ? (int64_t)got : (int64_t)b->limit.burst;
}

/* Until there is a token. */
static int64_t wait_ns(const struct rate_bucket *b)
{
	__int128 missing = 1 - (__int128)b->level;

	if (!b->limit.per_second || missing <= 0)
		return 0;
	missing = missing * NS_PER_S / (int64_t)b->limit.per_second + 1;
	return missing < INT64_MAX ? (int64_t)missing : INT64_MAX;
}

static void take(struct rate_bucket *b, uint64_t n)
{
	if (b->limit.per_second)
		b->level -= (int64_t)(n < RATE_MOST ? n : RATE_MOST);
}

static void on_timer(void *arg, uint32_t events)
{
	struct rate *r = arg;
	uint64_t n;

	if (read(r->timer.fd, &n, sizeof(n)) != sizeof(n))
		return;
	r->waiting = false;
	r->again(r->arg);
}

int rate_init(struct rate *r, const struct rate_config *c, struct loop *loop, void (*again)(void *arg),
	      void *arg)
{
	int64_t now = clock_mono_ns();
	int e;

	*r = (struct rate){ .loop = loop, .again = again, .arg = arg };
	bucket_init(&r->bytes, c->bytes, now);
	bucket_init(&r->ops, c->ops, now);
	r->timer = (struct watch){ .fd = -1, .events = EPOLLIN, .fn = on_timer, .arg = r };
	if (!c->bytes.per_second && !c->ops.per_second)
		return 0;
	r->timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (r->timer.fd < 0)
		return -errno;
	e = loop_add(loop, &r->timer);
	if (e < 0)
		rate_done(r);
	return e;
}

void rate_done(struct rate *r)
{
	if (r->timer.fd < 0)
		return;
	loop_del(r->loop, &r->timer);
	close(r->timer.fd);
	r->timer.fd = -1;
}

/* True when it runs; without it nobody would go on. */
static bool start_timer(const struct rate *r, int64_t ns)
{
	struct itimerspec t = { 0 };

	ns = ns > SHORTEST_NS ? ns : SHORTEST_NS;
	t.it_value.tv_sec = ns / NS_PER_S;
	t.it_value.tv_nsec = ns % NS_PER_S;
	return timerfd_settime(r->timer.fd, 0, &t, NULL) == 0;
}

bool rate_ready(struct rate *r)
{
	int64_t now, bytes_ns, ops_ns;

	if (r->timer.fd < 0)
		return true;
	if (r->waiting)
		return false;
	now = clock_mono_ns();
	refill(&r->bytes, now);
	refill(&r->ops, now);
	bytes_ns = wait_ns(&r->bytes);
	ops_ns = wait_ns(&r->ops);
	if (bytes_ns || ops_ns)
		r->waiting = start_timer(r, bytes_ns > ops_ns ? bytes_ns : ops_ns);
	return !r->waiting;
}

void rate_charge(struct rate *r, uint64_t bytes)
{
	take(&r->bytes, bytes);
	take(&r->ops, 1);
}
