/* memory.h - the RAM of a machine: one memfd, mapped once, shown to KVM in one or two slots */
#ifndef VMM_MEMORY_H
#define VMM_MEMORY_H

#include <stdbool.h>

#include "base/err.h"
#include "virtio/ram.h"

#define MEMORY_STEP (UINT64_C(2) << 20) /* RAM comes in whole steps of this */

/* Makes `bytes` of RAM.  hugepages: from the host's pool of 2 MiB pages, or not at all.  The memfd can neither shrink
 * nor grow: a file server that has it cannot make us trip over missing pages.  0 or -errno. */
int memory_make(uint64_t bytes, bool hugepages, struct ram *ret, struct err *e);
/* Gives the slots to the machine; before its interrupt controller exists, which makes it 20 times faster. */
int memory_give(const struct ram *r, int vm_fd);
void memory_free(struct ram *r);

#endif
