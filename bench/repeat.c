/* repeat.c - runs a command again and again and prints how long each run took
 *
 *	repeat -n RUNS [-p PERIOD_MS] [-u TEXT] [-m MOUNT_NAMESPACE] -- COMMAND [ARG...] [";" COMMAND [ARG...]]...
 *
 * Several commands are one run: each begins when the one before has ended, and the first that fails ends it.  "{}" in an
 * argument is the number of the run.
 * One line a run: nanoseconds, and the exit status (128 + signal; -1: killed at the deadline).  -p: starts are that far
 * apart, or back to back when a run takes longer.  -u: the time until TEXT appears on the command's stdout,
 * else until its end.  -m: joins a mount namespace first.  posix_spawn(3) of a small process: what is measured is the
 * command, not us.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEADLINE_NS INT64_C(120000000000)
#define MAX_ARGS    64
#define KEPT	    4096 /* of the output: TEXT may be cut in two reads */

struct result {
	int64_t took; /* ns */
	int status;
};

struct job {
	int runs, period_ms;
	const char *until;
	char *const *argv;
	struct result *result; /* of one run */
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void sleep_until(int64_t ns)
{
	struct timespec t = { ns / 1000000000, ns % 1000000000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

static int wait_readable(int fd, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t left = deadline - now_ns();

	return left > 0 ? poll(&p, 1, (int)(left / 1000000) + 1) : 0;
}

/* Reads until TEXT has come, or the end, or the deadline; 0 when it has come. */
static int read_until(int fd, const char *text, int64_t deadline)
{
	char buf[2 * KEPT + 1];
	size_t have = 0;

	while (wait_readable(fd, deadline) > 0) {
		ssize_t n = read(fd, buf + have, KEPT);

		if (n <= 0)
			return -1;
		have += (size_t)n;
		buf[have] = '\0';
		if (memmem(buf, have, text, strlen(text)))
			return 0;
		if (have > KEPT) {
			memmove(buf, buf + have - KEPT, KEPT);
			have = KEPT;
		}
	}
	return -1;
}

static void drain(int fd, int64_t deadline)
{
	char buf[KEPT];

	while (wait_readable(fd, deadline) > 0 && read(fd, buf, sizeof(buf)) > 0)
		;
}

/* Waits for the child by its pidfd, kills it at the deadline. */
static int reap(pid_t child, int64_t deadline)
{
	int pidfd = (int)syscall(SYS_pidfd_open, child, 0), status, late;

	late = pidfd >= 0 && wait_readable(pidfd, deadline) <= 0;
	if (late)
		syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	if (pidfd >= 0)
		close(pidfd);
	if (waitpid(child, &status, 0) != child || late)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int spawn(const struct job *j, int out, pid_t *ret)
{
	extern char **environ;
	posix_spawn_file_actions_t fa;
	int r;

	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&fa, out, 1);
	posix_spawn_file_actions_addopen(&fa, 2, "/dev/null", O_WRONLY, 0);
	r = posix_spawnp(ret, j->argv[0], &fa, NULL, j->argv, environ);
	posix_spawn_file_actions_destroy(&fa);
	return r;
}

static int run_command(const struct job *j, int null)
{
	int64_t began, took = -1, deadline;
	int fd[2] = { -1, -1 }, status;
	pid_t child;

	if (j->until && pipe2(fd, O_CLOEXEC) < 0)
		return -errno;
	began = now_ns();
	deadline = began + DEADLINE_NS;
	if (spawn(j, j->until ? fd[1] : null, &child) != 0)
		return -ENOENT;
	if (j->until) {
		close(fd[1]);
		if (read_until(fd[0], j->until, deadline) == 0)
			took = now_ns() - began;
		drain(fd[0], deadline);
	}
	status = reap(child, deadline);
	if (!j->until)
		took = now_ns() - began;
	else
		close(fd[0]);
	j->result->took += took;
	j->result->status = status;
	return 0;
}

/* The argument with the number of the run for "{}"; never freed: one run's worth is small. */
static char *numbered(const char *arg, int run)
{
	const char *at = strstr(arg, "{}");
	char *text = NULL;

	if (!at)
		return strdup(arg);
	return asprintf(&text, "%.*s%d%s", (int)(at - arg), arg, run, at + 2) < 0 ? NULL : text;
}

static int run_once(const struct job *j, int run, int null)
{
	struct result total = { 0, 0 };
	char *const *next = j->argv;
	int r = 0;

	while (*next && r == 0 && total.status == 0) {
		char *argv[MAX_ARGS + 1] = { NULL };
		struct job one = *j;

		for (int n = 0; *next && strcmp(*next, ";") && n < MAX_ARGS; n++)
			argv[n] = numbered(*next++, run);
		if (*next)
			next++;
		one.argv = argv;
		one.result = &total;
		r = run_command(&one, null);
	}
	printf("%lld %d\n", (long long)total.took, total.status);
	return r < 0 ? r : fflush(stdout) == 0 ? 0 : -EPIPE;
}

static int run_all(const struct job *j)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC), r = 0;
	int64_t next = now_ns();

	for (int i = 0; i < j->runs && r == 0; i++) {
		sleep_until(next);
		r = run_once(j, i, null);
		next = next + j->period_ms * INT64_C(1000000);
		if (next < now_ns())
			next = now_ns();
	}
	return r;
}

static int join(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 || setns(fd, CLONE_NEWNS) < 0 ? -1 : close(fd);
}

int main(int argc, char **argv)
{
	struct job j = { .runs = 1 };
	int c, r;

	while ((c = getopt(argc, argv, "+n:p:u:m:")) != -1) {
		if (c == 'n')
			j.runs = atoi(optarg);
		else if (c == 'p')
			j.period_ms = atoi(optarg);
		else if (c == 'u')
			j.until = optarg;
		else if (c != 'm' || join(optarg) < 0)
			return 2;
	}
	j.argv = argv + optind;
	if (!j.argv[0])
		return 2;
	r = run_all(&j);
	if (r < 0)
		fprintf(stderr, "repeat: %s: %s\n", j.argv[0], strerror(-r));
	return r < 0;
}
