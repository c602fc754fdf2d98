/* terminal.c - the terminal of a process of ketch-oci: made out of the container's own /dev/pts, its master sent to
 * whoever the caller names with --console-socket */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"
#include "container/container_int.h"
#include "sys/pty.h"

static int send_master(int sock, int master)
{
	static char name[] = "/dev/ptmx";
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec text = { name, sizeof(name) - 1 };
	struct msghdr m = {
		.msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &master, sizeof(master));
	return sendmsg(sock, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

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
	r = fcntl(master, F_SETFL, O_RDWR) < 0 ? -errno : send_master(l->oci->console, master);
	if (r < 0)
		return err_sys(e, -r, "--console-socket: cannot send the terminal");
	c->terminal = take_fd(&slave);
	return 0;
}
