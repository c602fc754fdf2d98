/* test_copy.c - files go into an archive and come out of one: where they land, and that nothing else does */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/auto.h"
#include "base/path.h"
#include "files/receive.h"
#include "files/send.h"
#include "tarball.h"

/* A directory with in/ (the tree that is copied into), out/ (which nothing may touch) and from/. */
struct room {
	char dir[64];
	int fd, in;
};

static void put(const struct room *m, const char *path, const char *text)
{
	autoclose int fd = openat(m->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write_full(fd, text, strlen(text)), 0);
}

/* The file has this text; text NULL: there is no such file. */
static void has(const struct room *m, const char *path, const char *text)
{
	AUTO(buf_done) struct buf b = { 0 };
	int r = read_file(m->fd, path, 4096, &b);

	if (!text && r != -ENOENT && r != -ENOTDIR)
		fail_msg("%s is there", path);
	if (text && (r < 0 || strcmp(b.data ? b.data : "", text)))
		fail_msg("%s: \"%s\" (%d), not \"%s\"", path, b.data ? b.data : "", r, text);
}

static int set_up(void **state)
{
	static const char *const dirs[] = { "in", "in/dir", "out", "from", "from/sub" };
	struct room *m = calloc(1, sizeof(*m));

	umask(0);
	strcpy(m->dir, "/tmp/ketch-files.XXXXXX");
	assert_non_null(mkdtemp(m->dir));
	m->fd = open(m->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		assert_int_equal(mkdirat(m->fd, dirs[i], 0755), 0);
	put(m, "out/secret", "secret");
	put(m, "in/old", "old");
	put(m, "from/a", "aaa");
	put(m, "from/sub/b", "bbb");
	assert_int_equal(symlinkat("a", m->fd, "from/link"), 0);
	m->in = openat(m->fd, "in", O_PATH | O_DIRECTORY | O_CLOEXEC);
	*state = m;
	return 0;
}

static int tear_down(void **state)
{
	struct room *m = *state;

	close(m->fd);
	close(m->in);
	remove_tree(AT_FDCWD, m->dir);
	free(m);
	return 0;
}

/* Sends `path` below the room. */
static int send_path(const struct room *m, const char *path, bool follow, struct err *e)
{
	AUTO(place_done) struct place from = { .dir_fd = -1 };
	char as[PATH_NAME_MAX + 1];
	int fd = memfd_create("tar", MFD_CLOEXEC);

	assert_int_equal(place_name(path, as), 0);
	assert_int_equal(place_find(m->fd, path, follow, &from), 0);
	if (files_send(&from, as, fd, e) < 0) {
		close(fd);
		return -1;
	}
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* Puts what fd holds at `path` in in/. */
static int receive(const struct room *m, int fd, const char *path, const struct reception *like,
		   struct err *e)
{
	AUTO(destination_done) struct destination to = { .place = { .dir_fd = -1 } };
	struct reception rc = *like;
	int r = files_find_destination(m->in, path, &to, e);

	rc.in_fd = fd;
	return r < 0 ? r : files_receive(&to, &rc, e);
}

static const struct reception plain;

/* --- where it lands */

static void it_lands_where_docker_puts_it(void **state)
{
	static const struct {
		const char *from, *to;
		const char *lands; /* a file of the room that must be there; NULL: refused */
		const char *text;
	} rows[] = {
		{ "from/a", "/new", "in/new", "aaa" },
		{ "from/a", "new", "in/new", "aaa" },
		{ "from/a", "/old", "in/old", "aaa" },
		{ "from/a", "/dir", "in/dir/a", "aaa" },
		{ "from/a", "/dir/", "in/dir/a", "aaa" },
		{ "from/a", "/", "in/a", "aaa" },
		{ "from/a", "", "in/a", "aaa" },
		{ "from/a", "/dir/.", "in/dir/a", "aaa" },
		{ "from/a", "/new/", NULL, "does not exist" },
		{ "from/a", "/new/x", NULL, "no such file" },
		{ "from/a", "/new/.", NULL, "no such file" },
		{ "from/a", "/old/", NULL, "no directory" },
		{ "from/a", "/old/x", NULL, "not a directory" },
		{ "from", "/new", "in/new/sub/b", "bbb" },
		{ "from", "/new/", "in/new/sub/b", "bbb" },
		{ "from/", "/dir", "in/dir/from/sub/b", "bbb" },
		{ "from", "/dir/", "in/dir/from/a", "aaa" },
		{ "from/.", "/dir", "in/dir/sub/b", "bbb" },
		{ "from/.", "/", "in/sub/b", "bbb" },
		{ "from/.", "/new", "in/new/a", "aaa" },
		{ "from/sub/..", "/new", "in/new/a", "aaa" },
		{ "from", "/old", NULL, "place of a file" },
		{ "from/.", "/old", NULL, "place of a file" },
		{ "from/../in/old", "/dir/old", "in/dir/old", "old" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = { 0 };
		struct room *m;
		void *own;
		int fd, r;

		set_up(&own);
		m = own;
		fd = send_path(m, rows[i].from, false, &e);
		r = receive(m, fd, rows[i].to, &plain, &e);
		if ((r == 0) != (rows[i].lands != NULL) || (r < 0 && !strstr(e.msg, rows[i].text)))
			fail_msg("%s to %s: %d %s", rows[i].from, rows[i].to, r, e.msg);
		if (rows[i].lands)
			has(m, rows[i].lands, rows[i].text);
		close(fd);
		tear_down(&own);
	}
}

static void a_tree_comes_out_as_it_went_in(void **state)
{
	const struct timespec times[2] = { { 5, 0 }, { 1000, 123456789 } };
	struct room *m = *state;
	struct err e = { 0 };
	struct stat st, hard;
	char link[16] = "";
	autoclose int fd = -1;

	assert_int_equal(linkat(m->fd, "from/a", m->fd, "from/sub/hard", 0), 0);
	assert_int_equal(mkfifoat(m->fd, "from/fifo", 0640), 0);
	assert_int_equal(fchmodat(m->fd, "from/a", 04711, 0), 0);
	assert_int_equal(fchmodat(m->fd, "from/sub", 0500, 0), 0);
	assert_int_equal(utimensat(m->fd, "from/a", times, 0), 0);
	assert_int_equal(utimensat(m->fd, "from/sub", times, 0), 0);
	fd = send_path(m, "from", false, &e);
	assert_int_equal(receive(m, fd, "copy", &(struct reception){ .flags = RESTORE_SETID }, &e), 0);

	assert_int_equal(fstatat(m->in, "copy/a", &st, 0), 0);
	assert_true((st.st_mode & 07777) == 04711 && st.st_mtim.tv_sec == 1000 &&
		    st.st_mtim.tv_nsec == 123456789);
	assert_int_equal(fstatat(m->in, "copy/sub/hard", &hard, 0), 0);
	assert_true(hard.st_ino == st.st_ino && st.st_nlink == 2);
	assert_int_equal(fstatat(m->in, "copy/sub", &st, 0), 0);
	assert_true((st.st_mode & 07777) == 0500 && st.st_mtim.tv_sec == 1000);
	assert_int_equal(fstatat(m->in, "copy/fifo", &st, 0), 0);
	assert_true(S_ISFIFO(st.st_mode) && (st.st_mode & 07777) == 0640);
	assert_int_equal(readlinkat(m->in, "copy/link", link, sizeof(link)), 1);
	assert_string_equal(link, "a");
}

static void a_link_is_followed_only_when_that_was_asked(void **state)
{
	struct room *m = *state;
	struct err e = { 0 };
	struct stat st;
	int fd = send_path(m, "from/link", false, &e);

	assert_int_equal(receive(m, fd, "l", &plain, &e), 0);
	assert_int_equal(fstatat(m->in, "l", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISLNK(st.st_mode));
	close(fd);
	fd = send_path(m, "from/link", true, &e);
	assert_int_equal(receive(m, fd, "f", &plain, &e), 0);
	has(m, "in/f", "aaa");
	close(fd);
	/* at the end of the destination it is: what it points to is replaced, below the root */
	assert_int_equal(symlinkat("/dir/made", m->fd, "in/to"), 0);
	fd = send_path(m, "from/a", false, &e);
	assert_int_equal(receive(m, fd, "/to", &plain, &e), 0);
	has(m, "in/dir/made", "aaa");
	close(fd);
}

static void links_of_the_tree_do_not_lead_out_of_it(void **state)
{
	static const char *const out[] = { "/abs/secret", "/rel/secret", "/file", "/dir/up/secret" };
	autofree char *secret = str_printf("%s/out/secret", ((struct room *)*state)->dir);
	autofree char *dir = str_printf("%s/out", ((struct room *)*state)->dir);
	struct room *m = *state;
	struct place at;

	assert_int_equal(symlinkat(dir, m->fd, "in/abs"), 0);
	assert_int_equal(symlinkat("../../../out", m->fd, "in/rel"), 0);
	assert_int_equal(symlinkat("../../out", m->fd, "in/dir/up"), 0);
	assert_int_equal(symlinkat(secret, m->fd, "in/file"), 0);
	for (size_t i = 0; i < ARRAY_LEN(out); i++) {
		struct err e;
		int fd = send_path(m, "from/a", false, &e);

		if (place_find(m->in, out[i], true, &at) == 0) {
			assert_int_equal(files_check(&at), -ENOENT);
			place_done(&at);
		}
		receive(m, fd, out[i], &plain, &e);
		close(fd);
	}
	has(m, "out/secret", "secret");
}

static void without_being_asked_owners_and_setid_bits_go(void **state)
{
	struct room *m = *state;
	struct err e = { 0 };
	struct stat st;
	int fd;

	if (geteuid()) {
		print_message("needs root\n");
		skip();
	}
	assert_int_equal(fchownat(m->fd, "from/a", 5, 6, 0), 0);
	assert_int_equal(fchmodat(m->fd, "from/a", 06755, 0), 0);
	fd = send_path(m, "from/a", false, &e);
	assert_int_equal(receive(m, fd, "f", &plain, &e), 0);
	assert_int_equal(fstatat(m->in, "f", &st, 0), 0);
	assert_true(st.st_uid == 0 && st.st_gid == 0 && (st.st_mode & 07777) == 0755);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(receive(m, fd, "f", &(struct reception){ .flags = RESTORE_OWNER }, &e), 0);
	assert_int_equal(fstatat(m->in, "f", &st, 0), 0);
	assert_true(st.st_uid == 5 && st.st_gid == 6 && (st.st_mode & 07777) == 0755);
	close(fd);
}

/* --- hostile archives */

static void evil_link_then_file(struct buf *b)
{
	tar_header(b, '5', "x", "", 0);
	tar_header(b, '2', "x/l", "../../out", 0);
	tar_file(b, "x/l/secret", "evil");
}

static void evil_link_then_directory(struct buf *b)
{
	tar_header(b, '5', "x", "", 0);
	tar_header(b, '2', "x/l", "../../out", 0);
	tar_header(b, '5', "x/l", "", 0);
}

static void evil_link_then_same_name(struct buf *b)
{
	tar_header(b, '5', "x", "", 0);
	tar_header(b, '2', "x/l", "../../out/secret", 0);
	tar_file(b, "x/l", "evil"); /* takes the place of the link */
	tar_file(b, "x/m/../../out", "evil");
}

static void evil_root_is_a_link(struct buf *b)
{
	tar_header(b, '2', "x", "../out", 0);
	tar_file(b, "x/secret", "evil");
}

static void evil_hard_link_to_a_link(struct buf *b)
{
	tar_header(b, '5', "x", "", 0);
	tar_header(b, '2', "x/l", "../../out", 0);
	tar_header(b, '1', "x/h", "x/l/secret", 0);
}

static void evil_hard_link_beside(struct buf *b)
{
	tar_header(b, '5', "x", "", 0);
	tar_header(b, '1', "x/h", "old", 0);
}

static void evil_hard_link_first(struct buf *b)
{
	tar_header(b, '1', "x", "old", 0);
}

static void evil_hard_link_to_itself(struct buf *b)
{
	tar_header(b, '5', "x", "", 0);
	tar_file(b, "x/f", "f");
	tar_header(b, '1', "x/f", "x/f", 0);
}

static void evil_another_name(struct buf *b)
{
	tar_file(b, ".bashrc", "evil");
}

static void evil_second_name(struct buf *b)
{
	tar_header(b, '5', "x", "", 0);
	tar_file(b, "x/fine", "fine");
	tar_file(b, "old", "evil");
}

static void evil_prefix_of_the_name(struct buf *b)
{
	tar_header(b, '5', "x", "", 0);
	tar_file(b, "xold", "evil");
}

static void evil_behind_a_file(struct buf *b)
{
	tar_file(b, "x", "fine");
	tar_file(b, "x/y", "evil");
}

static void evil_content_alone(struct buf *b)
{
	tar_header(b, '5', "./", "", 0);
	tar_file(b, "old", "evil");
}

static void evil_device(struct buf *b)
{
	tar_header(b, '3', "x", "", 0);
}

static void evil_nothing(struct buf *b)
{
}

static void hostile_archives_change_nothing_but_what_was_asked_for(void **state)
{
	static const struct {
		const char *name;
		void (*make)(struct buf *b);
	} rows[] = {
#define E(f) { #f, f }
		E(evil_link_then_file),
		E(evil_link_then_directory),
		E(evil_link_then_same_name),
		E(evil_root_is_a_link),
		E(evil_hard_link_to_a_link),
		E(evil_hard_link_beside),
		E(evil_hard_link_first),
		E(evil_hard_link_to_itself),
		E(evil_another_name),
		E(evil_second_name),
		E(evil_prefix_of_the_name),
		E(evil_behind_a_file),
		E(evil_content_alone),
		E(evil_device),
		E(evil_nothing),
#undef E
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = { 0 };
		struct buf b = { 0 };
		struct room *m;
		struct stat st;
		void *own;
		int fd;

		set_up(&own);
		m = own;
		rows[i].make(&b);
		tar_end(&b);
		fd = tar_open(&b);
		if (receive(m, fd, "/", &(struct reception){ .name = "x" }, &e) == 0 || !e.msg[0])
			fail_msg("%s was taken", rows[i].name);
		has(m, "out/secret", "secret");
		has(m, "in/old", "old");
		has(m, "in/.bashrc", NULL);
		assert_int_equal(fstatat(m->in, "old", &st, 0), 0);
		assert_int_equal(st.st_nlink, 1);
		close(fd);
		tear_down(&own);
	}
}

static void a_link_that_is_there_is_not_followed(void **state)
{
	struct room *m = *state;
	struct err e = { 0 };
	struct buf b = { 0 };
	int fd;

	assert_int_equal(symlinkat("../out", m->fd, "in/x"), 0);
	tar_header(&b, '5', "./", "", 0);
	tar_file(&b, "x/secret", "evil");
	tar_end(&b);
	fd = tar_open(&b);
	assert_true(receive(m, fd, "/", &plain, &e) < 0);
	has(m, "out/secret", "secret");
	close(fd);
}

static void a_file_that_is_cut_short_is_taken_away(void **state)
{
	struct room *m = *state;
	struct err e = { 0 };
	struct buf b = { 0 };
	int fd;

	tar_header(&b, '0', "f", "", 100000);
	for (int i = 0; i < 100; i++)
		tar_data(&b, "x", 1);
	fd = tar_open(&b);
	assert_true(receive(m, fd, "/f", &plain, &e) < 0);
	assert_non_null(strstr(e.msg, "cut short"));
	has(m, "in/f", NULL);
	close(fd);
}

static void any_archive_is_unpacked_in_a_directory_only(void **state)
{
	static const struct reception archive = { .archive = true };
	struct room *m = *state;
	struct err e = { 0 };
	struct buf b = { 0 };
	int fd;

	tar_header(&b, '5', "./", "", 0);
	tar_file(&b, "a/b/c", "deep");
	tar_file(&b, "d", "flat");
	tar_header(&b, '1', "a/h", "d", 0);
	tar_end(&b);
	fd = tar_open(&b);
	assert_int_equal(receive(m, fd, "/new", &archive, &e), -ENOENT);
	assert_int_equal(receive(m, fd, "/old", &archive, &e), -ENOTDIR);
	if (receive(m, fd, "/dir", &archive, &e) < 0)
		fail_msg("%s", e.msg);
	has(m, "in/dir/a/b/c", "deep");
	has(m, "in/dir/a/h", "flat");
	close(fd);
}

static void a_directory_and_a_file_do_not_take_each_others_place(void **state)
{
	struct room *m = *state;
	struct err e = { 0 };
	int fd;

	put(m, "in/from", "file");
	fd = send_path(m, "from", false, &e);
	assert_int_equal(receive(m, fd, "/", &plain, &e), -ENOTDIR);
	has(m, "in/from", "file");
	close(fd);
	assert_int_equal(mkdirat(m->fd, "in/a", 0755), 0);
	fd = send_path(m, "from/a", false, &e);
	assert_int_equal(receive(m, fd, "/", &plain, &e), -EISDIR);
	close(fd);
}

static void names_come_from_the_end_of_the_path(void **state)
{
	static const struct {
		const char *path, *name;
	} rows[] = {
		{ "/a/b", "b" },     { "b", "b" },   { "/a/b/", "b" },	{ "/a/b//", "b" }, { "/", "" },
		{ "", "" },	     { "/a/.", "" }, { "/a/./", "" },	{ "..", "" },	   { "/a/..", "" },
		{ "/a/...", "..." }, { ".x", ".x" }, { "/a/.b", ".b" },
	};
	char name[PATH_NAME_MAX + 1];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(place_name(rows[i].path, name), 0);
		assert_string_equal(name, rows[i].name);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

/* --- attributes */

static const char capability[20] = {
	0, 0, 0, 2, 0, 4
}; /* permitted: CAP_NET_BIND_SERVICE; vfs_cap_data, revision 2 */
static const unsigned char acl[28] = { 2, 0, 0,	  0,   1,   0,	 7,  0, 255, 255, 255, 255, 4,	 0,
				       5, 0, 255, 255, 255, 255, 32, 0, 5,   0,	  255, 255, 255, 255 };

static void set_attribute(const struct room *m, const char *path, const char *name, const void *value,
			  size_t n)
{
	autofree char *full = str_printf("%s/%s", m->dir, path);

	if (setxattr(full, name, value, n, 0) < 0)
		fail_msg("%s: %s: %s", full, name, strerror(errno));
}

static bool has_attribute(const struct room *m, const char *path, const char *name, const void *value,
			  size_t n)
{
	autofree char *full = str_printf("%s/%s", m->dir, path);
	char is[64];

	return getxattr(full, name, is, sizeof(is)) == (ssize_t)n && !memcmp(is, value, n);
}

static void attributes_are_kept_as_far_as_the_flags_go(void **state)
{
	static const int flags[] = { 0, RESTORE_OWNER, RESTORE_SETID, RESTORE_OWNER | RESTORE_SETID };
	const struct room *m = *state;

	if (geteuid() != 0)
		skip(); /* capabilities of files are root's to give */
	set_attribute(m, "from/a", "user.note", "a\0b", 3);
	set_attribute(m, "from/a", "user.overlay.opaque", "y", 1);
	set_attribute(m, "from/a", "security.capability", capability, sizeof(capability));
	set_attribute(m, "from/sub", "system.posix_acl_default", acl, sizeof(acl));
	set_attribute(m, "from/sub", "user.dir", "d", 1);
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		const struct reception rc = { .flags = flags[i] };
		char to[8], file[24], dir[24], deep[24];
		struct err e = { 0 };
		autoclose int fd = send_path(m, "from", false, &e);

		snprintf(to, sizeof(to), "/t%zu", i);
		snprintf(file, sizeof(file), "in%s/a", to);
		snprintf(dir, sizeof(dir), "in%s/sub", to);
		snprintf(deep, sizeof(deep), "in%s/sub/b", to);
		if (receive(m, fd, to, &rc, &e) < 0)
			fail_msg("%s", e.msg);
		assert_true(has_attribute(m, file, "user.note", "a\0b", 3));
		assert_false(has_attribute(m, file, "user.overlay.opaque", "y", 1));
		assert_int_equal(
			has_attribute(m, file, "security.capability", capability, sizeof(capability)),
			!!(flags[i] & RESTORE_SETID));
		assert_true(has_attribute(m, dir, "user.dir", "d", 1));
		assert_int_equal(has_attribute(m, dir, "system.posix_acl_default", acl, sizeof(acl)),
				 !!(flags[i] & RESTORE_OWNER));
		assert_false(has_attribute(m, deep, "system.posix_acl_access", acl, sizeof(acl)));
		has(m, deep, "bbb");
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_lands_where_docker_puts_it),
		TEST(a_tree_comes_out_as_it_went_in),
		TEST(a_link_is_followed_only_when_that_was_asked),
		TEST(links_of_the_tree_do_not_lead_out_of_it),
		TEST(without_being_asked_owners_and_setid_bits_go),
		TEST(attributes_are_kept_as_far_as_the_flags_go),
		cmocka_unit_test(hostile_archives_change_nothing_but_what_was_asked_for),
		TEST(a_link_that_is_there_is_not_followed),
		TEST(a_file_that_is_cut_short_is_taken_away),
		TEST(any_archive_is_unpacked_in_a_directory_only),
		TEST(a_directory_and_a_file_do_not_take_each_others_place),
		cmocka_unit_test(names_come_from_the_end_of_the_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
