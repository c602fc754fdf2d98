/* fuzz_untar.c - any bytes as a tar stream of the small reader: entries within their limits, or a refusal */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include "files/untar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_entry(const struct entry *en)
{
	assert(strlen(en->path) <= PATH_BYTES_MAX && *en->path != '/' && !strstr(en->path, "/../"));
	assert(strncmp(en->path, "../", 3) && strcmp(en->path, ".."));
	if (en->hardlink)
		assert(*en->hardlink != '/' && strncmp(en->hardlink, "../", 3));
	if (en->symlink)
		assert(*en->symlink && strlen(en->symlink) <= LINK_BYTES_MAX);
	assert(!en->hardlink || !en->symlink);
	assert(en->uid != (uid_t)-1 && en->gid != (gid_t)-1);
	assert(en->n_xattrs <= XATTR_COUNT_MAX);
	for (size_t i = 0; i < en->n_xattrs; i++)
		assert(*en->xattrs[i].name && en->xattrs[i].n <= XATTR_VALUE_MAX);
	assert(en->mtime.tv_nsec >= 0 && en->mtime.tv_nsec < 1000000000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("tar", MFD_CLOEXEC);
	struct untar *u = untar_new(fd);
	struct err e;
	struct entry en;
	const void *piece;

	if (fd < 0 || !u || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) < 0)
		abort();
	for (int i = 0; untar_next(u, &en, &e) == 1; i++) {
		uint64_t left = en.size;
		ssize_t n;

		check_entry(&en);
		while (i % 2 == 0 && (n = untar_read(u, &piece, &e)) > 0) {
			assert((uint64_t)n <= left);
			left -= (uint64_t)n;
		}
	}
	untar_free(u);
	close(fd);
	return 0;
}
