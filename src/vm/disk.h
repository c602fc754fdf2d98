/* disk.h - the writable layer of a VM: a sparse ext4 image */
#ifndef VM_DISK_H
#define VM_DISK_H

#include <stdint.h>

#include "base/err.h"

/* Opens dirfd/disk.ext4 for reading and writing, made (in milliseconds, sparse) if it is missing, of this size (0: more than
 * anybody fills).  Returns the descriptor. */
int vm_disk_open(int dirfd, uint64_t bytes, struct err *e);
/* The same for one that stands on others: dirfd/disk.qcow2 (storage/qcow2.h), made as large as the lowest of those, `base`,
 * which is raw. */
int vm_disk_open_above(int dirfd, int base, struct err *e);

#endif
