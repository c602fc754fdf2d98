/* test_path.c - what is in a directory; where an open file is */
#include "../cm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"
#include "base/strv.h"

static void names_are_listed_in_order_without_hidden_ones(void **state)
{
	char path[] = "/tmp/ketch-path.XXXXXX";
	AUTO(strv_done) struct strv names = { 0 };
	autoclose int dir = -1;

	assert_non_null(mkdtemp(path));
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(list_dir(dir, &names), 0);
	assert_int_equal(names.n, 0);
	assert_int_equal(mkdirat(dir, "b", 0700), 0);
	assert_int_equal(mknodat(dir, "c", S_IFREG | 0600, 0), 0);
	assert_int_equal(mknodat(dir, "a", S_IFREG | 0600, 0), 0);
	assert_int_equal(mknodat(dir, ".hidden", S_IFREG | 0600, 0), 0);
	assert_int_equal(list_dir(dir, &names), 0);
	assert_int_equal(names.n, 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(names.v[i], ((const char *[]){ "a", "b", "c" })[i]);
	remove_tree(AT_FDCWD, path);
}

static void what_is_no_directory_has_no_names(void **state)
{
	AUTO(strv_done) struct strv names = { 0 };
	autoclose int file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);

	assert_int_equal(list_dir(file, &names), -ENOTDIR);
}

static void a_descriptor_has_the_path_that_its_file_has_now(void **state)
{
	char before[] = "/tmp/ketch-test-path-XXXXXX", after[64];
	autoclose int fd = mkstemp(before);
	autofree char *first = fd_path(fd), *then = NULL;

	assert_true(fd >= 0);
	assert_string_equal(first, before);
	snprintf(after, sizeof(after), "%s.moved", before);
	assert_int_equal(rename(before, after), 0);
	then = fd_path(fd);
	assert_string_equal(then, after);
	assert_int_equal(unlink(after), 0);
	assert_null(fd_path(-1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_listed_in_order_without_hidden_ones),
		cmocka_unit_test(what_is_no_directory_has_no_names),
		cmocka_unit_test(a_descriptor_has_the_path_that_its_file_has_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
