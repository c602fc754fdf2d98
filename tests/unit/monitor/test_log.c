/* test_log.c - whatever bytes come, the log holds them, a record a line */
#include "../cm.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "monitor/log.h"
#include "monitor/log_int.h"

static char dir[] = "/tmp/ketch-test-log.XXXXXX";

static int make_dir(void **state)
{
	return mkdtemp(dir) ? 0 : -1;
}

static int drop_dir(void **state)
{
	return remove_tree(AT_FDCWD, dir);
}

/* Reads the log back without its time stamps, which are checked for their form. */
static void expect(const char *want, size_t want_len)
{
	struct buf raw = { 0 }, got = { 0 };
	char path[64];

	snprintf(path, sizeof(path), "%s/log", dir);
	assert_int_equal(read_file(AT_FDCWD, path, 1 << 20, &raw), 0);
	for (size_t at = 0; at < raw.len;) {
		size_t n = (size_t)((char *)memchr(raw.data + at, '\n', raw.len - at) - (raw.data + at)) + 1;

		assert_true(n > 40);
		assert_memory_equal(raw.data + at + 10, "T", 1);
		assert_memory_equal(raw.data + at + 29, "Z ", 2);
		buf_add(&got, raw.data + at + 31, n - 31);
		at += n;
	}
	assert_int_equal(got.len, want_len);
	assert_memory_equal(got.data, want, want_len);
	buf_done(&raw);
	buf_done(&got);
	unlink(path);
}

static struct log *open_log(void)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY);
	struct log *l = log_open(fd, "log", &(const struct log_spec){ 0 });

	close(fd);
	assert_non_null(l);
	return l;
}

static void lines_are_whole_whatever_the_pieces(void **state)
{
	static const char want[] = "stdout F one\nstderr F err\nstdout F two\nstdout F \nstdout P end\n";
	struct log *l = open_log();

	log_write(l, LOG_STDOUT, "on", 2);
	log_write(l, LOG_STDERR, "err\n", 4);
	log_write(l, LOG_STDOUT, "e\ntw", 4);
	log_write(l, LOG_STDOUT, "o\n\nend", 6);
	log_close(l);
	/* the record of `one` comes when its newline does */
	expect("stderr F err\nstdout F one\nstdout F two\nstdout F \nstdout P end\n", sizeof(want) - 1);
}

static void bytes_that_are_no_text_stay_as_they_are(void **state)
{
	static const char want[] = "stdout F \0\xff\x1b[31m\r\n";
	struct log *l = open_log();

	log_write(l, LOG_STDOUT, "\0\xff\x1b[31m\r\n", 9);
	log_close(l);
	expect(want, sizeof(want) - 1);
}

static void a_long_line_is_cut_into_pieces(void **state)
{
	size_t n = 40000;
	char *line = malloc(n + 1);
	struct buf want = { 0 };
	struct log *l = open_log();

	memset(line, 'x', n);
	line[n] = '\n';
	log_write(l, LOG_STDOUT, line, n + 1);
	log_close(l);
	buf_addf(&want, "stdout P %.16384s\nstdout P %.16384s\nstdout F %.7232s\n", line, line, line);
	expect(want.data, want.len);
	buf_done(&want);
	free(line);
}

static size_t size_of(const char *name)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return stat(path, &st) == 0 ? (size_t)st.st_size : 0;
}

static char first_of(const char *name)
{
	char path[64], record[64] = "";
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "r");
	if (!f || !fgets(record, sizeof(record), f))
		fail_msg("%s is empty", name);
	fclose(f);
	return record[strcspn(record, " ") + 10];
}

static void a_file_that_has_grown_makes_room_for_the_next(void **state)
{
	const struct log_spec limits = { .max_bytes = 1024, .max_files = 3 };
	int fd = open(dir, O_RDONLY | O_DIRECTORY);
	struct log *l = log_open(fd, "log", &limits);
	char line[100];

	close(fd);
	/* of lines with 141 bytes in the log 7 go into a file: 0 to 6, 7 to 13 and so on */
	for (int i = 0; i < 30; i++) {
		memset(line, 'a' + i % 26, sizeof(line) - 1);
		line[sizeof(line) - 1] = '\n';
		assert_int_equal(log_write(l, LOG_STDOUT, line, sizeof(line)), 0);
	}
	log_close(l);
	assert_int_equal(size_of("log.3"), 0);
	assert_in_range(size_of("log.2"), 900, 1024);
	assert_in_range(size_of("log.1"), 900, 1024);
	assert_in_range(size_of("log"), 1, 1024);
	assert_int_equal(first_of("log"), 'a' + 28 % 26);
	assert_int_equal(first_of("log.1"), 'a' + 21);
	assert_int_equal(first_of("log.2"), 'a' + 14);
}

