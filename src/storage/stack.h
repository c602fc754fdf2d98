/* stack.h - a disk that is a stack of images: what it holds is that of the uppermost that has it
 *
 * The lowest is raw, the others are qcow2 (storage/qcow2.h); the uppermost alone is written.  Calls wait: they are for a
 * thread that may.  System calls: those of qcow2.h.
 */
#ifndef STORAGE_STACK_H
#define STORAGE_STACK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define STACK_MOST_IMAGES 256
#define STACK_SPARES	  16 /* images that can come while it is used */

struct stack;

/* Descriptors, lowest first; they stay the caller's.  *ret_bad: on failure, which image.  One alone is raw: until stack_push it
 * can only be read. */
int stack_open(const int *fds, size_t n, struct stack **ret, size_t *ret_bad);
void stack_close(struct stack *d);
/* Makes room for STACK_SPARES images. */
int stack_reserve(struct stack *d);
/* What was uppermost is settled, and no longer written: an empty image of the disk (qcow2_format) is from now on; fd stays the
 * caller's.  Allocates nothing.  -ENOSPC: there is no more room for one; on any failure all is as before. */
int stack_push(struct stack *d, int fd);
/* What was written since the uppermost image came is gone, durably (qcow2_empty).  -ENOTSUP: there is none. */
int stack_empty(struct stack *d);
uint64_t stack_bytes(const struct stack *d);

/* All of the range is on the disk; iov holds as many bytes.  0 or -errno. */
int stack_read(struct stack *d, const struct iovec *iov, unsigned n, uint64_t offset, uint64_t bytes);
int stack_write(struct stack *d, const struct iovec *iov, unsigned n, uint64_t offset, uint64_t bytes);
/* The range is zeroes from now on, without blocks where that can be. */
int stack_clear(struct stack *d, uint64_t offset, uint64_t bytes);
/* Everything is in the files, for others to read. */
int stack_settle(struct stack *d);
int stack_flush(struct stack *d);

#endif
