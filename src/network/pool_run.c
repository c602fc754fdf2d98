/* pool_run.c - `ketch-net pool` from its arguments to its two processes */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/parse.h"
#include "network/pool_int.h"
#include "sys/confine.h"
#include "sys/netlink.h"
#include "sys/ns.h"

/* Whatever happens to the lock is that it is removed; perhaps it was before it was watched. */
static int watch_lock(int lock_fd)
{
	autoclose int events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", lock_fd);
	if (events < 0 || inotify_add_watch(events, path, IN_ATTRIB | IN_DELETE_SELF) < 0 ||
	    fstat(lock_fd, &st) < 0)
		return -errno;
	return st.st_nlink ? take_fd(&events) : -ENOENT;
}

static int read_arguments(char **words, struct pool_maker *m, struct pool_giver *g)
{
	uint32_t numbers[6];

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (!words[2 + i] || parse_u32(words[2 + i], &numbers[i]) < 0)
			return -EINVAL;
	m->id = words[0];
	m->bridge = words[1];
	m->mtu = numbers[1];
	m->isolate = numbers[2];
	m->ipv6 = numbers[3];
	*g = (struct pool_giver){ .size = numbers[0],
				  .lock_fd = (int)numbers[4],
				  .socket_fd = (int)numbers[5] };
	return g->size && g->size <= POOL_MAX ? 0 : -EINVAL;
}

static int open_all(struct pool_maker *m, struct pool_giver *g)
{
	int bad, r = confine_fds((const int[]){ g->lock_fd, g->socket_fd }, 2, &bad);

	if (r == 0)
		r = g->events_fd = watch_lock(g->lock_fd);
	if (r >= 0)
		r = m->rt = nl_open(NETLINK_ROUTE);
	if (r >= 0)
		r = m->netns_fd = ns_open(0, "net");
	if (r >= 0 && (m->settings_fd = open("/proc/sys/net", O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
		r = -errno;
	return r;
}

int pool_run(char **words)
{
	struct pool_maker m = { .rt = -1 };
	struct pool_giver g;
	int pair[2], pidfd, r = read_arguments(words, &m, &g);
	pid_t pid;

	if (r < 0)
		return 125;
	if (chdir("/") < 0 || open_all(&m, &g) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return 1;
	g.link_fd = pair[0];
	m.link_fd = pair[1];
	pid = ns_clone(CLONE_NEWPID, -1, &pidfd);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pool_give(&g);
	}
	return pid < 0 ? 1 : (pool_make(&m), 0);
}
