/* user_files.c - a user by the files of a root: /etc/passwd and /etc/group, in the place of which anything may be */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "container/user.h"

static bool is_regular(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* The image may have put anything there: a link out of the root, a FIFO, a file without end, a device, which is
 * not even opened. */
static int read_account_file(int rootfd, const char *path, struct buf *ret, struct err *e)
{
	autoclose int place = open_in_root(rootfd, path, O_PATH, 0), fd = -1;
	int r;

	if (place == -ENOENT)
		return 0;
	if (place >= 0 && !is_regular(place))
		return err_set(e, EINVAL, "%s of the image is not a regular file", path);
	fd = place < 0 ? place : open_in_root(rootfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return err_sys(e, -fd, "cannot open %s of the image", path);
	if (!is_regular(fd)) /* exchanged meanwhile */
		return err_set(e, EINVAL, "%s of the image is not a regular file", path);
	r = read_to_end(fd, USER_FILE_MAX, ret);
	if (r == -EFBIG)
		return err_set(e, EFBIG, "%s of the image is larger than 1 MiB", path);
	return r < 0 ? err_sys(e, -r, "cannot read %s of the image", path) : 0;
}

int user_resolve(int rootfd, const char *spec, const struct strv *groups, struct user *ret, struct err *e)
{
	AUTO(buf_done) struct buf passwd = { 0 }, group = { 0 };
	int r = read_account_file(rootfd, "/etc/passwd", &passwd, e);

	if (r == 0)
		r = read_account_file(rootfd, "/etc/group", &group, e);
	return r < 0 ? r : user_parse(spec, groups, &passwd, &group, ret, e);
}