static void many_lines_in_one_write_are_parted_at_the_limit(void **state)
{
	const struct log_spec limits = { .max_bytes = 4096, .max_files = 100 };
	int fd = open(dir, O_RDONLY | O_DIRECTORY);
	struct log *l = log_open(fd, "many", &limits);
	char lines[20000];

	close(fd);
	memset(lines, '\n', sizeof(lines));
	assert_int_equal(log_write(l, LOG_STDERR, lines, sizeof(lines)), 0);
	log_close(l);
	assert_in_range(size_of("many"), 1, 4096);
	assert_in_range(size_of("many.1"), 4050, 4096);
	assert_in_range(size_of("many.99"), 4050, 4096);
	assert_int_equal(size_of("many.100"), 0);
}

static void write_line(struct log *l, char letter)
{
	char line[100];

	memset(line, letter, sizeof(line) - 1);
	line[sizeof(line) - 1] = '\n';
	assert_int_equal(log_write(l, LOG_STDOUT, line, sizeof(line)), 0);
}

/* For want of descriptors, or of inodes: nothing is lost, neither a line nor an older file. */
static void a_file_that_cannot_have_a_next_one_grows_on(void **state)
{
	const struct log_spec limits = { .max_bytes = 1024, .max_files = 3 };
	int fd = open(dir, O_RDONLY | O_DIRECTORY);
	struct log *l = log_open(fd, "full", &limits);
	struct rlimit all, none;

	close(fd);
	for (int i = 0; i < 15; i++)
		write_line(l, (char)('a' + i));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
	none = (struct rlimit){ 3, all.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	for (int i = 15; i < 25; i++)
		write_line(l, (char)('a' + i));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
	assert_int_equal(size_of("full"), 11 * 140);
	assert_int_equal(first_of("full"), 'a' + 14);
	assert_int_equal(first_of("full.1"), 'a' + 7);
	assert_int_equal(first_of("full.2"), 'a');
	write_line(l, 'z');
	log_close(l);
	assert_int_equal(size_of("full"), 140);
	assert_int_equal(size_of("full.1"), 11 * 140);
	assert_int_equal(size_of("full.next"), 0);
}

/* Labels may be an image's: they say nothing in Ketch's own name. */
static void fields_of_the_journal_have_its_names(void **state)
{
	struct instance_spec s = { 0 };
	struct buf fields = { 0 };

	assert_int_equal(
		strv_split(&s.labels,
			   "com.example.a-b=1;__x=2;container.name=other;message=m;\xc3\xa9\xc3\xa9z=3;"
			   "---=4;multi=a\nb",
			   ";"),
		0);
	s.id = strdup("0123456789abcdef");
	s.name = strdup("web");
	s.log = (struct log_spec){ .labels_regex = strdup(".*"), .tag = strdup("t-{{.Name}}") };
	assert_int_equal(log_journald_fields(&s, &fields), 0);
	buf_addc(&fields, '\0');
	assert_non_null(strstr(fields.data, "\nCONTAINER_TAG=t-web\nSYSLOG_IDENTIFIER=t-web\n"));
	assert_non_null(strstr(fields.data, "\nCOM_EXAMPLE_A_B=1\nX=2\nZ=3\nMULTI\n"));
	assert_null(strstr(fields.data, "other"));
	assert_null(strstr(fields.data, "=m\n"));
	assert_null(strstr(fields.data, "=4\n"));
	buf_done(&fields);
	json_done(&instance_spec_table, &s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_whole_whatever_the_pieces),
		cmocka_unit_test(bytes_that_are_no_text_stay_as_they_are),
		cmocka_unit_test(a_long_line_is_cut_into_pieces),
		cmocka_unit_test(a_file_that_has_grown_makes_room_for_the_next),
		cmocka_unit_test(many_lines_in_one_write_are_parted_at_the_limit),
		cmocka_unit_test(a_file_that_cannot_have_a_next_one_grows_on),
		cmocka_unit_test(fields_of_the_journal_have_its_names),
	};

	return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
