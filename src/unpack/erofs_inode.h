/* erofs_inode.h - what is told about a file, as EROFS keeps it */
#ifndef UNPACK_EROFS_INODE_H
#define UNPACK_EROFS_INODE_H

#include <stdbool.h>

#include "base/buf.h"
#include "files/entry.h"
#include "unpack/erofs_format.h"
#include "unpack/erofs_meta.h"

/* Mode, owner, time, device: one link, no data. */
int erofs_inode_fill(const struct entry *en, struct erofs_inode *ret, struct err *e);
enum erofs_type erofs_type_of(mode_t mode);
/* The attributes that are kept, as they lie behind the inode: nothing where there are none. */
int erofs_xattrs_fill(const struct entry *en, struct buf *ret, struct err *e);
/* Adds one more to such. */
int erofs_xattrs_add(const struct xattr *x, struct buf *to, struct err *e);

/* Sets xattr_count and layout. */
void erofs_inode_close(struct erofs_inode *in, const struct buf *attrs, bool is_inline);
/* Adds inode, attributes and what lies behind them; *ret_slot is its number. */
struct erofs_piece {
	const void *data;
	size_t n;
};
int erofs_inode_add(struct erofs_meta *m, struct erofs_inode *in, const struct buf *attrs,
		    const struct erofs_piece *behind, uint32_t *ret_slot, struct err *e);

#endif
