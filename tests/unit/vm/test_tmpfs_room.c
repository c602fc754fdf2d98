/* test_tmpfs_room.c - room is taken where pages are counted, and what nobody wrote to is given back */
#include "../cm.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "vm/tmpfs_room.h"

#define MIB  (1 << 20)
#define ROOM (8 * MIB)

static long taken(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return (long)st.st_blocks * 512;
}

static void what_is_written_stays_and_the_rest_goes(void **state)
{
	int fd = memfd_create("room", MFD_CLOEXEC); /* a file of a tmpfs, wherever the host has some */
	char bytes[5000], got[sizeof(bytes)];
	struct stat st;

	memset(bytes, 7, sizeof(bytes));
	assert_int_equal(tmpfs_room_take(fd, ROOM), 0);
	assert_true(taken(fd) >= ROOM);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(ftruncate(fd, 4 * MIB), 0);
	assert_int_equal(pwrite(fd, bytes, sizeof(bytes), 3 * MIB), sizeof(bytes));
	assert_int_equal(pwrite(fd, bytes, 1, 0), 1);
	tmpfs_room_trim(fd, ROOM);
	assert_true(taken(fd) <= 64 << 10); /* pages may be larger than 4 KiB */
	assert_int_equal(pread(fd, got, sizeof(got), 3 * MIB), sizeof(got));
	assert_memory_equal(got, bytes, sizeof(got));
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 4 * MIB);
	close(fd);
}

static void elsewhere_nothing_is_taken(void **state)
{
	char path[] = "/var/tmp/room.XXXXXX";
	int fd = mkstemp(path);
	struct statfs fs;

	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(fstatfs(fd, &fs), 0);
	if (fs.f_type == TMPFS_MAGIC) {
		print_message("skipped: /var/tmp is a tmpfs\n");
		close(fd);
		skip();
	}
	assert_int_equal(tmpfs_room_take(fd, ROOM), 0);
	assert_int_equal(taken(fd), 0);
	close(fd);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_stays_and_the_rest_goes),
		cmocka_unit_test(elsewhere_nothing_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
