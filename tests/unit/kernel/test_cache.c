/* test_cache.c - what is made of a kernel and kept: made once, with holes where it is zero */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../cm.h"
#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "kernel/cache.h"

#define BYTES (1u << 20)

static int make(void *arg, struct buf *ret, struct err *e)
{
	char *p = buf_room(ret, BYTES + 1);

	++*(int *)arg;
	memset(p, 0, BYTES + 1);
	p[0] = p[BYTES / 2] = p[BYTES] = 'x';
	ret->len = BYTES + 1;
	return 0;
}

static int refuse(void *arg, struct buf *ret, struct err *e)
{
	return err_set(e, EOPNOTSUPP, "cannot be made");
}

static void a_file_is_made_once_and_has_holes_where_it_is_zero(void **state)
{
	const struct cache_key key = { "1.2.3", "test", 7 };
	char root[] = "/tmp/ketch-test-XXXXXX";
	AUTO(buf_done) struct buf got = { 0 }, expected = { 0 };
	int made = 0;
	struct err e;

	assert_non_null(mkdtemp(root));
	for (int i = 0; i < 2; i++) {
		autoclose int fd = cache_open(root, &key, make, &made, &e);
		struct stat st;

		assert_true(fd >= 0);
		assert_int_equal(made, 1);
		assert_int_equal(fstat(fd, &st), 0);
		/* where the file system has holes at all */
		if (lseek(fd, 0, SEEK_HOLE) < BYTES)
			assert_true(st.st_blocks * 512 < BYTES / 2);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		buf_done(&got);
		assert_int_equal(read_to_end(fd, 2 * BYTES, &got), 0);
	}
	make(&made, &expected, NULL);
	assert_int_equal(got.len, expected.len);
	assert_memory_equal(got.data, expected.data, got.len);
	remove_tree(AT_FDCWD, root);
}

static void what_cannot_be_made_leaves_nothing(void **state)
{
	const struct cache_key key = { "1.2.3", "test", 7 };
	char root[] = "/tmp/ketch-test-XXXXXX";
	autofree char *dir = NULL;
	struct err e;

	assert_non_null(mkdtemp(root));
	dir = str_printf("%s/boot", root);
	assert_int_equal(cache_open(root, &key, refuse, NULL, &e), -EOPNOTSUPP);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(rmdir(root), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_made_once_and_has_holes_where_it_is_zero),
		cmocka_unit_test(what_cannot_be_made_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
