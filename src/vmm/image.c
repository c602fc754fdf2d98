/* image.c - the files to boot from */
#include "vmm/image.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

int image_init(struct image *i, const char *what, int fd, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "%s", what);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "the %s is not a regular file", what);
	if (st.st_size <= 0)
		return err_set(e, EINVAL, "the %s is empty", what);
	*i = (struct image){ .what = what, .fd = fd, .bytes = (uint64_t)st.st_size };
	return 0;
}

int image_read(const struct image *i, uint64_t offset, void *to, uint64_t n, struct err *e)
{
	uint8_t *p = to;

	if (offset > i->bytes || n > i->bytes - offset)
		return err_set(e, EINVAL, "the %s is cut off: it has %llu bytes, and more are needed",
			       i->what, (unsigned long long)i->bytes);
	while (n) {
		ssize_t got = pread(i->fd, p, n, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(e, errno, "%s", i->what);
		if (got == 0)
			return err_set(e, EINVAL, "the %s was cut off while it was read", i->what);
		p += got;
		offset += (uint64_t)got;
		n -= (uint64_t)got;
	}
	return 0;
}
