/* bzimage.h - the header of an x86 Linux kernel image (Documentation/arch/x86/boot.rst) */
#ifndef KERNEL_BZIMAGE_H
#define KERNEL_BZIMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define BZIMAGE_HEAD_BYTES (256 * 512) /* the real-mode part is never longer: read so much of the file */

struct bzimage {
	char release[65]; /* "6.1.0-25-cloud-amd64": fit to be a file name */
	char build[192]; /* the whole version text, with the builder and "#1 SMP ... (date)" */
	/* The packed kernel proper, bytes of the file; its last 4 bytes are its unpacked size (little endian). */
	uint64_t payload_off, payload_bytes;
};

/* Parses the first n bytes of an image.  Refused: anything but a 64-bit bzImage that says its version. */
int bzimage_parse(const void *head, size_t n, struct bzimage *ret, struct err *e);

#endif
