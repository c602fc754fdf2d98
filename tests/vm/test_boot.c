/* test_boot.c - real virtual machines under QEMU: what a user sees of them */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit/cm.h"
#include "base/auto.h"
#include "base/io.h"
#include "box.h"

static const char *const sh_exit_7[] = { "sh", "-c", "echo out; echo err >&2; exit 7", NULL };

static void the_exit_status_and_both_outputs_come_through(void **state)
{
	struct box b;

	box_init(&b);
	assert_int_equal(box_once(&b, sh_exit_7, NULL), 7);
	assert_string_equal(b.streams[0].out.data, "out\n");
	assert_string_equal(b.streams[0].err.data, "err\n");
	box_done(&b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_exit_status_and_both_outputs_come_through),
	};
	const char *missing = box_missing();

	if (missing) {
		printf("skipped: virtual machines cannot be tested here: %s\n", missing);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
