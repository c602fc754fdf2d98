/* job.c - runs ketch-image: the child in which foreign bytes are read
 *
 * It begins in new mount, PID, network, IPC and UTS namespaces with nothing but the descriptors of
 * unpack/request.h, and sheds the rest itself (unpack/sandbox.h).  Directories are handed over as detached mounts of
 * exactly that directory: there is no ".." to go up by.  It dies with us.
 */
#include "image/job.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "image/helper.h"
#include "sys/pidfd.h"

#define PROGRAM	      "ketch-image"
#define FIRST_TELL_MS 1000
#define TELL_MS	      100
#define PIPE_BYTES    (64 << 10)
#define NAMESPACES    (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)

/* The directory alone, without what is mounted below it, as a mount that is attached nowhere.  One that is such already
 * cannot be cloned before Linux 6.15, and need not. */
static int detach(int dirfd, uint64_t attributes, struct err *e)
{
	struct mount_attr attr = { .attr_set = attributes | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID |
					       MOUNT_ATTR_NOEXEC };
	autoclose int fd = open_tree(dirfd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);

	if (fd < 0 && errno == EINVAL)
		fd = fcntl(dirfd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0 && errno == EPERM)
		return err_set(e, EPERM, "images can be added by root only");
	if (fd < 0 || mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_sys(e, errno, "hand a directory to " PROGRAM);
	return take_fd(&fd);
}

static int detach_input(int input_fd, struct err *e)
{
	struct stat st;
	int fd;

	if (fstat(input_fd, &st) < 0)
		return err_sys(e, errno, "look at the input");
	if (S_ISDIR(st.st_mode))
		return detach(input_fd, MOUNT_ATTR_RDONLY, e);
	fd = fcntl(input_fd, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? err_sys(e, errno, "hand the input to " PROGRAM) : fd;
}

/* The request as a file that is read from its beginning. */
static int make_request(const struct job_request *rq, struct err *e)
{
	AUTO(buf_done) struct buf text = { 0 };
	autoclose int fd = memfd_create("request", MFD_CLOEXEC);
	int r = json_print(&job_request_table, rq, 0, &text);

	if (fd < 0)
		return err_sys(e, errno, "make the request");
	if (r == 0)
		r = pwrite_full(fd, text.data, text.len, 0);
	return r < 0 ? err_sys(e, -r, "make the request") : take_fd(&fd);
}

/* --- its answer */

struct answer {
	const struct job_run *run;
	bool done, told; /* told: how far it is stands somewhere */
	int output_fd; /* the end from which its output is read; -1: there is none, or no more */
	int output_failed; /* -errno */
	struct job_message message;
};

static int take_line(void *arg, const char *line, size_t n, struct err *e)
{
	struct answer *a = arg;
	struct job_message m = { 0 };
	int r = json_parse(&job_message_table, line, n, JSON_STRICT, &m, e);

	if (r < 0)
		return err_wrap(e, r, "the answer of " PROGRAM);
	if (m.done && !a->done) {
		a->done = true;
		a->message = m;
		return 0;
	}
	if (m.progress && a->run->progress)
		a->run->progress(a->run->progress_arg, m.progress);
	json_done(&job_message_table, &m);
	return 0;
}

/* How much of the input is read: its offset is the same for us and the child.  -1: unknown. */
static int percent_read(int input_fd)
{
	struct stat st;
	off_t at = lseek(input_fd, 0, SEEK_CUR);

	if (at < 0 || fstat(input_fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0)
		return -1;
	return at < st.st_size ? (int)((double)at * 100 / (double)st.st_size) : 100;
}

/* Takes a piece of its output, and closes at the end or the first failure. */
static void take_output(struct answer *a)
{
	char piece[PIPE_BYTES];
	ssize_t n = read(a->output_fd, piece, sizeof(piece));

	if (n < 0 && errno == EINTR)
		return;
	if (n > 0)
		a->output_failed = a->run->output(a->run->output_arg, piece, (size_t)n);
	else if (n < 0)
		a->output_failed = -errno;
	if (n > 0 && a->output_failed == 0)
		return;
	close(a->output_fd);
	a->output_fd = -1;
}

/* Takes output until there are words. */
static void wait_and_take(struct answer *a, int fd)
{
	while (a->output_fd >= 0) {
		struct pollfd p[2] = { { .fd = a->output_fd, .events = POLLIN },
				       { .fd = fd, .events = POLLIN } };

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return;
		if (p[0].revents)
			take_output(a);
		else if (p[1].revents)
			return;
	}
}

/* Once the child has been silent for a while.  false: there is nothing to tell. */
static bool tell_percent(struct answer *a)
{
	int percent = percent_read(a->run->input_fd);
	char words[16];

	if (percent < 0)
		return false;
	snprintf(words, sizeof(words), "%d%%", percent);
	a->run->progress(a->run->progress_arg, words);
	a->told = true;
	return true;
}

/* Waits for the next words, does what there is to do beside, and tells meanwhile how far the child is. */
static int wait_and_tell(void *arg, int fd, struct err *e)
{
	struct answer *a = arg;
	struct job_beside *b = a->run->beside;
	bool tells = a->run->progress;
	int r = 0;

	wait_and_take(a, fd);
	while (r >= 0) {
		struct pollfd p[] = { { .fd = fd, .events = POLLIN },
				      { .fd = b ? b->fd : -1, .events = POLLIN } };
		int n = poll(p, ARRAY_LEN(p), !tells ? -1 : a->told ? TELL_MS : FIRST_TELL_MS);

		if (n < 0 && errno != EINTR)
			return err_sys(e, errno, "wait for " PROGRAM);
		if (n > 0 && p[1].revents)
			r = b->step(b, e);
		else if (n > 0)
			return 0;
		else if (n == 0)
			tells = tell_percent(a);
	}
	return r;
}

static int end_of(int pidfd, const struct answer *a, struct err *e)
{
	int r = helper_end(pidfd, PROGRAM, a->done, e);

	if (r < 0 || !a->message.error_no)
		return r;
	return err_set(e, a->message.error_no < 4096 && a->message.error_no > 0 ? a->message.error_no : EIO,
		       "%s", a->message.error ? a->message.error : "it failed");
}

static void answer_done(struct answer *a)
{
	auto_close(&a->output_fd);
	json_done(&job_message_table, &a->message);
}

/* output_fd: taken */
static int follow(const struct job_run *run, int pidfd, int answer_fd, int output_fd, struct job_message *ret,
		  struct err *e)
{
	AUTO(answer_done) struct answer a = { .run = run, .output_fd = output_fd };
	struct err read_err = { 0 };
	const struct helper_reader reader = { JOB_ANSWER_MAX, take_line, wait_and_tell, &a };
	int r = helper_read(answer_fd, &reader, &read_err);

	if (a.told)
		run->progress(run->progress_arg, "");
	while (r == 0 && a.output_fd >= 0)
		take_output(&a);
	if (r == 0 && a.output_failed < 0)
		r = err_sys(&read_err, -a.output_failed, "cannot write the archive");
	if (r < 0) {
		pidfd_signal(pidfd, SIGKILL);
		end_of(pidfd, &a, NULL);
		*e = read_err;
		return r;
	}
	r = end_of(pidfd, &a, e);
	if (r == 0) {
		*ret = a.message;
		a.message = (struct job_message){ 0 };
	}
	return r;
}

static int make_pipe(int *ret_read, int *ret_write)
{
	int fd[2];

	if (pipe_cloexec(fd) < 0)
		return -1;
	*ret_read = fd[0];
	*ret_write = fd[1];
	return 0;
}

int job_run(const struct job_run *run, struct job_message *ret, struct err *e)
{
	char *const env[] = { (char[]){ "LC_ALL=C.UTF-8" }, NULL };
	autoclose int pidfd = -1, read_end = -1, write_end = -1;
	autoclose int request = make_request(run->request, e);
	autoclose int stage = request < 0 ? request : detach(run->stage->fd, 0, e);
	autoclose int input = stage < 0 ? stage : detach_input(run->input_fd, e);
	autoclose int output = -1, output_write = -1;
	struct helper child = { PROGRAM, NAMESPACES, { request, -1, stage, input }, 4, env };

	if (input < 0)
		return input;
	if (make_pipe(&read_end, &write_end) < 0 || (run->output && make_pipe(&output, &output_write) < 0))
		return err_sys(e, errno, "make a pipe");
	child.fds[1] = write_end;
	if (run->output)
		child.fds[child.n_fds++] = output_write;
	pidfd = helper_start(&child, e);
	if (pidfd < 0)
		return pidfd;
	close(take_fd(&write_end));
	if (run->output)
		close(take_fd(&output_write));
	return follow(run, pidfd, read_end, take_fd(&output), ret, e);
}
