/* test_untar.c - the small reader of tar streams: what it takes, and what it refuses */
#include <errno.h>
#include <fcntl.h>

#include "base/auto.h"
#include "files/untar.h"
#include "tarball.h"

static void close_untar(struct untar **u)
{
	untar_free(*u);
}

static void the_forms_of_all_writers_are_read(void **state)
{
	AUTO(close_untar) struct untar *u = NULL;
	autofree char *name = calloc(1, 302);
	struct buf b = { 0 };
	autoclose int fd = -1;
	struct entry en;
	struct err e;
	const void *data;

	memset(name, 'n', 300);
	for (int i = 100; i < 300; i += 100)
		name[i] = '/';
	tar_header(&b, '5', "./dir/", "", 0);
	tar_file(&b, "/dir//file", "hello");
	tar_extra(&b, 'x', "25 path=a/long/way/to/it\n17 mtime=-1.2500\n13 uid=70000\n", 0x37);
	tar_file(&b, "short", "");
	tar_extra(&b, 'L', name, 301);
	tar_header(&b, '2', "cut", "target", 0);
	tar_header(&b, '1', "hard", "./dir/file", 0);
	tar_header(&b, '\0', "old/", "", 0); /* before POSIX a directory was told by its slash */
	tar_end(&b);
	fd = tar_open(&b);
	u = untar_new(fd);

	assert_int_equal(untar_next(u, &en, &e), 1);
	assert_true(S_ISDIR(en.mode) && (en.mode & 07777) == 0755);
	assert_string_equal(en.path, "dir");
	assert_int_equal(untar_next(u, &en, &e), 1);
	assert_string_equal(en.path, "dir/file");
	assert_true(S_ISREG(en.mode) && en.size == 5 && en.uid == 1000 && en.gid == 1001);
	assert_true(en.mtime.tv_sec == 1000 && !en.mtime.tv_nsec);
	assert_int_equal(untar_read(u, &data, &e), 5);
	assert_memory_equal(data, "hello", 5);
	assert_int_equal(untar_read(u, &data, &e), 0);
	if (untar_next(u, &en, &e) != 1)
		fail_msg("%s", e.msg);
	assert_string_equal(en.path, "a/long/way/to/it");
	assert_true(en.uid == 70000 && en.mtime.tv_sec == -2 && en.mtime.tv_nsec == 750000000);
	assert_int_equal(untar_next(u, &en, &e), 1);
	assert_string_equal(en.path, name);
	assert_string_equal(en.symlink, "target");
	assert_int_equal(untar_next(u, &en, &e), 1);
	assert_string_equal(en.path, "hard"); /* what was said of the entry before does not stay */
	assert_string_equal(en.hardlink, "dir/file");
	assert_int_equal(untar_next(u, &en, &e), 1);
	assert_true(S_ISDIR(en.mode));
	assert_int_equal(untar_next(u, &en, &e), 0);
	assert_int_equal(untar_drain(u, &e), 0);
}

static void content_that_is_not_read_is_skipped(void **state)
{
	AUTO(close_untar) struct untar *u = NULL;
	autofree char *text = calloc(1, 200001);
	struct buf b = { 0 };
	autoclose int fd = -1;
	struct entry en;
	struct err e;

	memset(text, 'x', 200000);
	tar_file(&b, "big", text);
	tar_file(&b, "next", "n");
	tar_end(&b);
	fd = tar_open(&b);
	u = untar_new(fd);
	assert_int_equal(untar_next(u, &en, &e), 1);
	assert_int_equal(en.size, 200000);
	assert_int_equal(untar_next(u, &en, &e), 1);
	assert_string_equal(en.path, "next");
	assert_int_equal(untar_next(u, &en, &e), 0);
}

