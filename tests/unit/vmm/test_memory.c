/* test_memory.c - the RAM of a machine: what cannot be had is refused at the beginning */
#include "../cm.h"

#include <errno.h>
#include <stdio.h>

#include "vmm/layout.h"
#include "vmm/memory.h"

#define HUGE_BYTES (UINT64_C(2) << 20)

static uint64_t free_huge_pages(void)
{
	unsigned long n = 0;
	char line[128];
	FILE *f = fopen("/proc/meminfo", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "HugePages_Free: %lu", &n) == 1)
			break;
	if (f)
		fclose(f);
	return n;
}

static void ram_has_a_hole_below_4_gib(void **state)
{
	struct ram r;
	struct err e = { 0 };

	assert_int_equal(memory_make(LOW_RAM_END + HUGE_BYTES, false, &r, &e), 0);
	assert_int_equal(r.n, 2);
	assert_non_null(ram_at(&r, LOW_RAM_END - 1, 1));
	assert_null(ram_at(&r, LOW_RAM_END - 1, 2));
	assert_null(ram_at(&r, LOW_RAM_END, 1));
	assert_non_null(ram_at(&r, HIGH_RAM_BASE, HUGE_BYTES));
	assert_null(ram_at(&r, HIGH_RAM_BASE, HUGE_BYTES + 1));
	memory_free(&r);
}

static void half_pages_are_refused(void **state)
{
	struct ram r;
	struct err e = { 0 };

	assert_int_equal(memory_make(0, false, &r, &e), -EINVAL);
	assert_int_equal(memory_make(HUGE_BYTES + 4096, false, &r, &e), -EINVAL);
}

/* Otherwise the machine would run until a page is touched that is not there, and end by SIGBUS. */
static void more_huge_pages_than_there_are_is_an_error_now(void **state)
{
	struct ram r;
	struct err e = { 0 };

	assert_true(memory_make((free_huge_pages() + 1) * HUGE_BYTES, true, &r, &e) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ram_has_a_hole_below_4_gib),
		cmocka_unit_test(half_pages_are_refused),
		cmocka_unit_test(more_huge_pages_than_there_are_is_an_error_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
