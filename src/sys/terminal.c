/* terminal.c - the user's terminal: raw mode that is always taken back, and its size */
#include "sys/terminal.h"

#include <errno.h>
#include <sys/ioctl.h>

int terminal_raw(struct terminal *t, int fd, bool keys)
{
	struct termios raw;

	if (tcgetattr(fd, &t->saved) < 0)
		return -errno;
	raw = t->saved;
	if (keys)
		cfmakeraw(&raw);
	else
		raw.c_oflag &= ~(tcflag_t)OPOST; /* the terminal inside has made "\r\n" already */
	/* drain, not flush: what was typed ahead belongs to the command */
	if (tcsetattr(fd, TCSADRAIN, &raw) < 0)
		return -errno;
	t->fd = fd;
	t->raw = true;
	t->keys = keys;
	return 0;
}

void terminal_restore(struct terminal *t)
{
	if (!t->raw)
		return;
	tcsetattr(t->fd, TCSADRAIN, &t->saved);
	t->raw = t->keys = false;
}

bool terminal_size(int fd, int *ret_rows, int *ret_cols)
{
	struct winsize w;

	if (ioctl(fd, TIOCGWINSZ, &w) < 0 || !w.ws_row || !w.ws_col)
		return false;
	*ret_rows = w.ws_row;
	*ret_cols = w.ws_col;
	return true;
}
