/* memory.h - the RAM of a machine: mapped once, shown to KVM in one or two slots */
#ifndef VMM_MEMORY_H
#define VMM_MEMORY_H

#include <stdbool.h>

#include "base/err.h"
#include "virtio/ram.h"

#define MEMORY_STEP (UINT64_C(2) << 20) /* RAM comes in whole steps of this */

enum memory_kind {
	MEMORY_OWN, /* nobody else sees it: anonymous, of transparent huge pages where the host has them */
	MEMORY_SHARED, /* a memfd, which file servers map, too; it can neither shrink nor grow, so that none of them
			* makes us trip over missing pages */
	MEMORY_HUGE, /* a memfd of the host's pool of 2 MiB pages, reserved now, or an error */
};

/* Makes `bytes` of RAM.  0 or -errno. */
int memory_make(uint64_t bytes, enum memory_kind kind, struct ram *ret, struct err *e);
/* RAM that is mapped already (vmm/ram_file.h). */
void memory_adopt(uint8_t *host, uint64_t bytes, struct ram *ret);
/* Gives the slots to the machine; before its interrupt controller exists, which makes it 20 times faster. */
int memory_give(const struct ram *r, int vm_fd);
/* Memory of ours that the guest reads at `gpa`; what it writes there is an exit, as if nothing were there.  Also before
 * the interrupt controller.  0 or -errno: then reads are exits, too. */
int memory_show(const void *host, uint64_t bytes, uint64_t gpa, int vm_fd);
void memory_free(struct ram *r);

#endif
