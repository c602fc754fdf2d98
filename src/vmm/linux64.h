/* linux64.h - a bzImage at its 64-bit entry (Linux Documentation/arch/x86/boot.rst, "64-bit Boot Protocol") */
#ifndef VMM_LINUX64_H
#define VMM_LINUX64_H

#include <stdbool.h>

#include "vmm/boot_int.h"

/* The file's first bytes that linux64_is looks at. */
#define LINUX64_HEAD_BYTES 0x206

bool linux64_is(const void *head, size_t n);
/* Loads it where it prefers to be, elsewhere when the RAM does not reach and it can be moved.  -EINVAL:
 * malformed; -ENOSPC: too little RAM; -EOPNOTSUPP: without a 64-bit entry. */
int linux64_load(const struct image *i, const struct ram *ram, struct boot_kernel *ret, struct err *e);
/* Writes struct boot_params at BOOT_ZERO_PAGE.  low: the RAM from 0 to KERNEL_LOWEST. */
void linux64_write_params(const struct boot_kernel *k, const struct boot_info *info, const struct ram *ram,
			  uint8_t *low);

#endif
