/* cache.c - files by digest, and links by key */
#include "seccomp/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/path.h"

#define CACHE_VERSION "2" /* of compile.c: bump when it answers differently */

/* Is it of this type, ours, and nobody else's to write? */
static bool is_ours(int fd, mode_t type)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == type && st.st_uid == geteuid() &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

int cache_open_dir(const char *path)
{
	autoclose int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		fd = mkdir_open(AT_FDCWD, path, 0700);
	else if (fd < 0)
		fd = -errno;
	if (fd < 0)
		return fd;
	return is_ours(fd, S_IFDIR) ? take_fd(&fd) : -EPERM;
}

void cache_key_init(struct sha256 *h, const char *kind)
{
	const struct scmp_version *v = seccomp_version();
	const unsigned id[3] = { v->major, v->minor, v->micro };

	sha256_init(h);
	sha256_add(h, CACHE_VERSION, sizeof(CACHE_VERSION));
	sha256_add(h, kind, strlen(kind) + 1);
	sha256_add(h, id, sizeof(id));
}

void cache_key_end(struct sha256 *h, char ret_key[SHA256_HEX])
{
	uint8_t digest[SHA256_BYTES];

	sha256_end(h, digest);
	hex_encode(digest, SHA256_BYTES, ret_key);
}

int cache_get_named(int dir, const char *name, struct buf *ret)
{
	autoclose int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char hex[SHA256_HEX];
	int r;

	if (fd < 0)
		return -errno;
	if (!is_ours(fd, S_IFREG))
		return -EBADMSG;
	r = read_to_end(fd, CACHE_FILE_MAX, ret);
	if (r < 0)
		return r;
	sha256_hex(ret->data, ret->len, hex);
	if (strncmp(name, hex, SHA256_HEX - 1))
		return -EBADMSG;
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : take_fd(&fd);
}

int cache_get(int dir, const char *key, char ret_name[CACHE_NAME], struct buf *ret)
{
	char name[CACHE_NAME + 1];
	ssize_t n = readlinkat(dir, key, name, sizeof(name));
	int fd;

	if (n < 0)
		return -errno;
	if (n != CACHE_NAME - 1)
		return -EBADMSG;
	name[n] = '\0';
	if (strchr(name, '/'))
		return -EBADMSG;
	fd = cache_get_named(dir, name, ret);
	if (fd >= 0)
		memcpy(ret_name, name, CACHE_NAME);
	return fd;
}

static int link_atomic(int dir, const char *target, const char *key)
{
	autofree char *tmp = str_printf(".%s.%d", key, (int)getpid());
	int r = 0;

	if (!tmp)
		return -ENOMEM;
	unlinkat(dir, tmp, 0);
	if (symlinkat(target, dir, tmp) < 0 || renameat(dir, tmp, dir, key) < 0) {
		r = -errno;
		unlinkat(dir, tmp, 0);
	}
	return r;
}

int cache_put(int dir, const char *key, const struct buf *content, char ret_name[CACHE_NAME])
{
	char name[CACHE_NAME];
	int r;

	sha256_hex(content->data, content->len, name);
	memcpy(name + SHA256_HEX - 1, ".bpf", 5);
	r = write_file_atomic(dir, name, 0600, content->data, content->len);
	if (r == 0)
		r = link_atomic(dir, name, key);
	if (r == 0)
		memcpy(ret_name, name, CACHE_NAME);
	return r;
}

void cache_limit(int dir, size_t max)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;
	size_t n = 0;

	if (!d) {
		auto_close(&copy);
		return;
	}
	while (readdir(d))
		n++;
	rewinddir(d);
	while (n > max && (entry = readdir(d)))
		unlinkat(dir, entry->d_name, 0); /* not "." and "..": they are directories */
	closedir(d);
}
