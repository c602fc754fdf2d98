/* fuzz_vhost_user.c - what a server of the guest's may answer: no answer may do more than fail the device */
#include "../unit/virtio/rig.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "virtio/fs.h"

#define MOST_BYTES 4096 /* of answers: the socket takes them all beforehand */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rig *r;
	static struct fs f;
	struct fs_spec s = { .tag = "fuzz" };
	int p[2];

	if (!r)
		r = rig_new();
	if (size > MOST_BYTES || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p) < 0)
		return 0;
	if (size && write(p[0], data, size) != (ssize_t)size)
		abort();
	shutdown(p[0], SHUT_WR); /* then it has ended: nothing waits for time to pass */
	s.socket_fd = p[1];
	if (fs_init(&f, &s, &r->ram, r->loop) < 0) {
		close(p[1]);
	} else {
		r->heap = 4096;
		r->dev = &f.dev;
		for (unsigned i = 0; i < 2; i++) {
			rig_negotiate(r, rig_offered(r));
			rig_queue_setup(r, 0, 16);
			rig_queue_setup(r, 1, 16);
			rig_driver_ok(r);
			if (f.server.lost && !rig_needs_reset(r))
				abort();
		}
		rig_turn(r);
		fs_done(&f);
	}
	close(p[0]);
	return 0;
}
