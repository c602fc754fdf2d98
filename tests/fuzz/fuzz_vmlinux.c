/* fuzz_vmlinux.c - packed kernels and ELF notes: unpacked within bounds or refused */
#include <stdint.h>
#include <stdlib.h>

#include "kernel/lz4_frame.h"
#include "kernel/vmlinux.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n = size ? 16 * (size_t)data[0] : 0; /* a size that often fits */
	uint8_t *out = malloc(n + !n);

	if (size > 1 && lz4_frame_unpack(data + 1, size - 1, out, n) == 0)
		vmlinux_has_pvh_entry(out, n);
	vmlinux_has_pvh_entry(data, size);
	free(out);
	return 0;
}
