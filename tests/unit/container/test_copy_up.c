/* test_copy_up.c - a directory is filled with what another holds; as root, for its owners */
#include "../cm.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "container/copy_up.h"

struct scene {
	char dir[32];
	int from, to;
};

static int set_up(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	strcpy(s->dir, "/tmp/copy-up.XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	assert_int_equal(chdir(s->dir), 0);
	s->from = mkdir_open(AT_FDCWD, "from", 0755);
	s->to = mkdir_open(AT_FDCWD, "to", 0755);
	assert_true(s->from >= 0 && s->to >= 0);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *s = *state;

	close(s->from);
	close(s->to);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(remove_tree(AT_FDCWD, s->dir), 0);
	free(s);
	return 0;
}

static void make_file(const char *path, mode_t mode, const char *text)
{
	autoclose int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(write_full(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, mode), 0);
}

static void everything_that_a_tree_holds_is_copied(void **state)
{
	struct scene *s = *state;
	AUTO(buf_done) struct buf b = { 0 };
	char value[8], target[8] = "";
	struct stat st, other;
	bool has_xattr;

	make_file("from/f", 0640, "text\n");
	make_file("from/s", 04755, "suid");
	assert_int_equal(mkdir("from/d", 0700), 0);
	assert_int_equal(link("from/f", "from/d/hard"), 0);
	assert_int_equal(symlink("f", "from/l"), 0);
	assert_int_equal(mkfifo("from/p", 0600), 0);
	assert_int_equal(chown("from/f", 7, 8), 0);
	assert_int_equal(fchown(s->from, 9, 9), 0);
	assert_int_equal(fchmod(s->from, 02711), 0);
	assert_int_equal(utimensat(AT_FDCWD, "from/d", (struct timespec[]){ { 5, 6 }, { 7, 8 } }, 0), 0);
	has_xattr = setxattr("from/f", "user.k", "v", 1, 0) == 0;
	assert_int_equal(copy_up(s->from, s->to, NULL), 0);

	assert_int_equal(fstat(s->to, &st), 0);
	assert_true(st.st_uid == 9 && st.st_gid == 9 && (st.st_mode & 07777) == 02711);
	assert_int_equal(stat("to/f", &st), 0);
	assert_true(st.st_uid == 7 && st.st_gid == 8 && (st.st_mode & 07777) == 0640 && st.st_nlink == 2);
	assert_int_equal(stat("to/d/hard", &other), 0);
	assert_int_equal(st.st_ino, other.st_ino);
	assert_int_equal(stat("to/s", &st), 0);
	assert_int_equal(st.st_mode & 07777, 04755);
	assert_int_equal(stat("to/d", &st), 0);
	assert_true(st.st_mtim.tv_sec == 7 && st.st_mtim.tv_nsec == 8);
	assert_int_equal(lstat("to/p", &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(readlink("to/l", target, sizeof(target)), 1);
	assert_string_equal(target, "f");
	assert_int_equal(read_file(AT_FDCWD, "to/f", 100, &b), 0);
	assert_string_equal(b.data, "text\n");
	assert_int_equal(getxattr("to/f", "user.k", value, sizeof(value)), has_xattr ? 1 : -1);
}

static void what_is_not_empty_is_left_alone(void **state)
{
	struct scene *s = *state;

	make_file("from/f", 0640, "text\n");
	make_file("to/other", 0640, "");
	assert_int_equal(copy_up(s->from, s->to, NULL), 0);
	assert_int_equal(access("to/f", F_OK), -1);
}

static void a_tree_without_end_is_refused(void **state)
{
	struct scene *s = *state;
	struct err e = { 0 };
	char path[512] = "";

	for (int i = 0; i < 110; i++) {
		strcat(path, i ? "/d" : "d");
		assert_int_equal(mkdirat(s->from, path, 0755), 0);
	}
	assert_true(copy_up(s->from, s->to, &e) < 0);
	assert_non_null(strstr(e.msg, "cannot copy what the image has there"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(everything_that_a_tree_holds_is_copied, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_not_empty_is_left_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_tree_without_end_is_refused, set_up, tear_down),
	};

	if (geteuid()) {
		puts("skipped: owners can be changed by root only");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
