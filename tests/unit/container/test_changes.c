/* test_changes.c - what was changed, told from three views: plain directories stand for those of an overlay */
#include "../cm.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "container/changes.h"
#include "files/untar.h"

struct room {
	char dir[64];
	int fd;
	struct views views;
};

static int make_dir(const struct room *m, const char *name)
{
	int fd = mkdir_open(m->fd, name, 0755);

	assert_true(fd >= 0);
	return fd;
}

static int set_up(void **state)
{
	struct room *m = calloc(1, sizeof(*m));

	umask(0);
	strcpy(m->dir, "/tmp/ketch-changes.XXXXXX");
	assert_non_null(mkdtemp(m->dir));
	m->fd = open(m->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	m->views = (struct views){ make_dir(m, "m"), make_dir(m, "u"), make_dir(m, "l") };
	*state = m;
	return 0;
}

static int tear_down(void **state)
{
	struct room *m = *state;

	close(m->views.merged);
	close(m->views.upper);
	close(m->views.lower);
	close(m->fd);
	assert_int_equal(remove_tree(AT_FDCWD, m->dir), 0);
	free(m);
	return 0;
}

/* "dir/" or a file with its path as content, in those views that are named: "mul". */
static void make(const struct room *m, const char *views, const char *path, mode_t mode)
{
	static const struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };

	for (; *views; views++) {
		autofree char *full = str_printf("%s/%c/%s", m->dir, *views, path);

		if (path[strlen(path) - 1] == '/') {
			assert_int_equal(mkdir(full, mode), 0);
		} else {
			autoclose int fd = open(full, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

			assert_int_equal(write_full(fd, path, strlen(path)), 0);
			assert_int_equal(futimens(fd, times), 0);
		}
	}
}

static void list(const struct room *m, const char *want)
{
	AUTO(buf_done) struct buf got = { 0 };
	autoclose int fd = memfd_create("list", MFD_CLOEXEC);
	struct err e = { 0 };

	if (changes_list(&m->views, false, fd, &e) < 0)
		fail_msg("%s", e.msg);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(read_to_end(fd, 65536, &got), 0);
	for (size_t i = 0; i < got.len; i++)
		if (!got.data[i])
			got.data[i] = ' ';
	assert_string_equal(got.data ? got.data : "", want);
}

/* The paths of the layer, with "!" behind those that are empty files of mode 0. */
static void layer(const struct room *m, const char *want)
{
	AUTO(buf_done) struct buf got = { 0 };
	autoclose int fd = memfd_create("layer", MFD_CLOEXEC);
	struct untar *u = untar_new(fd);
	struct err e = { 0 };
	struct entry en;

	if (changes_send(&m->views, fd, &e) < 0)
		fail_msg("%s", e.msg);
	lseek(fd, 0, SEEK_SET);
	while (untar_next(u, &en, &e) == 1)
		buf_addf(&got, "%s%s ", en.path, en.mode == S_IFREG && !en.size ? "!" : "");
	assert_string_equal(got.data, want);
	untar_free(u);
}

static void what_is_only_in_the_image_is_no_change(void **state)
{
	struct room *m = *state;

	make(m, "ml", "a", 0644);
	make(m, "ml", "d/", 0755);
	make(m, "ml", "d/b", 0644);
	list(m, "");
	layer(m, " ");
}

static void files_are_added_changed_and_deleted(void **state)
{
	struct room *m = *state;

	make(m, "mul", "d/", 0755);
	make(m, "ml", "d/same", 0644);
	make(m, "mu", "d/new", 0644);
	make(m, "mu", "d/mode", 0600);
	make(m, "l", "d/mode", 0644);
	make(m, "l", "d/gone", 0644);
	make(m, "mul", "d/touched", 0644); /* opened for writing, never written */
	list(m, "C/d D/d/gone C/d/mode A/d/new ");
	layer(m, " d d/.wh.gone! d/mode d/new d/touched ");
}

static void directories_are_changed_by_mode_and_by_what_is_below(void **state)
{
	struct room *m = *state;

	make(m, "mul", "quiet/", 0755);
	make(m, "mul", "quiet/deep/", 0755);
	make(m, "mu", "mode/", 0700);
	make(m, "l", "mode/", 0755);
	make(m, "mul", "x/", 0755);
	make(m, "mul", "x/y/", 0755);
	make(m, "mu", "x/y/z", 0644);
	make(m, "mu", "x/yy", 0644);
	make(m, "mu", "x-file", 0644);
	list(m, "C/mode C/x C/x/y A/x/y/z A/x/yy A/x-file ");
}

static void a_directory_that_was_replaced_hides_what_was_in_it(void **state)
{
	struct room *m = *state;

	make(m, "mul", "d/", 0755);
	make(m, "l", "d/old", 0644);
	make(m, "l", "d/sub/", 0755);
	make(m, "l", "d/sub/deep", 0644);
	make(m, "mu", "d/new", 0644);
	list(m, "C/d A/d/new D/d/old D/d/sub ");
	layer(m, " d d/new d/.wh.old! d/.wh.sub! ");
}

static void a_type_can_change(void **state)
{
	struct room *m = *state;

	make(m, "mu", "a", 0644);
	make(m, "l", "a/", 0755);
	make(m, "l", "a/b", 0644);
	make(m, "mu", "c/", 0755);
	make(m, "mu", "c/d", 0644);
	make(m, "l", "c", 0644);
	list(m, "C/a C/c A/c/d ");
	layer(m, " a c c/d ");
}

static void the_places_of_our_mounts_are_left_out_while_they_are_empty(void **state)
{
	struct room *m = *state;
	int fd;

	make(m, "mu", "proc/", 0755);
	make(m, "mu", "dev/", 0755);
	make(m, "mul", "etc/", 0755);
	for (const char *v = "mu"; *v; v++) {
		autofree char *path = str_printf("%s/%c/etc/hosts", m->dir, *v);

		fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
		assert_true(fd >= 0);
		close(fd);
	}
	list(m, "");
	layer(m, " etc ");
	make(m, "mu", "dev/mine", 0644);
	list(m, "A/dev A/dev/mine ");
}

static void an_image_may_have_no_layer_at_all(void **state)
{
	struct room *m = *state;
	struct views none = m->views;

	make(m, "mu", "a", 0644);
	m->views.lower = -1;
	list(m, "A/a ");
	m->views = none;
}

static void a_name_that_would_be_a_whiteout_is_refused(void **state)
{
	struct room *m = *state;
	autoclose int fd = memfd_create("layer", MFD_CLOEXEC);
	struct err e = { 0 };

	make(m, "mu", ".wh.a", 0644);
	assert_true(changes_send(&m->views, fd, &e) < 0);
	assert_non_null(strstr(e.msg, "/.wh.a: "));
	list(m, "A/.wh.a ");
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(what_is_only_in_the_image_is_no_change),
		T(files_are_added_changed_and_deleted),
		T(directories_are_changed_by_mode_and_by_what_is_below),
		T(a_directory_that_was_replaced_hides_what_was_in_it),
		T(a_type_can_change),
		T(the_places_of_our_mounts_are_left_out_while_they_are_empty),
		T(an_image_may_have_no_layer_at_all),
		T(a_name_that_would_be_a_whiteout_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
