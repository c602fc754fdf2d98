/* terminal.c - the terminal of a process of ketch-oci: made out of the container's own /dev/pts, its master sent to
 * whoever the caller names with --console-socket */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"
#include "container/container_int.h"
#include "sys/pty.h"
#include "sys/scm.h"

/* Whatever lies at /dev/pts must be a devpts, and no link of the image's (security.md A4). */
static int open_pts(const struct container *c, struct err *e)
{
	autoclose int fd = open_in_root_nolinks(c->root, "/dev/pts", O_RDONLY | O_DIRECTORY, 0);
	struct statfs fs;

	if (fd < 0)
		return err_sys(e, -fd, "process.terminal: cannot open /dev/pts of the container");
	if (fstatfs(fd, &fs) < 0 || fs.f_type != DEVPTS_SUPER_MAGIC)
		return err_set(e, ENODEV,
			       "process.terminal: /dev/pts of the container is no devpts file system");
	return take_fd(&fd);
}

int terminal_make(struct container *c, const struct launch *l, struct err *e)
{
	autoclose int pts = open_pts(c, e), master = -1, slave = -1;
	int r = pts < 0 ? pts : pty_open(pts, &master, &slave);

	if (pts < 0)
		return pts;
	if (r < 0)
		return err_sys(e, -r, "process.terminal: cannot make a terminal");
	if (l->process->rows > 0 && l->process->cols > 0)
		pty_resize(master, l->process->rows, l->process->cols);
	/* the receiver reads and writes as it likes; non-blocking would be our choice */
	r = fcntl(master, F_SETFL, O_RDWR) < 0
		    ? -errno
		    : scm_send(l->oci->console, master, "/dev/ptmx", strlen("/dev/ptmx"));
	if (r < 0)
		return err_sys(e, -r, "--console-socket: cannot send the terminal");
	c->terminal = take_fd(&slave);
	return 0;
}
