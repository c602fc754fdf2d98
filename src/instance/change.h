/* change.h - one difference between an instance's files and its image, as FILES_CHANGES gives them
 *
 * A record is a letter, an absolute path and a NUL.  They come from a guest, too: whoever reads them checks them here.
 */
#ifndef INSTANCE_CHANGE_H
#define INSTANCE_CHANGE_H

#include "base/buf.h"

#define CHANGE_RECORD_MAX 4098 /* letter, path, NUL */

struct change {
	char kind; /* 'A' added, 'C' changed, 'D' deleted */
	const char *path; /* borrowed */
};

/* Looks at the front of `in`.  1: *ret is a record, to be dropped afterwards by change_drop; 0: more bytes are needed;
 * -EPROTO: this is none. */
int change_peek(const struct buf *in, struct change *ret);
void change_drop(struct buf *in, const struct change *c);

#endif
