/* blobs.c - what pulls have fetched and not yet unpacked: handed on as a layout, and expired
 *
 * A blob stays until its layer is in the store, and so a pull that was broken off goes on where it stopped.  What
 * nobody has touched for a week is removed by the next job; what is locked is being fetched.
 */
#include "image/blobs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"

static void name_of(const struct digest *d, char ret[DIGEST_HEX])
{
	digest_hex(d, ret);
}

int blobs_link(struct image_store *s, const struct digest *d, int to_dir, struct err *e)
{
	char name[DIGEST_HEX];

	name_of(d, name);
	if (linkat(s->blobs_fd, name, to_dir, name, 0) == 0 || errno == EEXIST)
		return 0;
	return err_sys(e, errno, "%s/blobs/%.12s", s->root, name);
}

int blobs_link_arriving(struct image_store *s, const struct digest *d, bool done, int to_dir, struct err *e)
{
	char name[DIGEST_HEX], from[DIGEST_HEX + sizeof(".partial")];

	name_of(d, name);
	snprintf(from, sizeof(from), "%s%s", name, done ? "" : ".partial");
	if (linkat(s->blobs_fd, from, to_dir, name, 0) == 0 || errno == EEXIST || (errno == ENOENT && !done))
		return 0;
	if (errno == ENOENT && faccessat(to_dir, name, F_OK, 0) == 0)
		return 0;
	return errno == ENOENT ? err_set(e, ESTALE, "%s/blobs/%.12s was removed meanwhile", s->root, name)
			       : err_sys(e, errno, "%s/blobs/%.12s", s->root, name);
}

int blobs_read(struct image_store *s, const struct digest *d, size_t max, struct buf *ret, struct err *e)
{
	char name[DIGEST_HEX];
	int r;

	name_of(d, name);
	r = read_file(s->blobs_fd, name, max, ret);
	return r < 0 ? err_sys(e, -r, "%s/blobs/%.12s", s->root, name) : 0;
}

/* Unless somebody fetches it.  It need not be there. */
static int drop_if_idle(struct image_store *s, const char *name)
{
	autoclose int fd = openat(s->blobs_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
		return 0;
	return unlinkat(s->blobs_fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

void blobs_drop(struct image_store *s, const struct digest *d)
{
	char name[DIGEST_HEX], partial[DIGEST_HEX + sizeof(".partial")];

	name_of(d, name);
	snprintf(partial, sizeof(partial), "%s.partial", name);
	/* what cannot be removed now expires */
	unlinkat(s->blobs_fd, name, 0);
	drop_if_idle(s, partial);
}

int image_downloads_remove(struct image_store *s, uint64_t *bytes, struct err *e)
{
	return blobs_expire(s, 0, bytes, e);
}

int blobs_expire(struct image_store *s, int64_t age_s, uint64_t *ret_bytes, struct err *e)
{
	int fd = openat(s->blobs_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	time_t oldest = time(NULL) - (time_t)age_s;
	struct dirent *de;
	struct stat st;

	if (!d) {
		r = err_sys(e, errno, "read %s/blobs", s->root);
		auto_close(&fd);
		return r;
	}
	while (r == 0 && (de = readdir(d))) {
		if (*de->d_name == '.' || fstatat(s->blobs_fd, de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    st.st_mtime > oldest)
			continue;
		r = drop_if_idle(s, de->d_name);
		if (r < 0)
			err_sys(e, -r, "remove %s/blobs/%.40s", s->root, de->d_name);
		else if (ret_bytes)
			*ret_bytes += (uint64_t)st.st_blocks * 512;
	}
	closedir(d);
	return r;
}
