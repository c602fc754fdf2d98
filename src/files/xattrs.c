/* xattrs.c - the extended attributes of one file, as an entry wants them */
#include "files/xattrs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

void xattrs_done(struct xattrs *x)
{
	buf_done(&x->values);
	x->n = 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct xattr *)a)->name, ((const struct xattr *)b)->name);
}

static int add(struct xattrs *x, int fd, const char *name, const char *attribute, struct err *e)
{
	char *room = buf_room(&x->values, XATTR_VALUE_MAX);
	ssize_t n;

	if (!room)
		return err_set(e, ENOMEM, "out of memory");
	n = fd >= 0 ? fgetxattr(fd, attribute, room, XATTR_VALUE_MAX)
		    : lgetxattr(name, attribute, room, XATTR_VALUE_MAX);
	if (n < 0)
		return errno == ENODATA ? 0 : err_sys(e, errno, "read the attribute %.80s", attribute);
	if (x->n == XATTR_COUNT_MAX || x->values.len + (size_t)n > XATTR_BYTES_MAX)
		return err_set(e, E2BIG, "too many or too large attributes");
	/* the offset for now: the buffer may still move */
	x->list[x->n++] = (struct xattr){ attribute, (void *)(uintptr_t)x->values.len, (size_t)n };
	x->values.len += (size_t)n;
	return 0;
}

int xattrs_read(int fd, const char *name, bool (*keeps)(const char *attribute), struct xattrs *x,
		struct err *e)
{
	ssize_t n = fd >= 0 ? flistxattr(fd, x->names, sizeof(x->names))
			    : llistxattr(name, x->names, sizeof(x->names));
	int r = 0;

	x->n = x->values.len = 0;
	if (n < 0)
		return errno == EOPNOTSUPP ? 0 : err_sys(e, errno, "list its attributes");
	for (const char *p = x->names; p < x->names + n && r == 0; p += strlen(p) + 1)
		if (!keeps || keeps(p))
			r = add(x, fd, name, p, e);
	for (size_t i = 0; i < x->n; i++)
		x->list[i].value = x->values.data + (uintptr_t)x->list[i].value;
	qsort(x->list, x->n, sizeof(x->list[0]), compare);
	return r;
}
