/* loopback.c - the interface lo of a new network namespace */
#include "sys/loopback.h"

#include <errno.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"

int loopback_up(void)
{
	autoclose int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };

	if (s < 0)
		return -errno;
	return ioctl(s, SIOCSIFFLAGS, &r) < 0 ? -errno : 0;
}
