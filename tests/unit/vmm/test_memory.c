/* test_memory.c - the RAM of a machine: what cannot be had is refused at the beginning */
#include "../cm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

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

static void check_hole(enum memory_kind kind)
{
	struct ram r;
	struct err e = { 0 };

	assert_int_equal(memory_make(LOW_RAM_END + HUGE_BYTES, kind, &r, &e), 0);
	assert_int_equal(r.n, 2);
	assert_non_null(ram_at(&r, LOW_RAM_END - 1, 1));
	assert_null(ram_at(&r, LOW_RAM_END - 1, 2));
	assert_null(ram_at(&r, LOW_RAM_END, 1));
	assert_non_null(ram_at(&r, HIGH_RAM_BASE, HUGE_BYTES));
	assert_null(ram_at(&r, HIGH_RAM_BASE, HUGE_BYTES + 1));
	assert_int_equal(*(uint8_t *)ram_at(&r, HIGH_RAM_BASE + HUGE_BYTES - 1, 1), 0);
	memory_free(&r);
}

static void ram_has_a_hole_below_4_gib(void **state)
{
	check_hole(MEMORY_OWN);
	check_hole(MEMORY_SHARED);
}

static void ram_of_ones_own_is_no_file_and_starts_at_a_whole_step(void **state)
{
	struct ram r;
	struct err e = { 0 };

	for (int i = 0; i < 8; i++) {
		void *odd =
			mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); /* moves the next */

		assert_int_equal(memory_make(HUGE_BYTES, MEMORY_OWN, &r, &e), 0);
		assert_int_equal(r.fd, -1);
		assert_int_equal((uintptr_t)r.slots[0].host % HUGE_BYTES, 0);
		memset(r.slots[0].host, 1, HUGE_BYTES);
		memory_free(&r);
		munmap(odd, 4096);
	}
}

static void half_pages_are_refused(void **state)
{
	struct ram r;
	struct err e = { 0 };

	assert_int_equal(memory_make(0, MEMORY_SHARED, &r, &e), -EINVAL);
	assert_int_equal(memory_make(HUGE_BYTES + 4096, MEMORY_OWN, &r, &e), -EINVAL);
}

/* Otherwise the machine would run until a page is touched that is not there, and end by SIGBUS. */
static void more_huge_pages_than_there_are_is_an_error_now(void **state)
{
	struct ram r;
	struct err e = { 0 };

	assert_true(memory_make((free_huge_pages() + 1) * HUGE_BYTES, MEMORY_HUGE, &r, &e) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ram_has_a_hole_below_4_gib),
		cmocka_unit_test(ram_of_ones_own_is_no_file_and_starts_at_a_whole_step),
		cmocka_unit_test(half_pages_are_refused),
		cmocka_unit_test(more_huge_pages_than_there_are_is_an_error_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
