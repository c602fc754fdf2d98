/* disk_usage.c - what trees take on the disk: their blocks, not their lengths */
#include "engine/disk_usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"

#define DEPTH_MAX   200 /* each costs a descriptor and stack; what is deeper is not counted */
#define BLOCK_BYTES 512 /* of st_blocks */

struct count {
	dev_t dev;
	uint64_t bytes;
};

static void count_entry(struct count *c, int dirfd, const char *name, int depth);

static void count_children(struct count *c, int dirfd, const char *name, int depth)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;

	while (d && (de = readdir(d)))
		if (strcmp(de->d_name, ".") && strcmp(de->d_name, ".."))
			count_entry(c, fd, de->d_name, depth - 1);
	if (d)
		closedir(d);
}

static void count_entry(struct count *c, int dirfd, const char *name, int depth)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || (c->dev && st.st_dev != c->dev))
		return;
	c->dev = st.st_dev;
	c->bytes += (uint64_t)st.st_blocks * BLOCK_BYTES / (S_ISDIR(st.st_mode) ? 1 : st.st_nlink);
	if (S_ISDIR(st.st_mode) && depth)
		count_children(c, dirfd, name, depth);
}

uint64_t disk_usage_bytes(int dirfd, const char *name)
{
	struct count c = { 0 };

	count_entry(&c, dirfd, name, DEPTH_MAX);
	return c.bytes;
}
