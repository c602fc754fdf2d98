/* console.h - virtio console device (virtio 1.2, section 5.3): the guest's hvc0 and one descriptor of ours
 *
 * Where the descriptor takes nothing, output is held until it does; the guest's write waits so long (its
 * kernel spins), so its reader must be alive.  When the other end is gone, output is thrown away and there
 * is no more input.
 *
 * System calls after console_init beyond those of every device: readv, writev, epoll_ctl.
 */
#ifndef VIRTIO_CONSOLE_H
#define VIRTIO_CONSOLE_H

#include "virtio/device.h"

struct console {
	struct virtio_dev dev;
	struct watch watch;
	bool readable; /* until readv says EAGAIN */
	bool in_gone, out_gone;
	bool held; /* a chain waits for EPOLLOUT; it is still the next of its queue */
	uint32_t written; /* bytes of it */
};

struct console_state {
	struct virtio_state dev;
	uint32_t written;
};

/* fd: a socket, a pipe, a terminal, or a regular file (output only); it is the device's if 0 is returned,
 * and made non-blocking.  SIGPIPE must be ignored. */
int console_init(struct console *c, int fd, const struct ram *ram, struct loop *loop);
void console_done(struct console *c);

/* For a device that is not served meanwhile. */
void console_save(const struct console *c, struct console_state *ret);
int console_restore(struct console *c, const struct console_state *s);

#endif
