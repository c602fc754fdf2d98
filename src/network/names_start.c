/* names_start.c - a ketch-net is started and ended: its sockets are bound here, it gets descriptors
 *
 * Whoever holds the lock lives.  To end it the lock is removed: so the next one has a lock of its own at once, and waits
 * only for the addresses, until the old one has closed its sockets.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "network/names_int.h"

#define DNS_PORT    53
#define DHCP_PORT   67
#define BIND_WAIT_S 2 /* for the one before to be gone */
#define POLL_MS	    2
#define QUEUE_BYTES (1 << 20) /* of queries that wait */

int names_write(int dir_fd, const struct names_file *f, struct err *e)
{
	AUTO(buf_done) struct buf b = { 0 };
	int r = json_print(&names_file_table, f, 0, &b);

	if (r == 0)
		r = write_file_swap(dir_fd, "names", 0600, b.data, b.len);
	return r < 0 ? err_sys(e, -r, "names of network %.80s", f->network) : 0;
}

int names_end(int dir_fd, struct err *e)
{
	if (unlinkat(dir_fd, "lock", 0) < 0 && errno != ENOENT)
		return err_sys(e, errno, "lock of a network");
	if (unlinkat(dir_fd, "names", 0) < 0 && errno != ENOENT)
		return err_sys(e, errno, "names of a network");
	return 0;
}

bool names_lives(int dir_fd)
{
	return net_lock_is_held(dir_fd, "lock");
}

/* --- sockets */

struct sockets {
	int fds[PORTS_MAX];
	unsigned n;
};

static void sockets_done(struct sockets *s)
{
	for (unsigned i = 0; i < s->n; i++)
		close(s->fds[i]);
}

static int set(int fd, int level, int option, int v)
{
	return setsockopt(fd, level, option, &v, sizeof(v)) < 0 ? -errno : 0;
}

static int bind_waiting(int fd, const union address *a)
{
	int64_t end = clock_mono_ns() + BIND_WAIT_S * NS_PER_S;

	while (bind(fd, &a->any, address_len(a)) < 0) {
		if (errno != EADDRINUSE || clock_mono_ns() > end)
			return -errno;
		poll(NULL, 0, POLL_MS);
	}
	return 0;
}

/* The address need not be there yet: a new one of IPv6 is tentative for a while. */
static int bind_dns(const union address *a, int type)
{
	bool v6 = a->any.sa_family == AF_INET6;
	autoclose int fd = socket(a->any.sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return -errno;
	r = v6 ? set(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1) : set(fd, IPPROTO_IP, IP_FREEBIND, 1);
	if (r == 0 && type == SOCK_STREAM)
		r = set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (r == 0)
		r = bind_waiting(fd, a);
	if (r < 0)
		return r;
	if (type == SOCK_STREAM && listen(fd, CONNECTIONS_MAX) < 0)
		return -errno;
	if (type == SOCK_DGRAM && set(fd, SOL_SOCKET, SO_RCVBUFFORCE, QUEUE_BYTES) < 0)
		set(fd, SOL_SOCKET, SO_RCVBUF, QUEUE_BYTES);
	return take_fd(&fd);
}

static int add_dns(struct sockets *s, const char *gateway, struct err *e)
{
	static const int types[] = { SOCK_DGRAM, SOCK_STREAM };
	struct upstreams u = { 0 }; /* an address with the port of the DNS is what a resolver has, too */

	if (!gateway)
		return 0;
	if (!upstream_add(&u, gateway))
		return err_set(e, EINVAL, "no address: %.60s", gateway);
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		int fd = bind_dns(&u.at[0], types[i]);

		if (fd < 0)
			return err_sys(e, -fd, "name service on %s, port %d", gateway, DNS_PORT);
		s->fds[s->n++] = fd;
	}
	return 0;
}

static int bind_dhcp(const char *bridge)
{
	const struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(DHCP_PORT) };
	autoclose int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return -errno;
	r = set(fd, SOL_SOCKET, SO_BROADCAST, 1);
	if (r == 0)
		r = set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (r == 0 && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, bridge, (socklen_t)strlen(bridge) + 1) < 0)
		r = -errno;
	if (r == 0 && bind(fd, (const struct sockaddr *)&any, sizeof(any)) < 0)
		r = -errno;
	return r < 0 ? r : take_fd(&fd);
}

static bool wants_dhcp(const struct names_file *f)
{
	for (size_t i = 0; i < f->n_entries; i++)
		if (f->entries[i].dhcp)
			return true;
	return false;
}

/* Where the host has a DHCP server of its own on all its addresses there is none of ours, until somebody needs it. */
static int add_dhcp(struct sockets *s, const struct names_file *f, struct err *e)
{
	int fd;

	if (!f->bridge || !f->subnet)
		return 0;
	fd = bind_dhcp(f->bridge);
	if (fd >= 0)
		s->fds[s->n++] = fd;
	return fd >= 0 || !wants_dhcp(f) ? 0 : err_sys(e, -fd, "DHCP on %s", f->bridge);
}

/* --- the program */

/* fds: directory, instances, lock, status, sockets. */
static int spawn(const struct names_file *f, const int *fds, size_t n)
{
	char numbers[4 + PORTS_MAX][16], names[] = "names", program[] = "ketch-net", table[] = "ketch";
	char *argv[4 + 4 + PORTS_MAX + 1] = { program, names, f->network, f->table ? f->table : table };

	for (size_t i = 0; i < n; i++) {
		snprintf(numbers[i], sizeof(numbers[i]), "%d", fds[i]);
		argv[4 + i] = numbers[i];
	}
	return spawn_net(argv, fds, n);
}

static int await_ready(int fd, const struct names_file *f, struct err *e)
{
	char said[NAMES_SAID_MAX];
	int r = read_ready(fd, NAMES_WAIT_MS, said, sizeof(said));

	close(fd);
	return r < 0 ? err_set(e, -r, "name service of network %.80s: %s", f->network, said) : 0;
}

/* Returns where it says whether it has started. */
static int start(int dir_fd, int instances_fd, int lock, const struct names_file *f, struct err *e)
{
	AUTO(sockets_done) struct sockets s = { .n = 0 };
	int fds[4 + PORTS_MAX] = { dir_fd, instances_fd, lock };
	int status[2], r = add_dns(&s, f->gateway, e);

	if (r == 0)
		r = add_dns(&s, f->gateway6, e);
	if (r == 0)
		r = add_dhcp(&s, f, e);
	if (r < 0)
		return r;
	if (pipe_cloexec(status) < 0)
		return err_sys(e, errno, "pipe");
	fds[3] = status[1];
	memcpy(fds + 4, s.fds, s.n * sizeof(*fds));
	r = spawn(f, fds, 4 + s.n);
	close(status[1]);
	if (r == 0)
		return status[0];
	close(status[0]);
	return err_sys(e, -r, "the program ketch-net");
}

int names_ensure(int dir_fd, int instances_fd, const struct names_file *f, int *ret_ready, struct err *e)
{
	autoclose int lock = net_lock_take(dir_fd, "lock");
	int ready;

	if (ret_ready)
		*ret_ready = -1;
	if (lock == -EBUSY)
		return 0;
	if (lock < 0)
		return err_sys(e, -lock, "lock of network %.80s", f->network);
	ready = start(dir_fd, instances_fd, lock, f, e);
	if (ready < 0 || !ret_ready)
		return ready < 0 ? ready : await_ready(ready, f, e);
	*ret_ready = ready;
	return 0;
}
