/* cpio.c - writing an initramfs: cpio "newc" */
#include "kernel/cpio.h"

#include <string.h>
#include <sys/stat.h>

struct entry {
	const char *name;
	mode_t mode;
	unsigned major, minor; /* of a device */
	const void *data;
	size_t n;
};

static void pad4(struct buf *b)
{
	while (b->len % 4 && buf_ok(b))
		buf_addc(b, '\0');
}

static void add(struct cpio *c, const struct entry *en)
{
	struct buf *b = &c->out;

	if (en->n > UINT32_MAX) {
		b->failed = true;
		return;
	}
	/* magic ino mode uid gid nlink mtime filesize major minor rmajor rminor namesize check */
	buf_addf(b, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", ++c->last_ino, en->mode, 0,
		 0, S_ISDIR(en->mode) ? 2 : 1, 0, (unsigned)en->n, 0, 0, en->major, en->minor,
		 (unsigned)strlen(en->name) + 1, 0);
	buf_add(b, en->name, strlen(en->name) + 1);
	pad4(b);
	buf_add(b, en->data, en->n);
	pad4(b);
}

void cpio_add_dir(struct cpio *c, const char *name, mode_t perm)
{
	add(c, &(struct entry){ .name = name, .mode = S_IFDIR | perm });
}

void cpio_add_file(struct cpio *c, const char *name, mode_t perm, const void *data, size_t n)
{
	add(c, &(struct entry){ .name = name, .mode = S_IFREG | perm, .data = data, .n = n });
}

void cpio_add_char_device(struct cpio *c, const char *name, mode_t perm, unsigned major, unsigned minor)
{
	add(c, &(struct entry){ .name = name, .mode = S_IFCHR | perm, .major = major, .minor = minor });
}

void cpio_finish(struct cpio *c)
{
	add(c, &(struct entry){ .name = "TRAILER!!!" });
}
