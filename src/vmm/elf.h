/* elf.h - an uncompressed ELF64 kernel with a PVH entry */
#ifndef VMM_ELF_H
#define VMM_ELF_H

#include <stdbool.h>

#include "vmm/boot_int.h"

bool elf_is(const void *head, size_t n);
/* Loads its segments, which must lie between KERNEL_LOWEST and the end of the low RAM.  That RAM is new:
 * what a segment has beyond its bytes in the file is not cleared.  -EINVAL: malformed; -ENOSPC: too little
 * RAM; -EOPNOTSUPP: no entry. */
int elf_load(const struct image *i, const struct ram *ram, struct boot_kernel *ret, struct err *e);

#endif
