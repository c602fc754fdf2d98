/* vmlinux.h - ELF kernels: can they be started directly? */
#ifndef KERNEL_VMLINUX_H
#define KERNEL_VMLINUX_H

#include <stdbool.h>
#include <stddef.h>

/* Has the ELF file the note that tells a PVH entry? */
bool vmlinux_has_pvh_entry(const void *elf, size_t n);

#endif
