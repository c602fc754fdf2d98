/* journald.c - systemd's journal, by its native protocol */
#include "sys/journald.h"

#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"

bool journald_is_there(void)
{
	return access(JOURNALD_SOCKET, W_OK) == 0;
}

int journald_connect(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	autoclose int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (!path)
		path = JOURNALD_SOCKET;
	if (fd < 0 || strlen(path) >= sizeof(sa.sun_path))
		return fd < 0 ? -errno : -ENAMETOOLONG;
	strcpy(sa.sun_path, path);
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return -errno;
	return take_fd(&fd);
}

/* "NAME=value\n", or where the value has a newline: "NAME\n", its size as 64 bits, the value, "\n". */
void journald_add(struct buf *entry, const char *name, const void *value, size_t n)
{
	uint64_t size = htole64(n);

	buf_adds(entry, name);
	if (memchr(value, '\n', n)) {
		buf_addc(entry, '\n');
		buf_add(entry, &size, sizeof(size));
	} else {
		buf_addc(entry, '=');
	}
	buf_add(entry, value, n);
	buf_addc(entry, '\n');
}

int journald_send(int fd, const struct buf *entry)
{
	if (!buf_ok(entry))
		return -ENOMEM;
	return send(fd, entry->data, entry->len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}
