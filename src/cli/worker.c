/* worker.c - this host's end of a copy: a child that reads or writes files */
#include "cli/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "sys/caps.h"

#define MAX_REPORT 4096

enum { FD_DIR = 3, FD_END };

/* --- the child */

static int set_fds(const struct work *w, int archive, int report)
{
	int dir = w->from ? w->from->dir_fd : w->to->place.dir_fd;

	if (dup2(archive, 0) < 0 || dup2(archive, 1) < 0 || dup2(report, 2) < 0 || dup2(dir, FD_DIR) < 0 ||
	    syscall(SYS_close_range, FD_END, ~0U, 0) < 0)
		return -errno;
	return 0;
}

static int give_up_rights(void)
{
	const uint64_t keep = 1 << CAP_CHOWN | 1 << CAP_DAC_OVERRIDE | 1 << CAP_FOWNER | 1 << CAP_FSETID;
	struct cap_sets now = { 0 };
	int r = caps_get(&now);

	if (r == 0 && (now.effective >> CAP_SETPCAP & 1))
		r = caps_limit_bounding(keep);
	now.permitted &= keep;
	now.effective &= keep;
	now.inheritable = 0;
	if (r == 0)
		r = caps_set(&now);
	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	return r;
}

static int do_work(const struct work *w, struct err *e)
{
	struct reception rc = { .in_fd = 0, .archive = w->archive, .name = w->name, .flags = w->flags };
	struct destination to;
	struct place from;

	if (w->from) {
		from = *w->from;
		from.dir_fd = FD_DIR;
		return files_send(&from, w->name, 1, e);
	}
	to = *w->to;
	to.place.dir_fd = FD_DIR;
	return files_receive(&to, &rc, e);
}

static __attribute__((noreturn)) void child_run(const struct work *w, int archive, int report)
{
	struct err e = { 0 };
	int r;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	signal(SIGPIPE, SIG_DFL); /* who stops reading has a reason, and tells it */
	umask(0);
	r = set_fds(w, archive, report);
	if (r == 0)
		r = give_up_rights();
	if (r < 0)
		err_sys(&e, -r, "cannot give up rights");
	else
		r = do_work(w, &e);
	if (r < 0)
		write_full(2, e.msg, strlen(e.msg)); /* the exit status tells even if nobody reads it */
	_exit(r < 0);
}

/* --- the parent */

int worker_start(const struct work *w, struct worker *ret, struct err *e)
{
	int archive[2], report[2], ours = w->from ? 0 : 1, pid;

	if (pipe_cloexec(archive) < 0)
		return err_sys(e, errno, "cannot make a pipe");
	if (pipe_cloexec(report) < 0) {
		int no = errno;

		close(archive[0]);
		close(archive[1]);
		return err_sys(e, no, "cannot make a pipe");
	}
	pid = fork();
	if (pid == 0)
		child_run(w, archive[!ours], report[1]);
	close(archive[!ours]);
	close(report[1]);
	*ret = (struct worker){ pid, archive[ours], report[0] };
	if (pid < 0) {
		int no = errno;

		close(archive[ours]);
		close(report[0]);
		return err_sys(e, no, "cannot start a process");
	}
	return 0;
}

int worker_end(struct worker *w, struct err *e)
{
	AUTO(buf_done) struct buf text = { 0 };
	int status, r;

	close(w->archive_fd);
	r = read_to_end(w->report_fd, MAX_REPORT, &text);
	close(w->report_fd);
	while (waitpid(w->pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, errno, "cannot wait for a process");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return err_set(e, EIO, "%s", r == 0 && text.len ? text.data : "");
}
