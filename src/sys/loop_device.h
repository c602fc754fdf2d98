/* loop_device.h - a file as a block device, for as long as somebody uses it (loop(4)) */
#ifndef SYS_LOOP_DEVICE_H
#define SYS_LOOP_DEVICE_H

#define LOOP_PATH_BYTES 32

/* A read-only device of the file at fd: a descriptor of it, and its path.  The device goes with its last user: a mount keeps
 * it.  -errno. */
int loop_device_open(int fd, char ret_path[LOOP_PATH_BYTES]);

#endif
