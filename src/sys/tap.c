/* tap.c - taps: network interfaces whose wire is a descriptor */
#include "sys/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/auto.h"
#include "base/io.h"
#include "sys/mount.h"

#define DEVICE_TEXT_MAX 65536 /* a file of sysfs has the size of a page */

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

/* "244:3" of the device that the kernel has made for it.  /sys is of the network namespace in which it was mounted, which may
 * be another one. */
static int macvtap_device(const char *name, int index, dev_t *ret)
{
	autoclose int sys = mount_new("sysfs", NULL, 0);
	AUTO(buf_done) struct buf text = { 0 };
	unsigned major, minor;
	char path[80];
	int r;

	snprintf(path, sizeof(path), "class/net/%.15s/tap%d/dev", name, index);
	r = sys < 0 ? sys : read_file(sys, path, DEVICE_TEXT_MAX, &text);
	if (r < 0)
		return r;
	if (sscanf(text.data, "%u:%u", &major, &minor) != 2)
		return -EBADMSG;
	*ret = makedev(major, minor);
	return 0;
}

/* /dev has a node only where it is of the kernel's making; and its name there is not of one network namespace alone.  So it
 * is opened by a node of our own, in a directory that nobody sees. */
static int open_device(dev_t device)
{
	autoclose int dir = mount_new("tmpfs", NULL, 0);
	int fd;

	if (dir < 0)
		return dir;
	if (mknodat(dir, "tap", S_IFCHR | 0600, device) < 0)
		return -errno;
	fd = openat(dir, "tap", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int tap_open_macvtap(const char *name, int index)
{
	struct ifreq r = { .ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR) };
	const int header = TAP_HEADER;
	dev_t device;
	int e = macvtap_device(name, index, &device);
	autoclose int fd = e < 0 ? -1 : open_device(device);

	if (e < 0 || fd < 0)
		return e < 0 ? e : fd;
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &r) < 0 || ioctl(fd, TUNSETVNETHDRSZ, &header) < 0)
		return -errno;
	return take_fd(&fd);
}
