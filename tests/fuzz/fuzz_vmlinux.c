/* fuzz_vmlinux.c - packed kernels and ELF notes: unpacked within bounds or refused */
#include <stdint.h>
#include <stdlib.h>

#include "kernel/payload.h"
#include "kernel/vmlinux.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte says how much room there is; behind it is the payload. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n = size ? 16 * (size_t)data[0] : 0; /* a size that often fits */
	uint8_t *out = malloc(n + !n);
	const struct packing *p = size > PAYLOAD_MAGIC_BYTES ? payload_packing(data + 1) : NULL;

	if (p) {
		payload_unpacked_bytes(data + 1, size - 1);
		if (payload_unpack(p, data + 1, size - 1, out, n) == 0)
			vmlinux_has_pvh_entry(out, n);
	}
	vmlinux_has_pvh_entry(data, size);
	free(out);
	return 0;
}
