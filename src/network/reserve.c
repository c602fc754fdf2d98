/* reserve.c - sockets that hold published ports, and who holds one that is taken */
#include "network/reserve.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/ip.h"

#define TABLE_MAX    (64 << 20) /* a busy server's sockets, 150 bytes a line */
#define STATE_LISTEN 0x0a

/* --- holding */

static socklen_t address(const struct ip *ip, uint32_t port, struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (void *)ret;
	struct sockaddr_in6 *v6 = (void *)ret;

	*ret = (struct sockaddr_storage){ 0 };
	ret->ss_family = (sa_family_t)ip->family;
	if (ip->family == AF_INET) {
		memcpy(&v4->sin_addr, ip->bytes, sizeof(v4->sin_addr));
		v4->sin_port = htons((uint16_t)port);
		return sizeof(*v4);
	}
	memcpy(&v6->sin6_addr, ip->bytes, sizeof(v6->sin6_addr));
	v6->sin6_port = htons((uint16_t)port);
	return sizeof(*v6);
}

/* What a relay accepts (network/relay6.h) leaves TIME_WAIT behind, which is in the way of who has no SO_REUSEADDR. */
static bool is_accepted_on(const struct ip *ip, int protocol)
{
	return protocol == PORT_TCP && ip->family == AF_INET6 && (ip_is_loopback(ip) || ip_is_any(ip));
}

/* Two that have SO_REUSEADDR may both bind, as long as neither listens. */
static int bind_one(const struct ip *ip, int protocol, uint32_t port)
{
	static const int on = 1;
	autoclose int fd =
		socket(ip->family, (protocol == PORT_UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
	struct sockaddr_storage at;
	socklen_t len = address(ip, port, &at);

	if (fd < 0)
		return -errno;
	if (ip->family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		return -errno;
	if (is_accepted_on(ip, protocol) && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&at, len) < 0 ||
	    (is_accepted_on(ip, protocol) && listen(fd, SOMAXCONN) < 0))
		return -errno;
	return take_fd(&fd);
}

static uint32_t bound_port(int fd)
{
	struct sockaddr_storage at = { 0 };
	socklen_t len = sizeof(at);

	getsockname(fd, (struct sockaddr *)&at, &len);
	return ntohs(at.ss_family == AF_INET ? ((struct sockaddr_in *)(void *)&at)->sin_port
					     : ((struct sockaddr_in6 *)(void *)&at)->sin6_port);
}

/* A UDP socket that nobody reads: what comes while the rules are away must not pile up. */
static int keep_empty(int fd)
{
	static const int least = 1;

	return setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof(least)) < 0 ? -errno : 0;
}

int reserve_port(struct published_port *p, struct err *e)
{
	uint32_t last = p->host_last ? p->host_last : p->host_port;
	struct ip ip;
	int fd = -EADDRINUSE;

	if (ip_parse(p->host_ip, &ip) < 0)
		return err_set(e, EINVAL, "%.60s is not an address", p->host_ip);
	for (uint32_t port = p->host_port; port <= last && fd == -EADDRINUSE; port++)
		fd = bind_one(&ip, p->protocol, port);
	if (fd == -EADDRINUSE)
		return err_set(e, EADDRINUSE, "port %u/%s of %s is in use", p->host_port,
			       port_protocol_names[p->protocol], p->host_ip);
	if (fd == -EADDRNOTAVAIL)
		return err_set(e, EADDRNOTAVAIL, "%s is not an address of this host", p->host_ip);
	if (fd < 0)
		return err_sys(e, -fd, "port %u/%s of %s", p->host_port, port_protocol_names[p->protocol],
			       p->host_ip);
	if (p->protocol == PORT_UDP)
		keep_empty(fd);
	fd = fd_move_above_stdio(fd);
	p->host_port = bound_port(fd);
	p->host_last = 0;
	return fd;
}

/* --- who has it */

unsigned long reserve_find_inode(const char *table, uint32_t port, bool listening)
{
	for (const char *line = strchr(table, '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
		unsigned local, state;
		unsigned long inode;

		/* "sl: local:port remote:port state queues timer retransmits uid timeout inode" */
		if (sscanf(line + 1, "%*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*u %*u %lu",
			   &local, &state, &inode) == 3 &&
		    local == port && inode && (!listening || state == STATE_LISTEN))
			return inode;
	}
	return 0;
}

static bool process_has(int proc, const char *pid, const char *link)
{
	autofree char *path = str_printf("%s/fd", pid);
	int dir = path ? openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	DIR *list = dir < 0 ? NULL : fdopendir(dir);
	struct dirent *d;
	bool found = false;

	if (!list && dir >= 0)
		close(dir);
	while (list && !found && (d = readdir(list))) {
		char target[64];
		ssize_t n = readlinkat(dirfd(list), d->d_name, target, sizeof(target) - 1);

		target[n > 0 ? n : 0] = '\0';
		found = !strcmp(target, link);
	}
	if (list)
		closedir(list);
	return found;
}

static char *process_words(int proc, const char *pid)
{
	AUTO(buf_done) struct buf name = { 0 };
	autofree char *path = str_printf("%s/comm", pid);

	if (!path || read_file(proc, path, 64, &name) < 0)
		return strdup("another process");
	name.data[strcspn(name.data, "\n")] = '\0';
	str_make_printable(name.data);
	return str_printf("%s (process %s)", name.data, pid);
}

static char *find_process(unsigned long inode)
{
	autofree char *link = str_printf("socket:[%lu]", inode);
	DIR *proc = opendir("/proc");
	struct dirent *d;
	char *words = NULL;

	while (proc && link && !words && (d = readdir(proc)))
		if (isdigit((unsigned char)d->d_name[0]) && process_has(dirfd(proc), d->d_name, link))
			words = process_words(dirfd(proc), d->d_name);
	if (proc)
		closedir(proc);
	return words;
}

char *reserve_holder(const struct published_port *p)
{
	static const char *const files[][2] = { [PORT_TCP] = { "/proc/net/tcp", "/proc/net/tcp6" },
						[PORT_UDP] = { "/proc/net/udp", "/proc/net/udp6" } };
	char *words = NULL;

	for (int i = 0; i < 4 && !words; i++) { /* who listens, before those who only hold it */
		AUTO(buf_done) struct buf text = { 0 };
		unsigned long inode = 0;

		if (read_file(AT_FDCWD, files[p->protocol][i & 1], TABLE_MAX, &text) == 0 && text.data)
			inode = reserve_find_inode(text.data, p->host_port, i < 2 && p->protocol == PORT_TCP);
		if (inode)
			words = find_process(inode);
	}
	return words ? words : strdup("another process");
}
