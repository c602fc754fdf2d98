/* loop_device.c - a file as a block device, for as long as somebody uses it (loop(4)) */
#include "sys/loop_device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/auto.h"

#define TRIES	    64 /* somebody else takes the same free number */
#define BLOCK_BYTES 4096

int loop_device_open(int fd, char ret_path[LOOP_PATH_BYTES])
{
	const struct loop_config config = {
		.fd = (unsigned)fd,
		.block_size = BLOCK_BYTES,
		.info = { .lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR },
	};
	autoclose int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);

	if (control < 0)
		return -errno;
	for (int i = 0; i < TRIES; i++) {
		autoclose int loop = -1;
		int number = ioctl(control, LOOP_CTL_GET_FREE);

		if (number < 0)
			return -errno;
		snprintf(ret_path, LOOP_PATH_BYTES, "/dev/loop%d", number);
		loop = open(ret_path, O_RDONLY | O_CLOEXEC);
		if (loop < 0)
			return -errno;
		if (ioctl(loop, LOOP_CONFIGURE, &config) == 0)
			return take_fd(&loop);
		if (errno != EBUSY)
			return -errno;
	}
	return -EBUSY;
}
