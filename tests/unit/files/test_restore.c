/* test_restore.c - an archive that is a layer: its marks delete, whatever is in the way goes, nothing outside is touched */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/path.h"
#include "files/receive.h"
#include "tarball.h"

struct room {
	char dir[64];
	int fd, in;
};

static void make_dir(const struct room *m, const char *path)
{
	assert_int_equal(mkdirat(m->fd, path, 0755), 0);
}

static void make_file(const struct room *m, const char *path)
{
	autoclose int fd = openat(m->fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
}

static bool is_there(const struct room *m, const char *path)
{
	struct stat st;

	return fstatat(m->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool is_dir(const struct room *m, const char *path)
{
	struct stat st;

	return fstatat(m->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static int set_up(void **state)
{
	struct room *m = calloc(1, sizeof(*m));

	umask(0);
	strcpy(m->dir, "/tmp/ketch-restore.XXXXXX");
	assert_non_null(mkdtemp(m->dir));
	m->fd = open(m->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	make_dir(m, "in");
	make_dir(m, "in/d");
	make_dir(m, "in/d/e");
	make_file(m, "in/d/e/f");
	make_file(m, "in/g");
	make_dir(m, "out");
	make_file(m, "out/secret");
	assert_int_equal(symlinkat("../out", m->fd, "in/away"), 0);
	m->in = openat(m->fd, "in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = m;
	return 0;
}

static int tear_down(void **state)
{
	struct room *m = *state;

	close(m->in);
	close(m->fd);
	remove_tree(AT_FDCWD, m->dir);
	free(m);
	return 0;
}

static int receive(const struct room *m, struct buf *b, int flags)
{
	const struct destination to = { .place = { .dir_fd = m->in, .name = "." }, .kind = TO_DIRECTORY };
	autoclose int fd = -1;
	struct err e = { 0 };

	tar_end(b);
	fd = tar_open(b);
	return files_receive(&to, &(const struct reception){ .in_fd = fd, .archive = true, .flags = flags },
			     &e);
}

static void what_is_marked_goes_whole_or_not_at_all(void **state)
{
	const struct room *m = *state;
	struct buf b = { 0 };

	tar_file(&b, ".wh.d", "");
	tar_file(&b, ".wh.nosuch", "");
	tar_file(&b, ".wh.away", "");
	assert_int_equal(receive(m, &b, RESTORE_LAYER), 0);
	assert_false(is_there(m, "in/d"));
	assert_false(is_there(m, "in/away"));
	assert_true(is_there(m, "in/g"));
	assert_true(is_there(m, "out/secret"));
}

static void an_opaque_directory_is_emptied(void **state)
{
	const struct room *m = *state;
	struct buf b = { 0 };

	tar_header(&b, '5', "d/", "", 0);
	tar_file(&b, "d/.wh..wh..opq", "");
	tar_file(&b, "d/new", "x");
	assert_int_equal(receive(m, &b, RESTORE_LAYER), 0);
	assert_false(is_there(m, "in/d/e"));
	assert_true(is_there(m, "in/d/new"));
}

static void a_file_and_a_directory_take_each_others_place(void **state)
{
	const struct room *m = *state;
	struct buf b = { 0 };

	tar_file(&b, "d", "file");
	tar_header(&b, '5', "g/", "", 0);
	tar_file(&b, "g/h", "x");
	assert_int_equal(receive(m, &b, RESTORE_LAYER), 0);
	assert_true(is_there(m, "in/d") && !is_dir(m, "in/d"));
	assert_true(is_there(m, "in/g/h"));
}

static void marks_that_lead_elsewhere_are_refused(void **state)
{
	static const char *const names[] = { ".wh.", ".wh..", ".wh...", ".wh..wh.x", "away/.wh.secret" };
	const struct room *m = *state;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct buf b = { 0 };

		tar_file(&b, names[i], "");
		assert_true(receive(m, &b, RESTORE_LAYER) < 0);
	}
	assert_true(is_there(m, "out/secret"));
	assert_true(is_there(m, "in/d/e/f"));
}

static void without_being_a_layer_a_mark_is_a_file(void **state)
{
	const struct room *m = *state;
	struct buf b = { 0 };

	tar_file(&b, ".wh.g", "");
	assert_int_equal(receive(m, &b, 0), 0);
	assert_true(is_there(m, "in/g"));
	assert_true(is_there(m, "in/.wh.g"));
	tar_file(&b, "d", "file");
	assert_int_equal(receive(m, &b, 0), -EISDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_marked_goes_whole_or_not_at_all, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_opaque_directory_is_emptied, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_and_a_directory_take_each_others_place, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(marks_that_lead_elsewhere_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_being_a_layer_a_mark_is_a_file, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
