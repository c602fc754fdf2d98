/* tmpfs_room.c - room in a file on a tmpfs that another process is going to write to */
#include "vm/tmpfs_room.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static bool is_tmpfs(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == TMPFS_MAGIC;
}

int tmpfs_room_take(int fd, uint64_t bytes)
{
	if (!is_tmpfs(fd))
		return 0;
	return fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes) < 0 ? -errno : 0;
}

static void give_back(int fd, off_t from, off_t to)
{
	if (from < to)
		fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from, to - from);
}

void tmpfs_room_trim(int fd, uint64_t bytes)
{
	struct stat st;
	off_t hole, data = 0;

	if (!is_tmpfs(fd) || fstat(fd, &st) < 0)
		return;
	/* pages that were taken and not written to count as holes */
	while (data < st.st_size && (hole = lseek(fd, data, SEEK_HOLE)) >= 0 && hole < st.st_size) {
		data = lseek(fd, hole, SEEK_DATA);
		if (data < 0)
			data = st.st_size;
		give_back(fd, hole, data);
	}
	give_back(fd, st.st_size, (off_t)bytes);
}
