/* sockets.c - what callers get over unix sockets and files: terminals, pidfds, pid files */
#include "runtime/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "container/seccomp_notify.h"
#include "sys/scm.h"

int socket_connect(int cwd, const char *path, const char *option, struct err *e)
{
	autoclose int place = openat(cwd, path, O_PATH | O_CLOEXEC);
	autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	if (place < 0 || fd < 0)
		return err_sys(e, errno, "%s %s", option, path);
	/* a path longer than the 108 bytes of the address is fine this way */
	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d", place);
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0)
		return err_sys(e, errno, "%s %s", option, path);
	return take_fd(&fd);
}

int socket_send_pidfd(int cwd, const char *path, int pidfd, struct err *e)
{
	autoclose int sock = path ? socket_connect(cwd, path, "--pidfd-socket", e) : -1;
	int r;

	if (!path)
		return 0;
	if (sock < 0)
		return sock;
	r = scm_send(sock, pidfd, "pidfd", 5);
	return r < 0 ? err_sys(e, -r, "--pidfd-socket %s", path) : 0;
}

int listener_connect(const struct record *r, int *ret, struct err *e)
{
	*ret = -1;
	if (!(r->filter_flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) || !r->listener)
		return 0;
	*ret = seccomp_notify_connect(r->listener, e);
	return *ret < 0 ? *ret : 0;
}

/* It has its name only when it is whole, and has no other name before: who is killed here leaves no file. */
static int link_whole(int cwd, const char *path, const char *text)
{
	autofree char *dir = strdup(path);
	autoclose int fd = -1;
	char self[32];
	int r;

	if (!dir)
		return -ENOMEM;
	fd = openat(cwd, strchr(path, '/') ? dirname(dir) : ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	r = write_full(fd, text, strlen(text));
	if (r < 0)
		return r;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, self, cwd, path, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	if (errno != EEXIST || unlinkat(cwd, path, 0) < 0)
		return -errno;
	return linkat(AT_FDCWD, self, cwd, path, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

/* Where no file can be without a name: in its place, so that who is killed here leaves no other file than the one asked for. */
static int write_in_place(int cwd, const char *path, const char *text)
{
	autoclose int fd = openat(cwd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);

	return fd < 0 ? -errno : write_full(fd, text, strlen(text));
}

int pid_file_write(int cwd, const char *path, pid_t pid, struct err *e)
{
	char text[24];
	int r;

	if (!path)
		return 0;
	snprintf(text, sizeof(text), "%d", (int)pid);
	if (link_whole(cwd, path, text) == 0)
		return 0;
	r = write_in_place(cwd, path, text);
	return r < 0 ? err_sys(e, -r, "--pid-file %s", path) : 0;
}