static void attributes_may_hold_any_byte_and_the_last_of_a_name_counts(void **state)
{
	static const char records[] = "27 SCHILY.xattr.user.a=old\n27 SCHILY.xattr.user.b=x\0\n\n"
				      "27 SCHILY.xattr.user.a=new\n";
	AUTO(close_untar) struct untar *u = NULL;
	struct buf b = { 0 };
	autoclose int fd = -1;
	struct entry en;
	struct err e = { 0 };

	tar_extra(&b, 'x', records, sizeof(records) - 1);
	tar_file(&b, "f", "x");
	tar_file(&b, "next", "n");
	tar_end(&b);
	fd = tar_open(&b);
	u = untar_new(fd);
	if (untar_next(u, &en, &e) != 1)
		fail_msg("%s", e.msg);
	assert_int_equal(en.n_xattrs, 2);
	assert_string_equal(en.xattrs[0].name, "user.a");
	assert_memory_equal(en.xattrs[0].value, "new", 3);
	assert_int_equal(en.xattrs[1].n, 3);
	assert_memory_equal(en.xattrs[1].value, "x\0\n", 3);
	assert_int_equal(untar_next(u, &en, &e), 1);
	assert_int_equal(en.n_xattrs, 0);
}

/* --- refused */

static void bad_cut(struct buf *b)
{
	tar_file(b, "f", "hello");
	b->len -= 100;
}

static void bad_no_end(struct buf *b)
{
	tar_file(b, "f", "hello");
}

static void bad_checksum(struct buf *b)
{
	tar_file(b, "f", "hello");
	b->data[0] = 'g';
}

static void bad_rubbish(struct buf *b)
{
	for (int i = 0; i < 1024; i++)
		buf_addc(b, (char)i);
}

static void bad_dots(struct buf *b)
{
	tar_file(b, "a/../../etc/passwd", "x");
	tar_end(b);
}

static void bad_no_name(struct buf *b)
{
	tar_file(b, "", "x");
	tar_end(b);
}

static void bad_type(struct buf *b)
{
	tar_header(b, 'S', "sparse", "", 0);
	tar_end(b);
}

static void bad_type_of_no_ascii(struct buf *b)
{
	tar_header(b, '\xff', "f", "", 0);
	tar_end(b);
}

static void bad_link_with_content(struct buf *b)
{
	tar_header(b, '2', "l", "t", 5);
	tar_data(b, "hello", 5);
	tar_end(b);
}

static void bad_link_to_nothing(struct buf *b)
{
	tar_header(b, '2', "l", "", 0);
	tar_end(b);
}

static void bad_hard_link_out(struct buf *b)
{
	tar_header(b, '1', "l", "../etc/passwd", 0);
	tar_end(b);
}

static void bad_pax(struct buf *b, const char *records, size_t n)
{
	tar_extra(b, 'x', records, n);
	tar_file(b, "f", "x");
	tar_end(b);
}

static void bad_pax_length(struct buf *b)
{
	bad_pax(b, "99 path=a\n", 10);
}

static void bad_pax_without_equals(struct buf *b)
{
	bad_pax(b, "8 path\n\n", 8);
}

static void bad_pax_no_newline(struct buf *b)
{
	bad_pax(b, "10 path=ab", 10);
}

static void bad_pax_length_of_itself(struct buf *b)
{
	bad_pax(b, "1 path=a\n", 9);
}

static void bad_pax_nul(struct buf *b)
{
	bad_pax(b, "12 path=a\0b\n", 12);
}

static void bad_pax_number(struct buf *b)
{
	bad_pax(b, "9 uid=-1\n", 9);
}

static void bad_pax_uid(struct buf *b)
{
	bad_pax(b, "18 uid=4294967295\n", 18);
}

static void bad_pax_time(struct buf *b)
{
	bad_pax(b, "13 mtime=1.x\n", 13);
}

static void bad_pax_attribute_without_name(struct buf *b)
{
	bad_pax(b, "18 SCHILY.xattr.=\n", 18);
}

static void bad_pax_attribute_for_all(struct buf *b)
{
	tar_extra(b, 'g', "25 SCHILY.xattr.user.a=b\n", 25);
	tar_file(b, "f", "x");
	tar_end(b);
}

