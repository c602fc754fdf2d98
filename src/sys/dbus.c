/* dbus.c - a connection to a bus, or straight to systemd */
#include "sys/dbus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"

#define AUTH_LINE_MAX 512

struct dbus {
	int fd;
	uint32_t serial;
	struct buf in;
	size_t used; /* of in: the message that was given out last */
};

static int send_all(int fd, const char *data, size_t n)
{
	while (n) {
		ssize_t k = send(fd, data, n, MSG_NOSIGNAL);

		if (k < 0 && errno != EINTR)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (k > 0) {
			data += k;
			n -= (size_t)k;
		}
	}
	return 0;
}

static ssize_t receive(int fd, char *data, size_t n)
{
	ssize_t k;

	do
		k = recv(fd, data, n, 0);
	while (k < 0 && errno == EINTR);
	if (k < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return k ? k : -ECONNRESET;
}

/* SASL EXTERNAL: who we are the socket tells; the number, in hexadecimal digits of its decimal ones, is a formality.  BEGIN
 * goes along: systemd would not look at a call that arrives together with it before something else arrives. */
static int authenticate(int fd)
{
	char uid[16], line[AUTH_LINE_MAX];
	AUTO(buf_done) struct buf hello = { 0 };
	size_t n = 0;
	ssize_t k;
	int r;

	snprintf(uid, sizeof(uid), "%u", (unsigned)geteuid());
	buf_addc(&hello, '\0');
	buf_adds(&hello, "AUTH EXTERNAL ");
	for (const char *c = uid; *c; c++)
		buf_addf(&hello, "%02x", (unsigned)*c);
	buf_adds(&hello, "\r\nBEGIN\r\n");
	r = buf_ok(&hello) ? send_all(fd, hello.data, hello.len) : -ENOMEM;
	if (r < 0)
		return r;
	do { /* nothing follows the line until we have called */
		k = receive(fd, line + n, sizeof(line) - n);
		if (k < 0)
			return (int)k;
		n += (size_t)k;
	} while (line[n - 1] != '\n' && n < sizeof(line));
	return n < 3 || memcmp(line, "OK ", 3) ? -EACCES : 0;
}

static int connect_to(const char *path)
{
	const struct timeval limit = { .tv_sec = DBUS_TIMEOUT_S };
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	autoclose int fd = -1;

	if (strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	strcpy(a.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
	    connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return -errno;
	return take_fd(&fd);
}

char *dbus_bus_path(bool user, bool *ret_given)
{
	static const char unix_path[] = "unix:path=";
	const char *given = getenv(user ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS");
	const char *run = user ? getenv("XDG_RUNTIME_DIR") : "/run";

	*ret_given = given && !strncmp(given, unix_path, strlen(unix_path));
	if (*ret_given) {
		given += strlen(unix_path);
		return strndup(given, strcspn(given, ",;"));
	}
	return str_printf("%s/%s", run ? run : "", user ? "bus" : "dbus/system_bus_socket");
}

int dbus_open(const char *socket_path, bool bus, struct dbus **ret)
{
	const struct dbus_message hello = { .destination = "org.freedesktop.DBus",
					    .path = "/org/freedesktop/DBus",
					    .interface = "org.freedesktop.DBus",
					    .member = "Hello" };
	AUTO(dbus_close) struct dbus *d = calloc(1, sizeof(*d));
	struct dbus_message m;
	int r;

	if (!d)
		return -ENOMEM;
	d->fd = connect_to(socket_path);
	if (d->fd < 0)
		return d->fd;
	r = authenticate(d->fd);
	if (r == 0 && bus)
		r = dbus_call(d, &hello, &m);
	if (r < 0)
		return r;
	*ret = take_ptr(d);
	return 0;
}

void dbus_close(struct dbus **d)
{
	if (!*d)
		return;
	if ((*d)->fd >= 0)
		close((*d)->fd);
	buf_done(&(*d)->in);
	free(*d);
	*d = NULL;
}

int dbus_next(struct dbus *d, struct dbus_message *ret)
{
	ssize_t k;
	char *room;

	buf_drop(&d->in, d->used);
	d->used = 0;
	for (;;) {
		k = d->in.len ? dbus_parse(d->in.data, d->in.len, ret) : 0;
		if (k < 0)
			return (int)k;
		d->used = (size_t)k;
		if (k)
			return 0;
		room = buf_room(&d->in, 4096);
		if (!room)
			return -ENOMEM;
		k = receive(d->fd, room, 4096);
		if (k < 0)
			return (int)k;
		d->in.len += (size_t)k;
	}
}

int dbus_call(struct dbus *d, const struct dbus_message *call, struct dbus_message *ret)
{
	int64_t end = clock_mono_ns() + DBUS_TIMEOUT_S * NS_PER_S;
	AUTO(buf_done) struct buf out = { 0 };
	struct dbus_message m = *call;
	int r;

	m.type = DBUS_CALL;
	m.serial = ++d->serial;
	dbus_print(&m, &out);
	r = buf_ok(&out) ? send_all(d->fd, out.data, out.len) : -ENOMEM;
	while (r == 0 && clock_mono_ns() < end) {
		r = dbus_next(d, ret);
		if (r == 0 && ret->reply_to == m.serial &&
		    (ret->type == DBUS_RETURN || ret->type == DBUS_ERROR))
			return ret->type == DBUS_ERROR ? -EREMOTEIO : 0;
	}
	return r < 0 ? r : -ETIMEDOUT;
}
