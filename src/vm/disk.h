/* disk.h - the writable layer of a VM: a sparse ext4 image */
#ifndef VM_DISK_H
#define VM_DISK_H

#include "base/err.h"

/* Opens dirfd/disk.ext4 for reading and writing, made (in milliseconds, sparse) if it is missing.  Returns the
 * descriptor. */
int vm_disk_open(int dirfd, struct err *e);

#endif
