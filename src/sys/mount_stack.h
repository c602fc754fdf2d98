/* mount_stack.h - directories stacked by overlayfs into one read-only mount */
#ifndef SYS_MOUNT_STACK_H
#define SYS_MOUNT_STACK_H

#include <stddef.h>

/* A detached mount of what directories (or detached mounts) show together, the lowest first; deletions are applied, those of the lowest, too.
 * All are borrowed.  -errno. */
int mount_stack(const int *dirs, size_t n);
/* Does overlayfs take detached mounts (Linux 6.15)?  Tried with the two that are given. */
int mount_stack_try(const int dirs[2]);

#endif
