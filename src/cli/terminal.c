/* terminal.c - the user's terminal: raw mode that is always taken back, and its size */
#include "cli/terminal.h"

#include <errno.h>
#include <sys/ioctl.h>

int terminal_raw(struct terminal *t, int fd)
{
	struct termios raw;

	if (tcgetattr(fd, &t->saved) < 0)
		return -errno;
	raw = t->saved;
	cfmakeraw(&raw);
	/* drain, not flush: what was typed ahead belongs to the command */
	if (tcsetattr(fd, TCSADRAIN, &raw) < 0)
		return -errno;
	t->fd = fd;
	t->raw = true;
	return 0;
}

void terminal_restore(struct terminal *t)
{
	if (!t->raw)
		return;
	tcsetattr(t->fd, TCSADRAIN, &t->saved);
	t->raw = false;
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
