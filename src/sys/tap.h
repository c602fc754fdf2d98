/* tap.h - taps: network interfaces whose wire is a descriptor (linux/if_tun.h) */
#ifndef SYS_TAP_H
#define SYS_TAP_H

/* In front of each frame, both ways: struct virtio_net_hdr_v1, which the kernel and a guest's driver share. */
#define TAP_HEADER 12

/* Makes the tap `name` in the caller's network namespace: one queue, frames behind a header of TAP_HEADER bytes, no
 * offload until who reads it asks for some.  It is down, and goes with its last descriptor.  Returns that, O_CLOEXEC and
 * O_NONBLOCK; -EBUSY: there is an interface of this name; -EINVAL: it cannot be one; -EPERM. */
int tap_open(const char *name);
/* The same descriptor for a macvtap (rtnetlink.h) of the caller's network namespace, which is there already and does not go
 * with it.  index: of the link. */
int tap_open_macvtap(const char *name, int index);

#endif
