/* fuzz_restore.c - any bytes as the archive of a layer: whatever it makes and deletes is below one directory */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "files/receive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/tmp/ketch-fuzz-restore.XXXXXX";

static void remove_room(void)
{
	remove_tree(AT_FDCWD, dir);
}

/* A directory that holds `in`, and beside it what nothing may touch. */
static int make_room(void)
{
	int fd, file;

	if (!mkdtemp(dir) || atexit(remove_room))
		abort();
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	file = openat(fd, "secret", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || file < 0)
		abort();
	close(file);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int room = -1;
	int fd = memfd_create("tar", MFD_CLOEXEC), in;
	struct stat st;
	struct err e;

	if (room < 0)
		room = make_room();
	in = mkdir_open(room, "in", 0700);
	if (fd < 0 || in < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) < 0 ||
	    symlinkat("..", in, "link") < 0)
		abort();
	files_receive(
		&(const struct destination){ .place = { .dir_fd = in, .name = "." }, .kind = TO_DIRECTORY },
		&(const struct reception){
			.in_fd = fd, .archive = true, .flags = RESTORE_TOP | RESTORE_LAYER },
		&e);
	assert(fstatat(room, "secret", &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size == 0 && st.st_nlink == 1);
	close(in);
	close(fd);
	if (remove_tree(room, "in") < 0)
		abort();
	return 0;
}
