/* run.c - a helper program run to its end */
#include "sys/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "sys/pidfd.h"

static int spawn(const char *const argv[], int keep, int stderr_fd, pid_t *ret)
{
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		    lang[] = "LC_ALL=C";
	char *envp[] = { path, lang, NULL };
	posix_spawn_file_actions_t fa;
	int r = posix_spawn_file_actions_init(&fa);

	if (r)
		return -r;
	for (int i = 0; i < 2 && r == 0; i++)
		r = posix_spawn_file_actions_addopen(&fa, i, "/dev/null", O_RDWR, 0);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&fa, stderr_fd, 2);
	if (r == 0 && keep >= 0)
		r = posix_spawn_file_actions_adddup2(&fa, keep, keep);
	if (r == 0)
		r = posix_spawnp(ret, argv[0], &fa, NULL, (char *const *)(uintptr_t)argv, envp);
	posix_spawn_file_actions_destroy(&fa);
	return -r;
}

/* Reads stderr to its end, which comes when the program (and all its children) are gone. */
static int listen_until(int fd, int64_t deadline_ns, struct buf *said)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left_ms = (deadline_ns - clock_mono_ns()) / 1000000;
		char text[512];
		ssize_t k;

		if (left_ms <= 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int)left_ms) <= 0)
			continue;
		k = read(fd, text, sizeof(text));
		if (k <= 0)
			return k < 0 && errno != EINTR ? -errno : 0;
		if (said && said->len < RUN_MAX_SAID)
			buf_add(said, text, (size_t)k);
	}
}

int run_program(const char *const argv[], int keep, int timeout_ms, struct buf *said, int *ret_status)
{
	autoclose int out = -1, in = -1, pidfd = -1;
	int r, pair[2], status;
	pid_t pid = 0;

	log_debug_argv("run", "program", argv);
	r = pipe_cloexec(pair);
	if (r < 0)
		return r;
	out = pair[0];
	in = pair[1];
	r = spawn(argv, keep, in, &pid);
	if (r < 0)
		return r;
	close(in);
	in = -1;
	r = listen_until(out, clock_mono_ns() + (int64_t)timeout_ms * 1000000, said);
	pidfd = pidfd_open_pid(pid);
	if (r < 0 && pidfd >= 0)
		pidfd_signal(pidfd, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (r < 0)
		return r;
	*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return 0;
}
