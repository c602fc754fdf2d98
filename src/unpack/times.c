/* times.c - times (and default ACLs) of directories, which can be set only when nothing is added any more */
#include "unpack/times.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"
#include "unpack/limits.h"

#define FILE_NAME "times" /* while it is opened */

struct times {
	FILE *file;
};

struct record {
	struct timespec mtime;
	size_t path_n, acl_n; /* bytes that follow */
};

int times_open(int scratch_fd, struct times **ret, struct err *e)
{
	struct times *ts = calloc(1, sizeof(*ts));
	int fd = openat(scratch_fd, FILE_NAME, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0)
		unlinkat(scratch_fd, FILE_NAME, 0);
	if (!ts || fd < 0) {
		int no = ts ? errno : ENOMEM;

		auto_close(&fd);
		free(ts);
		return err_sys(e, no, "make a temporary file");
	}
	ts->file = fdopen(fd, "w+");
	if (!ts->file) {
		close(fd);
		free(ts);
		return err_set(e, ENOMEM, "out of memory");
	}
	*ret = ts;
	return 0;
}

struct times *times_close(struct times *ts)
{
	if (ts)
		fclose(ts->file);
	free(ts);
	return NULL;
}

int times_add(struct times *ts, const char *path, struct timespec mtime, const struct xattr *acl,
	      struct err *e)
{
	struct record rec = { .mtime = mtime, .path_n = strlen(path), .acl_n = acl ? acl->n : 0 };

	errno = 0;
	if (fwrite(&rec, sizeof(rec), 1, ts->file) != 1 ||
	    fwrite(path, 1, rec.path_n, ts->file) != rec.path_n ||
	    (acl && fwrite(acl->value, 1, acl->n, ts->file) != acl->n))
		return err_sys(e, errno ? errno : EIO, "write a temporary file");
	return 0;
}

static int apply_one(int rootfd, const struct record *rec, const char *path, const void *acl, struct err *e)
{
	const struct timespec times[2] = { rec->mtime, rec->mtime };
	autoclose int fd = open_in_root(rootfd, *path ? path : "/", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
		return 0;
	if (fd < 0)
		return err_sys(e, -fd, "open %.200s", path);
	if (rec->acl_n && fsetxattr(fd, "system.posix_acl_default", acl, rec->acl_n, 0) < 0)
		return err_sys(e, errno, "%.200s: set the default ACL", path);
	return futimens(fd, times) < 0 ? err_sys(e, errno, "%.200s: set times", path) : 0;
}

int times_apply(struct times *ts, int rootfd, struct err *e)
{
	autofree char *acl = malloc(XATTR_VALUE_MAX);
	char path[PATH_BYTES_MAX + 1];
	struct record rec;
	int r = 0;

	if (!acl)
		return err_set(e, ENOMEM, "out of memory");
	if (fflush(ts->file) != 0)
		return err_sys(e, errno, "write a temporary file");
	rewind(ts->file);
	while (r == 0 && fread(&rec, sizeof(rec), 1, ts->file) == 1) {
		if (rec.path_n > PATH_BYTES_MAX || rec.acl_n > XATTR_VALUE_MAX ||
		    fread(path, 1, rec.path_n, ts->file) != rec.path_n ||
		    fread(acl, 1, rec.acl_n, ts->file) != rec.acl_n)
			return err_set(e, EIO, "a temporary file cannot be read back");
		path[rec.path_n] = '\0';
		r = apply_one(rootfd, &rec, path, acl, e);
	}
	return r;
}
