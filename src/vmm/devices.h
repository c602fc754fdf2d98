/* devices.h - the virtio devices of a machine, made from its configuration
 *
 * Their order on the bus: disks, vsock, entropy, balloon, console, shared directories, network interfaces.
 */
#ifndef VMM_DEVICES_H
#define VMM_DEVICES_H

#include "virtio/balloon.h"
#include "vmm/config.h"
#include "vmm/machine.h"

#define GUEST_CID 3 /* each machine is alone on its vsock */

struct devices;

/* Makes all of them.  Owned; NULL with e. */
struct devices *devices_make(const struct vmm_config *c, struct machine *m, struct err *e);
/* Puts them onto the machine's bus.  0 or -errno. */
int devices_plug(struct devices *d, struct err *e);
void devices_free(struct devices *d);
/* From the main thread: */
int devices_balloon(struct devices *d, uint64_t bytes); /* 0 or -EINVAL */
struct balloon_stats devices_memory(struct devices *d);
/* The disk of this serial is written to this empty image from now on (block_push); fd is taken on success. */
int devices_disk_push(struct devices *d, const char *serial, int fd);
/* Joins fd, which is taken on success, with a port of the guest.  0, -ENODEV (no such device, or its driver is not
 * there), -EBUSY. */
int devices_vsock_connect(struct devices *d, uint32_t port, int fd);
/* The guest's next connection to this port of the host is joined to fd, which is taken.  0, -ENODEV or -EBUSY. */
int devices_vsock_offer(struct devices *d, uint32_t port, int fd);

#endif
