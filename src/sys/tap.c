/* tap.c - taps: network interfaces whose wire is a descriptor */
#include "sys/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/auto.h"

int tap_open(const char *name)
{
	struct ifreq r = { .ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL) };
	const int header = TAP_HEADER;
	autoclose int fd = -1;

	/* the kernel would complete an empty name and "tap%d" by itself */
	if (!*name || strlen(name) >= sizeof(r.ifr_name) || strpbrk(name, "%/"))
		return -EINVAL;
	strcpy(r.ifr_name, name);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &r) < 0 || ioctl(fd, TUNSETVNETHDRSZ, &header) < 0)
		return -errno;
	return take_fd(&fd);
}
