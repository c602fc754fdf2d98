/* tmpfs_room.h - room in a file on a tmpfs that another process is going to write to
 *
 * Pages of a tmpfs are memory of whoever has them first, in the count of his cgroup.  A VMM that wrote a machine's RAM there
 * would be killed at the machine's own ceiling; so who has none takes them first.
 */
#ifndef VM_TMPFS_ROOM_H
#define VM_TMPFS_ROOM_H

#include <stdint.h>

/* Takes `bytes` from the start of the file, whose size stays.  0, also on any other file system; -errno. */
int tmpfs_room_take(int fd, uint64_t bytes);
/* Of those gives back what nobody has written to. */
void tmpfs_room_trim(int fd, uint64_t bytes);

#endif
