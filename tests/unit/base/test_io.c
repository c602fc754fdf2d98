/* test_io.c - files that are written anew are whole, whoever else writes them, and whatever a killed writer has left */
#include "../cm.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"

#define WRITERS 6
#define TIMES	60
#define SIZE	20000

static int made_dir(char path[static 32])
{
	int dir;

	strcpy(path, "/tmp/ketch-io.XXXXXX");
	assert_non_null(mkdtemp(path));
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	return dir;
}

static void gone(int dir, const char *path)
{
	close(dir);
	assert_int_equal(remove_tree(AT_FDCWD, path), 0);
}

/* Of one letter, as long as the letter says: a mixture of two shows. */
static void write_many(int dir, char letter)
{
	char text[SIZE];

	memset(text, letter, sizeof(text));
	for (int i = 0; i < TIMES; i++)
		if (write_file_swap(dir, "file", 0600, text, SIZE - (size_t)(letter - 'a') * 1000) < 0)
			_exit(1);
	_exit(0);
}

static void check_whole(int dir)
{
	struct buf b = { 0 };

	assert_int_equal(read_file(dir, "file", SIZE, &b), 0);
	assert_int_equal(b.len, SIZE - (size_t)(b.data[0] - 'a') * 1000);
	for (size_t i = 1; i < b.len; i++)
		assert_int_equal(b.data[i], b.data[0]);
	buf_done(&b);
}

static void of_several_writers_one_is_there_whole(void **state)
{
	char path[32];
	int dir = made_dir(path), status;

	assert_int_equal(write_file_swap(dir, "file", 0600, "", 0), 0);
	for (int i = 0; i < WRITERS; i++)
		if (fork() == 0)
			write_many(dir, (char)('a' + i));
	for (int i = 0; i < WRITERS; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
		check_whole(dir);
	}
	assert_int_equal(faccessat(dir, "file" WRITE_FILE_TMP, F_OK, 0), -1);
	gone(dir, path);
}

static void what_a_killed_writer_left_is_written_over(void **state)
{
	struct buf b = { 0 };
	char path[32];
	int dir = made_dir(path),
	    fd = openat(dir, "file" WRITE_FILE_TMP, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, "much more", 9), 9);
	close(fd);
	assert_int_equal(write_file_atomic(dir, "file", 0600, "new", 3), 0);
	assert_int_equal(read_file(dir, "file", 100, &b), 0);
	assert_string_equal(b.data, "new");
	buf_done(&b);
	gone(dir, path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_several_writers_one_is_there_whole),
		cmocka_unit_test(what_a_killed_writer_left_is_written_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
