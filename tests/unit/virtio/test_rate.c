/* test_rate.c - token buckets: never more than the burst and the rate allow, and never less for ever */
#include "../cm.h"

#include <stdio.h>

#include "base/auto.h"
#include "base/clock.h"
#include "virtio/rate.h"

static struct loop *loop;
static struct rate rate;
static unsigned agains;

static void again(void *arg)
{
	assert_ptr_equal(arg, &rate);
	agains++;
}

static int set_up(void **state)
{
	loop = loop_new();
	agains = 0;
	return !loop;
}

static int tear_down(void **state)
{
	rate_done(&rate);
	loop = loop_free(loop);
	return 0;
}

static bool take(uint64_t bytes)
{
	bool ready = rate_ready(&rate);

	if (ready)
		rate_charge(&rate, bytes);
	return ready;
}

static void make(struct rate_limit bytes, struct rate_limit ops)
{
	struct rate_config c = { bytes, ops };

	assert_int_equal(rate_init(&rate, &c, loop, again, &rate), 0);
}

static void wait_again(void)
{
	unsigned before = agains;
	int64_t end = clock_mono_ns() + 20 * NS_PER_S;

	assert_true(rate.waiting);
	while (agains == before && clock_mono_ns() < end)
		loop_once(loop, 100);
	assert_int_equal(agains, before + 1);
	assert_false(rate.waiting);
}

static void without_a_limit_there_is_no_timer(void **state)
{
	make((struct rate_limit){ 0, 5 }, (struct rate_limit){ 0, 5 });
	assert_int_equal(rate.timer.fd, -1);
	for (int i = 0; i < 1000; i++)
		assert_true(take(UINT64_MAX));
}

/* Whatever the machine's load: what was granted is at most the burst and what came since, and one that may owe. */
static void operations_are_limited(void **state)
{
	int64_t begin = clock_mono_ns();
	unsigned granted = 0;

	make((struct rate_limit){ 0, 0 }, (struct rate_limit){ 500, 10 });
	while (granted < 100) {
		if (take(1 << 20))
			granted++;
		else
			wait_again();
		assert_true((double)granted <= 11 + 500e-9 * (double)(clock_mono_ns() - begin));
	}
	assert_true(agains >= 1);
}

static void bytes_are_limited_and_may_be_owed(void **state)
{
	int64_t begin = clock_mono_ns();

	make((struct rate_limit){ 1000000, 1000 }, (struct rate_limit){ 0, 0 });
	assert_true(take(100000)); /* a hundred bursts at once */
	assert_false(take(1));
	wait_again();
	assert_true(clock_mono_ns() - begin >= 99 * (NS_PER_S / 1000));
	assert_true(take(1));
}

static void the_stricter_limit_counts(void **state)
{
	make((struct rate_limit){ 1, 100 }, (struct rate_limit){ 1000000, 1000000 });
	assert_true(take(100));
	assert_false(take(0));
	rate_done(&rate);
	make((struct rate_limit){ 1000000, 1000000 }, (struct rate_limit){ 1, 1 });
	assert_true(take(100));
	assert_false(take(0));
}

static void no_figure_is_too_large(void **state)
{
	static const uint64_t v[] = { 1, 2, 65535, UINT32_MAX, UINT64_C(1) << 53, INT64_MAX, UINT64_MAX };

	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		for (size_t k = 0; k < ARRAY_LEN(v); k++)
			for (size_t n = 0; n < ARRAY_LEN(v); n++) {
				make((struct rate_limit){ v[i], v[k] }, (struct rate_limit){ v[k], v[i] });
				assert_true(take(v[n]));
				rate.bytes.at_ns = 0; /* since the machine booted */
				for (int t = 0; t < 20 && take(v[n]); t++)
					continue;
				assert_true(rate.bytes.level <= (int64_t)RATE_MOST);
				rate_done(&rate);
			}
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(without_a_limit_there_is_no_timer),
		T(operations_are_limited),
		T(bytes_are_limited_and_may_be_owed),
		T(the_stricter_limit_counts),
		T(no_figure_is_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
