/* scm.c - descriptors through a unix socket */
#include "sys/scm.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"

int scm_connect(const char *path, int timeout_ms)
{
	const struct timeval wait = { .tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000 };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	autoclose int fd = -1;

	if (strlen(path) >= sizeof(at.sun_path))
		return -ENAMETOOLONG;
	strcpy(at.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0 ||
	    connect(fd, (const struct sockaddr *)&at, sizeof(at)) < 0)
		return -errno;
	return take_fd(&fd);
}

int scm_send(int sock, int fd, const void *data, size_t n)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec text = { (void *)data, n };
	struct msghdr m = {
		.msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	ssize_t sent;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	do
		sent = sendmsg(sock, &m, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;
	for (size_t done = (size_t)sent; done < n; done += (size_t)sent) {
		sent = send(sock, (const char *)data + done, n - done, MSG_NOSIGNAL);
		if (sent < 0 && errno != EINTR)
			return -errno;
		sent = sent < 0 ? 0 : sent;
	}
	return 0;
}

/* flags: of recvmsg(2). */
static ssize_t receive(int sock, int flags, void *data, size_t size, int *ret_fd)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec io = { data, size };
	struct msghdr m = {
		.msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = control.space,
		/* with its padding there would be room for a second */
		.msg_controllen = CMSG_LEN(sizeof(int)),
	};
	struct cmsghdr *c;
	ssize_t n;

	*ret_fd = -1;
	do
		n = recvmsg(sock, &m, flags | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(ret_fd, CMSG_DATA(c), sizeof(*ret_fd));
	if (!(m.msg_flags & MSG_TRUNC))
		return n;
	auto_close(ret_fd);
	*ret_fd = -1;
	return -EMSGSIZE;
}

ssize_t scm_read(int sock, void *data, size_t size, int *ret_fd)
{
	return receive(sock, 0, data, size, ret_fd);
}

int scm_receive(int sock)
{
	char text[64];
	int fd;
	ssize_t n = receive(sock, MSG_DONTWAIT, text, sizeof(text), &fd);

	if (fd >= 0)
		return fd;
	return n < 0 ? (int)n : -ENOMSG;
}
