/* names_run.c - ketch-net from its arguments to its two processes */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/parse.h"
#include "network/names_int.h"
#include "sys/confine.h"
#include "sys/ns.h"

static int take_number(const char *word, int *ret)
{
	uint32_t v;

	if (parse_u32(word, &v) < 0 || fd_set_cloexec((int)v, true) < 0)
		return -EBADF;
	*ret = (int)v;
	return 0;
}

/* What went wrong is the text in the status pipe. */
static int fail(int status_fd, int r, const char *what)
{
	char text[128];

	snprintf(text, sizeof(text), "%s: %s", what, strerror(-r));
	write_full(status_fd, text, strlen(text));
	return 1;
}

struct start {
	struct keeper keeper;
	int sockets[PORTS_MAX];
	unsigned n_sockets;
};

static int read_arguments(char **words, struct start *st)
{
	struct keeper *k = &st->keeper;
	int *const numbers[] = { &k->dir_fd, &k->instances_fd, &k->lock_fd, &k->status_fd };
	int r = 0;

	k->table = *words++;
	for (size_t i = 0; i < ARRAY_LEN(numbers) && r == 0; i++)
		r = take_number(*words++, numbers[i]);
	for (; *words && r == 0; words++)
		r = st->n_sockets == PORTS_MAX ? -E2BIG : take_number(*words, &st->sockets[st->n_sockets++]);
	return r;
}

/* Whatever else the caller had open, and the directory that he was in, is not ours to keep. */
static int let_go(const struct start *st)
{
	const struct keeper *k = &st->keeper;
	int fds[4 + PORTS_MAX] = { k->dir_fd, k->instances_fd, k->lock_fd, k->status_fd }, bad;

	memcpy(fds + 4, st->sockets, st->n_sockets * sizeof(*fds));
	return chdir("/") < 0 ? -errno : confine_fds(fds, 4 + st->n_sockets, &bad);
}

static void work(const struct start *st, int link)
{
	int fds[PORTS_MAX + 2] = { link }, r;
	unsigned n = 1 + st->n_sockets;

	memcpy(fds + 1, st->sockets, st->n_sockets * sizeof(*fds));
	fds[n] = st->keeper.status_fd;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	r = names_jail(fds, n + 1, FORWARDS_MAX + CONNECTIONS_MAX);
	if (r < 0)
		_exit(fail(st->keeper.status_fd, r, "its sandbox"));
	close(st->keeper.status_fd);
	names_work(fds, n);
}

int names_run(char **words)
{
	struct start st = { .n_sockets = 0 };
	int pair[2], pidfd, r = read_arguments(words, &st);
	pid_t pid;

	if (r < 0)
		return 125;
	signal(SIGPIPE, SIG_IGN); /* whoever started it may have gone before it can say that it has started */
	r = let_go(&st);
	if (r < 0)
		return fail(st.keeper.status_fd, r, "descriptors");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return fail(st.keeper.status_fd, -errno, "socketpair");
	pid = ns_clone(CLONE_NEWPID, -1, &pidfd);
	if (pid == 0)
		work(&st, pair[1]);
	if (pid < 0)
		return fail(st.keeper.status_fd, pid, "its second process");
	close(pair[1]);
	for (unsigned i = 0; i < st.n_sockets; i++)
		close(st.sockets[i]);
	st.keeper.link_fd = pair[0];
	return names_keep(&st.keeper);
}
