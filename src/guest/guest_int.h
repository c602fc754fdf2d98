/* guest_int.h - shared inside guest/ */
#ifndef GUEST_GUEST_INT_H
#define GUEST_GUEST_INT_H

#include "instance/boot.h"
#include "instance/guest.h"

#define DIR_IMAGE "/run/image" /* in it the image, EROFS: "root", or its layers "layer0"... */
#define DIR_DISK  "/run/disk" /* the writable layer, ext4 */
#define DIR_ROOT  "/run/root" /* both, overlaid */
#define DIR_SHARE "/run/share" /* a directory for each share, by its tag */

/* system.c: /proc, /sys, /dev, /run and cgroup2 are mounted, the modules for every boot loaded, lo is up.
 * *ret_initramfs: the root directory of the initramfs, which we have left. */
int system_set_up(int *ret_initramfs, struct err *e);
/* Loads the modules of a list of the initramfs (kernel/initramfs.c), "modules.share" for instance. */
int system_load_modules(int initramfs, const char *name, struct err *e);
/* The stream to the host, once that is there: GUEST_PORT, or the vsock connection where GUEST_AGENT_ENV says so; its modules
 * are loaded first.  Waits up to timeout_ms. */
int system_open_agent(int initramfs, int timeout_ms, struct err *e);
/* The vsock connection once more, in a machine that was restored; -ENOTSUP: the stream is none. */
int system_reopen_agent(struct err *e);
/* What plans need to know about this machine. */
int system_facts(struct host_facts *ret, struct err *e);

/* root.c: mounts disks and shares; b gets the descriptors "rootfs", those that it is made of as "layer/N" and "upper", and
 * "mount/N". */
int root_make(const struct instance_spec *s, struct boot *b, struct err *e);
/* Writes back and unmounts all of it, once those are closed. */
void root_unmake(void);

#endif
