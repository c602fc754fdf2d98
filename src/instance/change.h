/* change.h - one difference between an instance's files and its image, as FILES_CHANGES gives them
 *
 * A record is a letter, an absolute path and a NUL.  Where stamps were asked for, 16 hex digits stand before the path:
 * two files with the same stamp have the same type, mode and owner, and but for directories the same size, time and device
 * number, by all appearance.  Records come from a guest, too: whoever reads them checks them here.
 */
#ifndef INSTANCE_CHANGE_H
#define INSTANCE_CHANGE_H

#include <stdint.h>

#include "base/buf.h"

#define CHANGE_STAMP_LEN  16
#define CHANGE_RECORD_MAX (4098 + CHANGE_STAMP_LEN) /* letter, stamp, path, NUL */

struct change {
	char kind; /* 'A' added, 'C' changed, 'D' deleted */
	const char *path; /* borrowed */
	uint64_t
		stamp; /* 0: none; of what is deleted, or a directory that only has something different below it */
	size_t bytes; /* of the record */
};

/* Looks at the front of `in`.  1: *ret is a record, to be dropped afterwards by change_drop; 0: more bytes are needed;
 * -EPROTO: this is none. */
int change_peek(const struct buf *in, struct change *ret);
void change_drop(struct buf *in, const struct change *c);

/* Orders paths as lists have them: depth first, names of one directory in the order of their bytes. */
int change_compare_paths(const char *a, const char *b);

#endif
