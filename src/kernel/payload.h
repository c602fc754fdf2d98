/* payload.h - the packed kernel in a bzImage: every packing that Debian, Fedora and Alpine use, and LZMA */
#ifndef KERNEL_PAYLOAD_H
#define KERNEL_PAYLOAD_H

#include <stddef.h>

#define PAYLOAD_MAGIC_BYTES  4 /* so much of it tells the packing */
#define PAYLOAD_UNPACKED_MAX (256U << 20) /* a kernel with debug information is less than half of that */

struct packing;

/* How a payload with these first PAYLOAD_MAGIC_BYTES is packed; NULL: otherwise. */
const struct packing *payload_packing(const void *magic);
const char *packing_name(const struct packing *p);

/* The size that the whole payload says it unpacks to; 0: none, or more than PAYLOAD_UNPACKED_MAX. */
size_t payload_unpacked_bytes(const void *data, size_t n);
/* Unpacks it; it must fill the out_n bytes exactly: 0, else -EINVAL.  A payload of just the size must be
 * all there is. */
int payload_unpack(const struct packing *p, const void *data, size_t n, void *out, size_t out_n);

#endif
