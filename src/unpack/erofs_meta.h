/* erofs_meta.h - the metadata area of an EROFS while it is made: inodes with what lies behind them
 *
 * It is last in the file but must grow while contents go by: so it grows in a file of its own, and is copied behind them
 * at the end.  Positions are from its beginning.
 */
#ifndef UNPACK_EROFS_META_H
#define UNPACK_EROFS_META_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "unpack/erofs_out.h"

struct erofs_meta;

#define EROFS_META_MAX (UINT64_C(64) << 30)

int erofs_meta_open(int scratch_fd, struct erofs_meta **ret, struct err *e);
struct erofs_meta *erofs_meta_close(struct erofs_meta *m);
/* Where an inode goes with n bytes (itself, attributes) and n_inline more, that share the block of its end. */
uint64_t erofs_meta_place(uint64_t at, size_t n, size_t n_inline);
/* The end so far. */
uint64_t erofs_meta_at(const struct erofs_meta *m);
/* Adds at `at`, which is at or behind the end; between them are zeros. */
int erofs_meta_add(struct erofs_meta *m, uint64_t at, const void *data, size_t n, struct err *e);
/* What was added before. */
int erofs_meta_read(struct erofs_meta *m, uint64_t at, void *data, size_t n, struct err *e);
int erofs_meta_change(struct erofs_meta *m, uint64_t at, const void *data, size_t n, struct err *e);
/* All of it behind what is in o, filled to whole blocks. */
int erofs_meta_copy(struct erofs_meta *m, struct erofs_out *o, struct err *e);

#endif
