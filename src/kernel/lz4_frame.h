/* lz4_frame.h - the LZ4 legacy frame, as kernels are packed with it (lz4_Frame_format.md, "Legacy frame")
 *
 * A magic number, then blocks, each behind its length; liblz4 knows the blocks only.
 */
#ifndef KERNEL_LZ4_FRAME_H
#define KERNEL_LZ4_FRAME_H

#include <stddef.h>

/* Unpacks the frame at data into out; all of it must fit and fill it exactly: 0, else -EINVAL. */
int lz4_frame_unpack(const void *data, size_t n, void *out, size_t out_n);

#endif
