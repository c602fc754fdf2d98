/* test_subid.c - ranges of subordinate IDs, out of files of every kind */
#include "../cm.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "sys/subid.h"

static const char *const users[] = { "ketch", "root", NULL };

static bool find_in(const char *text, uint32_t least, struct subid_range *ret)
{
	char path[] = "/tmp/ketch-subid-XXXXXX";
	int fd = mkstemp(path);
	bool found;

	assert_true(fd >= 0);
	assert_int_equal(write_full(fd, text, strlen(text)), 0);
	close(fd);
	found = subid_find(path, users, least, ret);
	unlink(path);
	return found;
}

static void the_first_range_that_fits_is_taken(void **state)
{
	static const struct {
		const char *text;
		uint32_t least, first, count; /* count 0: none */
	} rows[] = {
		{ "ketch:100000:65536\n", 65536, 100000, 65536 },
		{ "somebody:100000:65536\nroot:200000:70000", 65536, 200000, 70000 },
		{ "root:100000:65535\nketch:200000:65536\n", 65536, 200000, 65536 },
		{ "root:5:65536\n", 65536, 0, 0 }, /* the host's own IDs */
		{ "root:4294967000:65536\n", 65536, 0, 0 },
		{ "root:a:65536\nroot:100000\nroot\n\n:::\nroot:1:2:3\n", 10, 0, 0 },
		{ "", 1, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct subid_range r = { 0 };

		assert_int_equal(find_in(rows[i].text, rows[i].least, &r), rows[i].count != 0);
		assert_int_equal(r.first, rows[i].first);
		assert_int_equal(r.count, rows[i].count);
	}
}

static void a_missing_file_has_none(void **state)
{
	struct subid_range r;

	assert_false(subid_find("/nonexistent/subuid", users, 1, &r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_range_that_fits_is_taken),
		cmocka_unit_test(a_missing_file_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
