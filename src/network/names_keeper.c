/* names_keeper.c - the half of ketch-net that has rights: it opens two files, and does wishes of fixed size
 *
 * The network has gone when its lock or its names file is removed (names_end).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/parse.h"
#include "network/firewall.h"
#include "network/names_int.h"
#include "sys/confine.h"
#include "sys/scm.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define ASKED_MAX   (256 << 10) /* bytes of a list of names */
#define WORKER_S    5 /* without reading what we say: then it is over with it */
#define CHANGES	    (IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF)

struct keeping {
	const struct keeper *k;
	struct firewall wall;
	int events; /* inotify */
	struct stat names, resolv; /* as they were handed on */
	bool over, ready;
};

/* --- what the worker is to read */

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Hands the file on, unless it is the one that was. */
static int hand_on(struct keeping *s, uint32_t kind, int fd, struct stat *last)
{
	const struct link_news news = { .kind = kind };
	struct stat now;

	if (fstat(fd, &now) < 0)
		return -errno;
	if (!S_ISREG(now.st_mode) || same(&now, last))
		return 0;
	*last = now;
	return scm_send(s->k->link_fd, fd, &news, sizeof(news));
}

static void look_at_names(struct keeping *s)
{
	autoclose int fd = openat(s->k->dir_fd, "names", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat lock;

	if (fd < 0 || fstat(s->k->lock_fd, &lock) < 0 || lock.st_nlink == 0 ||
	    hand_on(s, LINK_NAMES, fd, &s->names) < 0)
		s->over = true;
}

static void look_at_resolvers(struct keeping *s)
{
	const struct link_news none = { .kind = LINK_RESOLVERS };
	autofree char *path = realpath(RESOLV_CONF, NULL);
	autoclose int fd = open(RESOLV_CONF, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *slash = path ? strrchr(path, '/') : NULL;

	if (slash && slash != path) {
		*slash = '\0';
		inotify_add_watch(s->events, path, CHANGES | IN_ONLYDIR);
	}
	if (fd >= 0) {
		if (hand_on(s, LINK_RESOLVERS, fd, &s->resolv) < 0)
			s->over = true;
	} else if (s->resolv.st_ino) {
		s->resolv = (struct stat){ 0 };
		if (send(s->k->link_fd, &none, sizeof(none), MSG_NOSIGNAL) < 0)
			s->over = true;
	}
}

/* What has changed is found by looking: events are not even read one by one. */
static void look(struct keeping *s)
{
	char events[4096];

	if (read(s->events, events, sizeof(events)) < 0 && errno != EAGAIN && errno != EINTR)
		s->over = true;
	look_at_resolvers(s); /* first: a worker that has names answers */
	look_at_names(s);
}

/* --- wishes */

static bool is_text(const char *s, size_t size)
{
	return memchr(s, '\0', size) != NULL;
}

static bool is_id(const char *id)
{
	return strlen(id) >= 32 && strspn(id, "0123456789abcdef") == strlen(id);
}

static bool is_name(const char *name)
{
	return *name && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == strlen(name);
}

/* A line of ROOT/instances/ID/asked. */
static int note_asked(const struct keeping *s, const struct link_wish *w)
{
	char path[LINK_ID_LEN + 8], line[DNS_TEXT_MAX + 1];
	autoclose int fd = -1;
	struct stat st;
	int n;

	if (s->k->instances_fd < 0)
		return 0;
	snprintf(path, sizeof(path), "%s/asked", w->instance);
	fd = openat(s->k->instances_fd, path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size > ASKED_MAX)
		return -EFBIG;
	n = snprintf(line, sizeof(line), "%s\n", w->name);
	return write_full(fd, line, (size_t)n);
}

/* Where an instance may never be sent, whatever a resolver says. */
static bool is_reachable(const struct ip *ip, int family)
{
	if (ip->family != family || ip_is_any(ip) || ip_is_loopback(ip))
		return false;
	if (family == AF_INET) /* link-local: metadata of clouds; multicast and above */
		return ip->bytes[0] < 224 && !(ip->bytes[0] == 169 && ip->bytes[1] == 254);
	return ip->bytes[0] != 0xff && !(ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80);
}

static int open_addresses(struct keeping *s, const struct link_wish *w)
{
	char own[IP_TEXT_MAX], id[LINK_ID_LEN];
	const struct ip_prefix client = { w->client, ip_bits(w->client.family) };
	const struct net_port given = { .address = w->client.family == AF_INET ? own : NULL,
					.address6 = w->client.family == AF_INET6 ? own : NULL };
	const struct fw_port port = { .instance = id, .given = &given, .egress = true };
	int r = 0;

	if ((w->client.family != AF_INET && w->client.family != AF_INET6) || w->n > LINK_ADDRESSES_MAX)
		return -EINVAL;
	memcpy(id, w->instance, sizeof(id));
	ip_print_prefix(&client, own);
	for (uint32_t i = 0; i < w->n && r == 0; i++)
		if (is_reachable(&w->to[i].ip, w->client.family))
			r = firewall_egress_add(&s->wall, &port, &w->to[i].ip, w->to[i].ttl_s, NULL);
	return r;
}

static int do_wish(struct keeping *s, const struct link_wish *w)
{
	if (!is_text(w->instance, sizeof(w->instance)) || !is_text(w->name, sizeof(w->name)) ||
	    !is_id(w->instance))
		return -EINVAL;
	if (w->kind == LINK_ASKED)
		return is_name(w->name) ? note_asked(s, w) : -EINVAL;
	return w->kind == LINK_OPEN ? open_addresses(s, w) : -EINVAL;
}

static void take_wish(struct keeping *s)
{
	static struct link_wish w;
	struct link_news done = { .kind = LINK_DONE };
	ssize_t n = recv(s->k->link_fd, &w, sizeof(w), 0);

	if (n < 0 && errno == EINTR)
		return;
	if (n != sizeof(w)) {
		s->over = true;
		return;
	}
	if (w.kind == LINK_READY) {
		if (!s->ready) { /* whoever started us may have gone, and the number may be another's then */
			write_full(s->k->status_fd, "ok", 2);
			close(s->k->status_fd);
		}
		s->ready = true;
		return;
	}
	done.number = w.number;
	done.result = do_wish(s, &w);
	if (w.kind == LINK_OPEN && send(s->k->link_fd, &done, sizeof(done), MSG_NOSIGNAL) < 0)
		s->over = true;
}

int names_keep(const struct keeper *k)
{
	struct keeping s = { .k = k, .wall.fd = -1, .events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK) };
	char dir[32];
	int r;

	snprintf(s.wall.table, sizeof(s.wall.table), "%s", k->table);
	snprintf(dir, sizeof(dir), "/proc/self/fd/%d", k->dir_fd);
	if (s.events < 0 || inotify_add_watch(s.events, dir, CHANGES | IN_ONLYDIR) < 0)
		return 1;
	inotify_add_watch(s.events, "/etc", CHANGES | IN_ONLYDIR);
	if (setsockopt(k->link_fd, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){ .tv_sec = WORKER_S },
		       sizeof(struct timeval)) < 0)
		return 1;
	r = confine_user(0, UINT64_C(1) << CAP_NET_ADMIN);
	if (r < 0)
		return 1;
	look(&s);
	while (!s.over) {
		struct pollfd p[2] = { { s.events, POLLIN, 0 }, { k->link_fd, POLLIN, 0 } };

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			break;
		if (p[0].revents)
			look(&s);
		if (p[1].revents)
			take_wish(&s);
	}
	return 0;
}
