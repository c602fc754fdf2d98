/* test_health.c - checks go on, whatever the back end makes of one */
#include "../cm.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "monitor/monitor_int.h"

#define MS	(NS_PER_S / 1000)
#define LATE_MS 10000 /* for an event that comes in a few milliseconds */

struct fixture {
	struct monitor m;
	unsigned starts, kills; /* what the back end got */
};

/* Only of the type that the monitor hands through. */
static struct fixture *fixture_of(struct running *r)
{
	return (struct fixture *)r;
}

static void on_send(struct running *r, const struct msg *m)
{
	struct fixture *f = fixture_of(r);

	f->starts += m->type == MSG_START;
	f->kills += m->type == MSG_SIGNAL && msg_u32(m, 0) == SIGKILL;
}

static const struct backend backend = { .name = "none", .send = on_send };

static int set_up(void **state)
{
	static char cmd[] = "CMD", word[] = "true";
	static char *test[] = { cmd, word, NULL };
	struct fixture *f = calloc(1, sizeof(*f));
	struct monitor *m = &f->m;

	m->boot.spec.health = (struct image_healthcheck){
		.test = { .v = test, .n = 2 },
		.interval_ns = MS,
		.timeout_ns = MS,
		.start_period_ns = MS,
		.retries = 3,
	};
	m->run_fd = m->news.dir = -1;
	m->loop = loop_new();
	m->backend = &backend;
	m->running = (struct running *)f;
	m->main_started = true;
	m->state.status = STATUS_RUNNING;
	m->relay_ops = monitor_relay_ops;
	m->relay_ops.arg = m;
	m->relay = relay_new(m->loop, &m->relay_ops, NULL);
	monitor_health_start(m);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	struct monitor *m = &f->m;

	relay_free(m->relay);
	loop_del(m->loop, &m->health.timer);
	loop_free(m->loop);
	json_done(&health_state_table, &m->state.health);
	free(f);
	return 0;
}

static void await(struct fixture *f, const unsigned *what, unsigned n)
{
	int64_t end = clock_mono_ns() + LATE_MS * MS;

	while (*what < n && clock_mono_ns() < end)
		loop_once(f->m.loop, 100);
	assert_true(*what >= n);
}

/* A check that ends would arm the timer again; one is never heard of. */
static void a_check_that_could_not_be_killed_is_killed_again(void **state)
{
	struct fixture *f = *state;

	await(f, &f->starts, 1);
	await(f, &f->kills, 3);
	assert_int_equal(f->starts, 1);
}

/* Whose answer is under way: nothing can begin in what is about to stand still. */
static void a_pause_under_way_is_no_failure_and_no_end_of_checks(void **state)
{
	struct fixture *f = *state;

	f->m.pauses = 1;
	for (unsigned i = 0; i < 20; i++)
		loop_once(f->m.loop, 100);
	assert_int_equal(f->starts, 0);
	assert_int_equal(f->m.state.health.n_results, 0);
	f->m.pauses = 0;
	await(f, &f->starts, 1);
}

#define HEALTH_TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HEALTH_TEST(a_check_that_could_not_be_killed_is_killed_again),
		HEALTH_TEST(a_pause_under_way_is_no_failure_and_no_end_of_checks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
