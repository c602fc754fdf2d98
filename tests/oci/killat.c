/* killat.c - killat [-h] N COMMAND...: kills COMMAND with SIGKILL when it makes its Nth system call
 *
 * N counts the system calls of the command and of all processes it makes, in the order in which they come; the
 * process that makes the Nth one is the one that dies.  The others go on untraced, and so does everything when
 * the command has ended on its own; the command's end is waited for.  With N = 0 nobody is killed and the number of calls is printed.
 * With -h it holds the ends that the killed one read its pipes from, and stops by SIGSTOP before it ends: the kernel closes
 * the descriptors of a dying process in no order, and whatever concludes something from the one must bear that another is
 * still open, for a moment or, here, until whoever started killat lets it go on.
 * Exit status: 0 when somebody was killed, 3 when the command ended before, 2 when tracing failed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_TRACED = 256 };
enum {
	OPTIONS = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
		  PTRACE_O_TRACEEXEC
};

struct tracer {
	pid_t command;
	pid_t traced[MAX_TRACED];
	int in_call[MAX_TRACED]; /* stopped at the entry of a call, not yet at its end */
	size_t n;
	long calls, kill_at;
	int hold;
};

static size_t find(struct tracer *t, pid_t pid)
{
	size_t i = 0;

	while (i < t->n && t->traced[i] != pid)
		i++;
	if (i == t->n && t->n < MAX_TRACED) {
		t->traced[t->n] = pid;
		t->in_call[t->n++] = 0;
	}
	return i;
}

static void forget(struct tracer *t, pid_t pid)
{
	size_t i = find(t, pid);

	t->traced[i] = t->traced[--t->n];
	t->in_call[i] = t->in_call[t->n];
}

/* A tracee can be let go only while it is stopped; the one that was killed is heard of here, too. */
static void let_all_go(struct tracer *t)
{
	for (size_t i = 0; i < t->n; i++)
		ptrace(PTRACE_INTERRUPT, t->traced[i], 0, 0);
	while (t->n > 0) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0)
			return;
		if (WIFSTOPPED(status))
			ptrace(PTRACE_DETACH, pid, 0, 0);
		forget(t, pid);
	}
}

/* They stay open until we end. */
static void hold_pipes(pid_t pid)
{
	char dir[64], path[PATH_MAX], target[64];
	struct dirent *entry;
	DIR *fds;

	snprintf(dir, sizeof(dir), "/proc/%d/fd", (int)pid);
	fds = opendir(dir);
	while (fds && (entry = readdir(fds))) {
		struct stat end;
		ssize_t n;

		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		n = readlink(path, target, sizeof(target));
		if (n > 5 && !strncmp(target, "pipe:", 5) && lstat(path, &end) == 0 &&
		    (end.st_mode & S_IRUSR))
			open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	}
	if (fds)
		closedir(fds);
}

/* Goes on with a stopped tracee; returns true when it was the one to die. */
static int step(struct tracer *t, pid_t pid, int status)
{
	int signal = WSTOPSIG(status), event = status >> 16;
	size_t i = find(t, pid);

	if (signal == (SIGTRAP | 0x80)) {
		t->in_call[i] = !t->in_call[i];
		if (t->in_call[i] && ++t->calls == t->kill_at) {
			if (t->hold)
				hold_pipes(pid);
			kill(pid, SIGKILL);
			return 1;
		}
		signal = 0;
	} else if (event != 0) {
		signal = 0; /* of ptrace's making */
	}
	ptrace(PTRACE_SYSCALL, pid, 0, signal);
	return 0;
}

static int follow(struct tracer *t)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0)
			return errno == ECHILD ? 3 : 2;
		if (!WIFSTOPPED(status)) {
			forget(t, pid);
			if (pid == t->command) {
				let_all_go(t);
				return 3;
			}
		} else if (step(t, pid, status)) {
			let_all_go(t);
			return 0;
		}
	}
}

static int trace(struct tracer *t, char **command)
{
	int status, result;

	t->command = fork();
	if (t->command == 0) {
		raise(SIGSTOP);
		execvp(*command, command);
		_exit(127);
	}
	if (waitpid(t->command, &status, WUNTRACED) != t->command ||
	    ptrace(PTRACE_SEIZE, t->command, 0, OPTIONS) < 0)
		return 2;
	find(t, t->command);
	ptrace(PTRACE_INTERRUPT, t->command, 0, 0); /* stops, goes on with PTRACE_SYSCALL */
	kill(t->command, SIGCONT);
	result = follow(t);
	if (t->kill_at == 0)
		printf("%ld\n", t->calls);
	else if (result == 0)
		waitpid(t->command, &status, 0); /* another process was killed: it goes on, and ends */
	return result;
}

/* The tracer is another process, with the same descriptors: only its end lets a child go that it has not heard of yet. */
static int trace_and_hold(struct tracer *t, char **command)
{
	pid_t tracer = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	int status;

	if (tracer == 0)
		exit(trace(t, command));
	if (tracer < 0 || waitpid(tracer, &status, 0) != tracer)
		return 2;
	raise(SIGSTOP);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

int main(int argc, char **argv)
{
	struct tracer t = { .hold = argc > 1 && !strcmp(argv[1], "-h") };

	argv += t.hold;
	if (argc - t.hold < 3)
		return 2;
	t.kill_at = atol(argv[1]);
	return t.hold ? trace_and_hold(&t, argv + 2) : trace(&t, argv + 2);
}
