/* test_remove.c - trees are removed, however deep they are and whatever is in them */
#include "../cm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"

static char dir[] = "/tmp/ketch-remove.XXXXXX";

static int make_box(void **state)
{
	return mkdtemp(dir) ? 0 : -1;
}

static int drop_box(void **state)
{
	return rmdir(dir); /* only an empty one goes */
}

/* DEPTH directories in one another, each with a file; with `decoy` names that removal itself uses are taken. */
static void make_deep(int at, int depth, bool decoy)
{
	int fd = dup(at);

	for (int i = 0; i < depth; i++) {
		int file, next;

		assert_return_code(mkdirat(fd, "d", 0700), errno);
		file = openat(fd, "file", O_WRONLY | O_CREAT, 0600);
		assert_true(file >= 0);
		close(file);
		if (decoy && i < 100)
			assert_return_code(mkdirat(fd, ".ketch-deep-0", 0700), errno);
		next = openat(fd, "d", O_RDONLY | O_DIRECTORY);
		assert_true(next >= 0);
		close(fd);
		fd = next;
	}
	close(fd);
}

static void a_tree_deeper_than_there_are_descriptors_goes(void **state)
{
	struct rlimit old, few = { 128, 128 };
	int at = open(dir, O_RDONLY | O_DIRECTORY);

	assert_return_code(getrlimit(RLIMIT_NOFILE, &old), errno);
	few.rlim_max = old.rlim_max;
	assert_return_code(mkdirat(at, "tree", 0700), errno);
	for (int i = 0; i < 2; i++) {
		int top = openat(at, "tree", O_RDONLY | O_DIRECTORY);

		make_deep(top, 3000, i);
		close(top);
		assert_return_code(setrlimit(RLIMIT_NOFILE, &few), errno);
		assert_int_equal(remove_tree(at, "tree"), 0);
		assert_return_code(setrlimit(RLIMIT_NOFILE, &old), errno);
		assert_int_equal(faccessat(at, "tree", F_OK, AT_SYMLINK_NOFOLLOW), -1);
		assert_return_code(mkdirat(at, "tree", 0700), errno);
	}
	assert_int_equal(remove_tree(at, "tree"), 0);
	close(at);
}

static void links_are_removed_not_followed(void **state)
{
	int at = open(dir, O_RDONLY | O_DIRECTORY);

	assert_return_code(mkdirat(at, "kept", 0700), errno);
	assert_return_code(mkdirat(at, "kept/file", 0700), errno);
	assert_return_code(mkdirat(at, "tree", 0700), errno);
	assert_return_code(symlinkat("../kept", at, "tree/link"), errno);
	assert_return_code(symlinkat("kept", at, "link"), errno);
	assert_int_equal(remove_tree(at, "tree"), 0);
	assert_int_equal(remove_tree(at, "link"), 0);
	assert_int_equal(faccessat(at, "kept/file", F_OK, 0), 0);
	assert_int_equal(remove_tree(at, "kept"), 0);
	close(at);
}

static void what_is_not_there_is_removed_already(void **state)
{
	int at = open(dir, O_RDONLY | O_DIRECTORY);

	assert_int_equal(remove_tree(at, "nothing"), 0);
	close(at);
}

static void what_is_immutable_is_not_permitted(void **state)
{
	int at = open(dir, O_RDONLY | O_DIRECTORY), flags = FS_IMMUTABLE_FL, none = 0, file;

	assert_return_code(mkdirat(at, "tree", 0700), errno);
	file = openat(at, "tree/file", O_CREAT | O_RDONLY, 0600);
	assert_return_code(file, errno);
	if (ioctl(file, FS_IOC_SETFLAGS, &flags) == 0) {
		assert_int_equal(remove_tree(at, "tree"), -EPERM);
		assert_int_equal(remove_tree(at, "tree/file"), -EPERM);
		assert_return_code(ioctl(file, FS_IOC_SETFLAGS, &none), errno);
	} else {
		print_message("no file can be made immutable here: not tried\n");
	}
	assert_int_equal(remove_tree(at, "tree"), 0);
	close(file);
	close(at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_deeper_than_there_are_descriptors_goes),
		cmocka_unit_test(links_are_removed_not_followed),
		cmocka_unit_test(what_is_not_there_is_removed_already),
		cmocka_unit_test(what_is_immutable_is_not_permitted),
	};

	return cmocka_run_group_tests(tests, make_box, drop_box);
}
