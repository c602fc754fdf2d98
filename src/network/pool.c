/* pool.c - the pool of a network is started and ended, and a port of it taken */
#include "network/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "network/names_int.h"
#include "network/pool_int.h"
#include "sys/rtnetlink.h"
#include "sys/scm.h"

#define LOCK	   "pool.lock"
#define SOCKET	   "pool"
#define BACKLOG	   128
#define ANSWER_MS  20 /* of a giver that has its turn; a port of one's own takes a tenth of that */
#define HEX	   "0123456789abcdef"
#define LINK_START "kv-"

/* --- its life */

static int listen_in(int dir_fd)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || (unlinkat(dir_fd, SOCKET, 0) < 0 && errno != ENOENT))
		return -errno;
	snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d/" SOCKET, dir_fd);
	/* the directory is root's alone; with the mode of the descriptor the socket is never another's either */
	if (fchmod(fd, 0600) < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return -errno;
	return fd_move_above_stdio(take_fd(&fd));
}

static int spawn(const struct network *n, int lock, int listener)
{
	char program[] = "ketch-net", role[] = "pool", numbers[6][16];
	const long values[] = { n->pool, n->mtu, n->isolate, n->v6.subnet != NULL, lock, listener };
	char *argv[4 + ARRAY_LEN(values) + 1] = { program, role, n->id, n->bridge };

	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		snprintf(numbers[i], sizeof(numbers[i]), "%ld", values[i]);
		argv[4 + i] = numbers[i];
	}
	return spawn_net(argv, (const int[]){ lock, listener }, 2);
}

int pool_ensure(int dir_fd, const struct network *n, struct err *e)
{
	autoclose int lock = n->pool ? net_lock_take(dir_fd, LOCK) : -EBUSY;
	autoclose int listener = lock < 0 ? lock : listen_in(dir_fd);
	int r = listener;

	if (lock == -EBUSY)
		return 0;
	if (r >= 0)
		r = spawn(n, lock, listener);
	return r < 0 ? err_sys(e, -r, "pool of network %.80s", n->name) : 0;
}

void pool_end(int dir_fd)
{
	unlinkat(dir_fd, LOCK, 0);
	unlinkat(dir_fd, SOCKET, 0);
}

bool pool_lives(int dir_fd)
{
	return net_lock_is_held(dir_fd, LOCK);
}

/* --- a port of it */

bool pool_message_check(const struct pool_message *m)
{
	size_t start = strlen(LINK_START);

	return memchr(m->link, '\0', sizeof(m->link)) && !strncmp(m->link, LINK_START, start) &&
	       m->link[start] && strspn(m->link + start, HEX) == strlen(m->link + start) && m->index > 0;
}

int pool_ask(const char *path)
{
	const struct timeval limit = { .tv_usec = ANSWER_MS * 1000 };
	autofree char *at = str_printf("%s/" SOCKET, path);
	autoclose int fd = -1;

	if (!at)
		return -ENOMEM;
	if (faccessat(AT_FDCWD, at, F_OK, 0) < 0)
		return -errno;
	fd = scm_connect(at, ANSWER_MS);
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0)
		return -errno;
	return take_fd(&fd);
}

int pool_answer(int asked, struct pool_port *ret)
{
	struct pool_message m;
	autoclose int s = asked, fd = -1;

	if (scm_read(s, &m, sizeof(m), &fd) != sizeof(m) || fd < 0 || !pool_message_check(&m))
		return 0;
	fd = fd_move_above_stdio(take_fd(&fd));
	if (fd < 0)
		return 0;
	*ret = (struct pool_port){ .index = m.index, .netns_fd = take_fd(&fd) };
	memcpy(ret->link, m.link, sizeof(ret->link));
	return 1;
}

int pool_count(int rt, const struct network *n, uint32_t *ret, struct err *e)
{
	struct rt_link_info *links;
	char alias[sizeof(PORT_ALIAS_POOL) + NETWORK_ID_LEN];
	size_t n_links;
	int r = rt_links(rt, &links, &n_links);

	if (r < 0)
		return err_sys(e, -r, "links of this host");
	snprintf(alias, sizeof(alias), PORT_ALIAS_POOL "%.*s", NETWORK_ID_LEN, n->id);
	*ret = 0;
	for (size_t i = 0; i < n_links; i++)
		*ret += !strcmp(links[i].alias, alias);
	free(links);
	return 0;
}
