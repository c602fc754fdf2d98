/* fuzz_skeleton.c - any bytes as the steps by which an archive is made again: refused, or made within the layer
 *
 * What is made of a good archive is compared with it in fuzz_erofs.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/path.h"
#include "unpack/erofs_format.h"
#include "unpack/skeleton.h"

#define MADE_MAX (64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static int file, directory;
static char dir[] = "/tmp/fuzz-skeleton-XXXXXX";

static void remove_dir(void)
{
	remove_tree(AT_FDCWD, dir);
}

/* A layer of three blocks, the last of which is metadata; and a directory with one file. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct erofs_super super = { .magic = EROFS_MAGIC, .meta_block = 2 };
	int f;

	file = memfd_create("layer", MFD_CLOEXEC);
	directory = mkdtemp(dir) ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	f = openat(directory, "f", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (ftruncate(file, (off_t)3 * EROFS_BLOCK) < 0 || ftruncate(f, 5000) < 0 ||
	    pwrite_full(file, &super, sizeof(super), EROFS_SUPER_OFFSET) < 0)
		return -1;
	return atexit(remove_dir);
}

static void read_all(const uint8_t *data, size_t size, int layer)
{
	struct source *s = source_skeleton(source_memory(data, size), layer);
	struct err e = { 0 };
	const void *piece;
	uint64_t made = 0;
	ssize_t n;

	while (s && made < MADE_MAX && (n = source_read(s, &piece, &e)) > 0)
		made += (uint64_t)n;
	source_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(buf_done) struct buf steps = { 0 };

	buf_adds(&steps, SKELETON_MAGIC);
	buf_add(&steps, data, size);
	if (!buf_ok(&steps))
		return 0;
	read_all((const uint8_t *)steps.data, steps.len, file);
	read_all((const uint8_t *)steps.data, steps.len, directory);
	return 0;
}
