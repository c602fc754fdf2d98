/* killat.c - killat [-h|-c] [-e] N COMMAND...: kills COMMAND with SIGKILL when it makes its Nth system call
 *
 * N counts the system calls of the command and of all processes it makes, in the order in which they come; the
 * process that makes the Nth one is the one that dies.  The others go on untraced, and so does everything when
 * the command has ended on its own; the command's end is waited for.  With N = 0 nobody is killed and the number of calls is printed.
 * With -h it holds the ends that the killed one read its pipes from, and stops by SIGSTOP before it ends: the kernel closes
 * the descriptors of a dying process in no order, and whatever concludes something from the one must bear that another is
 * still open, for a moment or, here, until whoever started killat lets it go on.
 * With -c about half of its descriptors, others for each N, are closed in it MOMENT_US before it dies: so does the kernel,
 * before it tells anybody of the death.  Who concludes from the end of one that another is open, or the process alive and
 * well, is seen.
 * With -e only calls are counted that can change what somebody else sees: between two of them every moment is the same.
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
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_TRACED = 256, MAX_FDS = 1024, MOMENT_US = 20000, VFORK_MS = 20, END_MS = 10000 };
enum { SYSCALL_INSN_LEN = 2 };
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
	pid_t victim;
	int hold, close_first, effects_only;
};

/* What changes nothing outside of the process: all that reads, and its own memory, signals and numbers. */
static const short private_calls[] = {
	SYS_access,
	SYS_arch_prctl,
	SYS_brk,
	SYS_capget,
	SYS_clock_gettime,
	SYS_clock_nanosleep,
	SYS_faccessat,
	SYS_faccessat2,
	SYS_fstat,
	SYS_getdents64,
	SYS_getegid,
	SYS_geteuid,
	SYS_getgid,
	SYS_getpid,
	SYS_getppid,
	SYS_getrandom,
	SYS_getrlimit,
	SYS_getsockname,
	SYS_getsockopt,
	SYS_gettid,
	SYS_getuid,
	SYS_lseek,
	SYS_lstat,
	SYS_madvise,
	SYS_mmap,
	SYS_mprotect,
	SYS_mremap,
	SYS_munmap,
	SYS_nanosleep,
	SYS_newfstatat,
	SYS_poll,
	SYS_ppoll,
	SYS_pread64,
	SYS_readlink,
	SYS_readlinkat,
	SYS_rseq,
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_sched_getaffinity,
	SYS_set_robust_list,
	SYS_set_tid_address,
	SYS_sigaltstack,
	SYS_stat,
	SYS_statfs,
	SYS_statx,
	SYS_uname,
	SYS_epoll_create1,
	SYS_epoll_ctl,
	SYS_epoll_wait,
	SYS_signalfd4,
	SYS_timerfd_create,
	SYS_timerfd_settime,
	SYS_umask,
	SYS_chdir,
	SYS_fchdir,
};

static int is_regular_file(pid_t pid, int fd)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static int is_private(pid_t pid)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, 0, &regs) < 0)
		return 0;
	for (size_t i = 0; i < sizeof(private_calls) / sizeof(*private_calls); i++)
		if ((short)regs.orig_rax == private_calls[i])
			return 1;
	if (regs.orig_rax == SYS_read)
		return is_regular_file(pid, (int)regs.rdi);
	return regs.orig_rax == SYS_openat && !(regs.rdx & (O_CREAT | O_TRUNC | O_ACCMODE));
}

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

/* A child that has not stopped yet is one to let go, too. */
static void hear_of_child(struct tracer *t, pid_t pid, int status)
{
	int event = status >> 16;
	unsigned long child;

	if ((event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE) &&
	    ptrace(PTRACE_GETEVENTMSG, pid, 0, &child) == 0)
		find(t, (pid_t)child);
}

/* A tracee can be let go only while it is stopped.  One that has made a child by vfork(2) stops when that child is gone: it
 * is not waited for longer than `most_ms`, and let go by the next call. */
static void let_all_go(struct tracer *t, int most_ms)
{
	for (size_t i = t->n; i-- > 0;)
		if (ptrace(PTRACE_INTERRUPT, t->traced[i], 0, 0) < 0)
			forget(t, t->traced[i]); /* it has ended */
	while (t->n > 0 && most_ms > 0) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL | WNOHANG);

		if (pid < 0)
			return;
		if (pid == 0) {
			usleep(1000);
			most_ms--;
			continue;
		}
		if (WIFSTOPPED(status)) {
			hear_of_child(t, pid, status);
			ptrace(PTRACE_DETACH, pid, 0, 0);
		}
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