static void bad_pax_many_attributes(struct buf *b)
{
	struct buf records = { 0 };

	for (int i = 0; i <= XATTR_COUNT_MAX; i++)
		buf_addf(&records, "27 SCHILY.xattr.user.%03d=v\n", i);
	bad_pax(b, records.data, records.len);
	buf_done(&records);
}

static void bad_pax_sparse(struct buf *b)
{
	bad_pax(b, "22 GNU.sparse.major=1\n", 22);
}

static void bad_pax_global(struct buf *b)
{
	tar_extra(b, 'g', "9 uid=10\n", 9);
	tar_file(b, "f", "x");
	tar_end(b);
}

static void bad_pax_too_long(struct buf *b)
{
	tar_header(b, 'x', "extra", "", 2 << 20);
	for (int i = 0; i < 4096; i++)
		tar_data(b, "x", 1);
	tar_end(b);
}

static void bad_name_too_long(struct buf *b)
{
	char name[300];

	memset(name, 'n', sizeof(name));
	tar_extra(b, 'L', name, sizeof(name));
	tar_file(b, "f", "x");
	tar_end(b);
}

static void bad_too_deep(struct buf *b)
{
	char name[600];

	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 2 ? '/' : 'd';
	tar_extra(b, 'L', name, sizeof(name));
	tar_file(b, "f", "x");
	tar_end(b);
}

static void bad_size_of_minus(struct buf *b)
{
	tar_file(b, "f", "");
	memset(b->data + 124, 0xff, 12);
	tar_end(b);
}

static void what_is_wrong_is_refused_with_a_reason(void **state)
{
	static const struct {
		const char *name;
		void (*make)(struct buf *b);
	} rows[] = {
#define B(f) { #f, f }
		B(bad_cut),
		B(bad_no_end),
		B(bad_checksum),
		B(bad_rubbish),
		B(bad_dots),
		B(bad_no_name),
		B(bad_type),
		B(bad_type_of_no_ascii),
		B(bad_link_with_content),
		B(bad_link_to_nothing),
		B(bad_hard_link_out),
		B(bad_pax_length),
		B(bad_pax_without_equals),
		B(bad_pax_no_newline),
		B(bad_pax_length_of_itself),
		B(bad_pax_nul),
		B(bad_pax_number),
		B(bad_pax_uid),
		B(bad_pax_time),
		B(bad_pax_sparse),
		B(bad_pax_attribute_without_name),
		B(bad_pax_attribute_for_all),
		B(bad_pax_many_attributes),
		B(bad_pax_global),
		B(bad_pax_too_long),
		B(bad_name_too_long),
		B(bad_too_deep),
		B(bad_size_of_minus),
#undef B
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(close_untar) struct untar *u = NULL;
		struct err e = { 0 };
		struct buf b = { 0 };
		autoclose int fd = -1;
		struct entry en;
		int r;

		rows[i].make(&b);
		fd = tar_open(&b);
		u = untar_new(fd);
		do
			r = untar_next(u, &en, &e);
		while (r == 1);
		if (r == 0 || !e.msg[0])
			fail_msg("%s was taken", rows[i].name);
	}
}

static void a_comment_for_all_entries_is_no_harm(void **state)
{
	AUTO(close_untar) struct untar *u = NULL;
	struct buf b = { 0 };
	autoclose int fd = -1;
	struct entry en;
	struct err e;

	tar_extra(&b, 'g', "16 comment=0123\n", 16); /* as git archive writes one */
	tar_file(&b, "f", "x");
	tar_end(&b);
	fd = tar_open(&b);
	u = untar_new(fd);
	assert_int_equal(untar_next(u, &en, &e), 1);
	assert_string_equal(en.path, "f");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_forms_of_all_writers_are_read),
		cmocka_unit_test(content_that_is_not_read_is_skipped),
		cmocka_unit_test(attributes_may_hold_any_byte_and_the_last_of_a_name_counts),
		cmocka_unit_test(what_is_wrong_is_refused_with_a_reason),
		cmocka_unit_test(a_comment_for_all_entries_is_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
