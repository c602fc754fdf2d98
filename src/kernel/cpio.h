/* cpio.h - writing an initramfs: cpio "newc" (Documentation/driver-api/early-userspace/buffer-format.rst)
 *
 * Appends to a buffer that starts empty.  Owner is root, times are 0: the same input gives the same bytes.
 */
#ifndef KERNEL_CPIO_H
#define KERNEL_CPIO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

struct cpio {
	struct buf out; /* buf_done, or buf_ok and take it */
	uint32_t last_ino;
};

/* name without a leading '/'.  Parents must have been added before. */
void cpio_add_dir(struct cpio *c, const char *name, mode_t perm);
void cpio_add_file(struct cpio *c, const char *name, mode_t perm, const void *data, size_t n);
void cpio_add_char_device(struct cpio *c, const char *name, mode_t perm, unsigned major, unsigned minor);
/* The trailer; nothing may follow. */
void cpio_finish(struct cpio *c);

#endif
