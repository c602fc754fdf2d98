/* lock.c - locks of the store: files in locks/, held as long as a descriptor is open; the owner is named */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "image/store_int.h"
#include "sys/patience.h"

static void name_owner(int fd, const char *what)
{
	char line[120];
	int n = snprintf(line, sizeof(line), "%s, process %d", what, (int)getpid());

	/* only for messages: that it may not be written changes nothing */
	if (ftruncate(fd, 0) == 0 && pwrite(fd, line, (size_t)n, 0) < 0)
		return;
}

static int held_error(int fd, const char *name, int timeout_s, struct err *e)
{
	char owner[120];
	ssize_t n = pread(fd, owner, sizeof(owner) - 1, 0);

	owner[n > 0 ? n : 0] = '\0';
	return err_set(e, EBUSY, "the lock \"%s\" of the store is held for more than %d s by %s", name,
		       timeout_s, *owner ? owner : "another process");
}

int image_store_lock(struct image_store *s, const char *name, int timeout_s, const char *what, struct err *e)
{
	autoclose int fd = openat(s->locks_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r;

	if (fd < 0)
		return err_sys(e, errno, "open %s/locks/%s", s->root, name);
	r = flock_within_ms(fd, LOCK_EX, timeout_s * 1000L);
	if (r == -EBUSY)
		return held_error(fd, name, timeout_s, e);
	if (r == -EINTR)
		return err_set(e, EINTR, "interrupted while it waited for the lock \"%s\" of the store",
			       name);
	if (r < 0)
		return err_sys(e, -r, "lock %s/locks/%s", s->root, name);
	name_owner(fd, what);
	return take_fd(&fd);
}
