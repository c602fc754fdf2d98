/* pty.c - pseudo-terminals out of a devpts that the caller made and holds */
#include "sys/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/auto.h"

int pty_open(int devpts, int *ret_master, int *ret_slave)
{
	autoclose int m = openat(devpts, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	int unlock = 0, s;

	if (m < 0)
		return -errno;
	if (ioctl(m, TIOCSPTLCK, &unlock) < 0)
		return -errno;
	/* by descriptor, not by the name /dev/pts/N, which may be anything where it is resolved (Linux 4.13) */
	s = ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (s < 0)
		return -errno;
	*ret_master = take_fd(&m);
	*ret_slave = s;
	return 0;
}

int pty_resize(int master, int rows, int cols)
{
	struct winsize w = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols };

	return ioctl(master, TIOCSWINSZ, &w) < 0 ? -errno : 0;
}

int pty_control(int slave)
{
	return ioctl(slave, TIOCSCTTY, 0) < 0 ? -errno : 0;
}

char pty_eof_char(int master)
{
	struct termios t;

	return tcgetattr(master, &t) < 0 ? 4 : (char)t.c_cc[VEOF];
}