static size_t descriptors(pid_t pid, int *fds)
{
	char dir[64];
	struct dirent *entry;
	size_t n = 0;
	DIR *d;

	snprintf(dir, sizeof(dir), "/proc/%d/fd", (int)pid);
	d = opendir(dir);
	while (d && n < MAX_FDS && (entry = readdir(d)))
		if (*entry->d_name != '.')
			fds[n++] = atoi(entry->d_name);
	if (d)
		closedir(d);
	return n;
}

/* Until the tracee stops at the entry or the end of a call; 0: it has died. */
static int next_stop(pid_t pid)
{
	int status;

	do {
		if (ptrace(PTRACE_SYSCALL, pid, 0, 0) < 0 || waitpid(pid, &status, __WALL) != pid ||
		    !WIFSTOPPED(status))
			return 0;
	} while (WSTOPSIG(status) != (SIGTRAP | 0x80));
	return 1;
}

/* Has the tracee, which stands at the entry of a call, make this one instead, and stand at the entry again. */
static int close_in(pid_t pid, int fd)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, 0, &regs) < 0)
		return 0;
	regs.orig_rax = SYS_close;
	regs.rdi = (unsigned long long)fd;
	if (ptrace(PTRACE_SETREGS, pid, 0, &regs) < 0 || !next_stop(pid) ||
	    ptrace(PTRACE_GETREGS, pid, 0, &regs) < 0)
		return 0;
	regs.rip -= SYSCALL_INSN_LEN;
	regs.rax = SYS_close;
	return ptrace(PTRACE_SETREGS, pid, 0, &regs) == 0 && next_stop(pid);
}

/* Threads share descriptors, and would see that. */
static int is_alone(pid_t pid)
{
	char dir[64];
	struct stat st;

	snprintf(dir, sizeof(dir), "/proc/%d/task", (int)pid);
	return stat(dir, &st) == 0 && st.st_nlink == 3;
}

/* The tracee dies as a process does when the kernel is slow: the others run meanwhile. */
static void close_some(struct tracer *t)
{
	int fds[MAX_FDS];
	size_t n = is_alone(t->victim) ? descriptors(t->victim, fds) : 0;

	srandom((unsigned)t->kill_at);
	for (size_t i = 0; i < n; i++)
		if (random() & 0x100 && !close_in(t->victim, fds[i]))
			break;
	usleep(MOMENT_US);
}

static void kill_victim(struct tracer *t)
{
	int status;

	forget(t, t->victim);
	let_all_go(t, VFORK_MS);
	if (t->hold)
		hold_pipes(t->victim);
	if (t->close_first)
		close_some(t);
	kill(t->victim, SIGKILL);
	waitpid(t->victim, &status, __WALL);
	let_all_go(t, END_MS);
}

/* Goes on with a stopped tracee; returns true when it is the one to die. */
static int step(struct tracer *t, pid_t pid, int status)
{
	int signal = WSTOPSIG(status), event = status >> 16;
	size_t i = find(t, pid);

	if (signal == (SIGTRAP | 0x80)) {
		t->in_call[i] = !t->in_call[i];
		if (t->in_call[i] && !(t->effects_only && is_private(pid)) && ++t->calls == t->kill_at) {
			t->victim = pid;
			return 1;
		}
		signal = 0;
	} else if (event != 0) {
		hear_of_child(t, pid, status);
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
				let_all_go(t, END_MS);
				return 3;
			}
		} else if (step(t, pid, status)) {
			kill_victim(t);
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
	else if (result == 0 && t->victim != t->command)
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

/* Returns how many words it took. */
static int take_options(struct tracer *t, char **argv)
{
	int n = 1;

	for (; argv[n] && *argv[n] == '-'; n++) {
		t->hold |= !strcmp(argv[n], "-h");
		t->close_first |= !strcmp(argv[n], "-c");
		t->effects_only |= !strcmp(argv[n], "-e");
	}
	return n;
}

int main(int argc, char **argv)
{
	struct tracer t = { 0 };
	int n = take_options(&t, argv);

	if (argc - n < 2)
		return 2;
	t.kill_at = atol(argv[n]);
	return t.hold ? trace_and_hold(&t, argv + n + 1) : trace(&t, argv + n + 1);
}
