/* test_rng.c - the entropy device: fills what it is given, and not more */
#include "rig.h"

#include "virtio/rng.h"

static struct rng rng;

static int set_up(void **state)
{
	struct rig *r = rig_new();

	assert_int_equal(rng_init(&rng, &r->ram, r->loop), 0);
	rig_start(r, &rng.dev, 0);
	*state = r;
	return 0;
}

static int tear_down(void **state)
{
	rng_done(&rng);
	rig_free(*state);
	return 0;
}

static unsigned zeroes(const uint8_t *p, size_t n)
{
	unsigned k = 0;

	while (n--)
		k += !*p++;
	return k;
}

static void it_is_an_entropy_device(void **state)
{
	struct rig *r = *state;

	assert_int_equal(rig_get(r, R_DEVICE_ID), 4);
	rig_set(r, R_QUEUE_SEL, 1);
	assert_int_equal(rig_get(r, R_QUEUE_NUM_MAX), 0);
}

static void buffers_are_filled_with_random_bytes(void **state)
{
	struct rig *r = *state;
	uint64_t a = rig_alloc(r, 300, 1), b = rig_alloc(r, 300, 1);
	uint16_t first = rig_add(r, 0, &(struct rig_buf){ a, 256, true }, 1);
	uint16_t second =
		rig_add_indirect(r, 0, (struct rig_buf[]){ { b, 100, true }, { b + 100, 156, true } }, 2);

	rig_kick(r, 0);
	assert_int_equal(rig_wait(r, 0, first), 256);
	assert_int_equal(rig_wait(r, 0, second), 256);
	assert_true(zeroes(rig_at(r, a), 256) < 32);
	assert_true(zeroes(rig_at(r, b), 256) < 32);
	assert_memory_not_equal(rig_at(r, a), rig_at(r, b), 256);
	assert_int_equal(zeroes((uint8_t *)rig_at(r, a) + 256, 44), 44);
	assert_int_equal(zeroes((uint8_t *)rig_at(r, b) + 256, 44), 44);
	assert_int_equal(rig_interrupts(r), 1);
	assert_int_equal(rng.dev.counters.requests, 2);
}

static void a_large_buffer_is_filled_in_part(void **state)
{
	struct rig *r = *state;
	uint64_t a = rig_alloc(r, 1 << 20, 1);
	uint16_t head = rig_add(r, 0, &(struct rig_buf){ a, 1 << 20, true }, 1);
	uint32_t n;

	rig_kick(r, 0);
	n = rig_wait(r, 0, head);
	assert_true(n >= 1 && n <= 4096);
	assert_int_equal(zeroes((uint8_t *)rig_at(r, a) + n, (1 << 20) - n), (1 << 20) - n);
}

static void what_the_driver_sends_is_left_alone(void **state)
{
	struct rig *r = *state;
	uint64_t a = rig_alloc(r, 64, 1);
	uint16_t only_out = rig_add(r, 0, &(struct rig_buf){ a, 32, false }, 1);
	uint16_t both = rig_add(r, 0, (struct rig_buf[]){ { a, 32, false }, { a + 32, 32, true } }, 2);

	rig_kick(r, 0);
	assert_int_equal(rig_wait(r, 0, only_out), 0);
	assert_int_equal(rig_wait(r, 0, both), 32);
	assert_int_equal(zeroes(rig_at(r, a), 32), 32);
	assert_true(zeroes(rig_at(r, a + 32), 32) < 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_is_an_entropy_device, set_up, tear_down),
		cmocka_unit_test_setup_teardown(buffers_are_filled_with_random_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_large_buffer_is_filled_in_part, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_the_driver_sends_is_left_alone, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
