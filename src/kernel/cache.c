/* cache.c - files made out of a kernel and kept */
#include "kernel/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"

#define HOLE_BYTES (64U << 10) /* and aligned so */

uint64_t cache_hash(uint64_t h, const void *data, size_t n)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return h;
}

/* Is the name RELEASE-(16 digits).KIND? */
static bool is_of(const char *name, const struct cache_key *key)
{
	size_t n = strlen(key->release);

	return !strncmp(name, key->release, n) && name[n] == '-' &&
	       strspn(name + n + 1, "0123456789abcdef") == 16 && name[n + 17] == '.' &&
	       !strcmp(name + n + 18, key->kind);
}

static void remove_older(int dir, const struct cache_key *key, const char *keep)
{
	DIR *d = fdopendir(fcntl(dir, F_DUPFD_CLOEXEC, 3));
	struct dirent *de;

	if (!d)
		return;
	while ((de = readdir(d)))
		if (is_of(de->d_name, key) && strcmp(de->d_name, keep))
			unlinkat(dir, de->d_name, 0);
	closedir(d);
}

/* Makes holes of what is zero, two fifths of an unpacked kernel: who loads the file can leave them out.
 * Where the file system has none, nothing but time is lost. */
static void punch_zeros(int dir, const char *name, const struct buf *b)
{
	autoclose int fd = openat(dir, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	for (size_t at = 0; fd >= 0 && b->len - at >= HOLE_BYTES; at += HOLE_BYTES)
		if (!b->data[at] && !memcmp(b->data + at, b->data + at + 1, HOLE_BYTES - 1))
			fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at, HOLE_BYTES);
}

int cache_open(const char *root, const struct cache_key *key,
	       int (*make)(void *arg, struct buf *ret, struct err *e), void *arg, struct err *e)
{
	autofree char *path = str_printf("%s/boot", root);
	autofree char *name =
		str_printf("%s-%016llx.%s", key->release, (unsigned long long)key->hash, key->kind);
	autoclose int dir = path && name ? mkdir_open(AT_FDCWD, path, 0700) : -ENOMEM;
	AUTO(buf_done) struct buf b = { 0 };
	int fd, r;

	if (dir < 0)
		return err_sys(e, -dir, "%s", path ? path : root);
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0)
		return fd;
	/* one maker at a time; who comes second makes the same once more */
	if (errno != ENOENT || flock(dir, LOCK_EX) < 0)
		return err_sys(e, errno, "%s", name);
	r = make(arg, &b, e);
	if (r < 0)
		return r;
	r = buf_ok(&b) ? write_file_atomic(dir, name, 0644, b.data, b.len) : -ENOMEM;
	if (r < 0)
		return err_sys(e, -r, "%s", name);
	punch_zeros(dir, name, &b);
	remove_older(dir, key, name);
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? err_sys(e, errno, "%s", name) : fd;
}
