/* fetcher.c - a child that fetches from an instance what it has written, as a layer, into a pipe */
#include "cli/fetcher.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "cli/cli.h"
#include "cli/files.h"

#define REPORT_MAX 4096

static __attribute__((noreturn)) void fetch(int fd, const char *name, bool still, int layer, int report)
{
	const struct files_talk t = { .type = MSG_GET,
				      .fd = layer,
				      .request = { .kind = FILES_LAYER, .still = still } };
	struct files_end end = { 0 };
	struct err e = { 0 };
	int r;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	r = files_pump(fd, &t, &end, &e);
	if (r == 0 && end.status != 128 + SIGPIPE) /* who has stopped reading has a reason, and tells it */
		r = files_judge(&end, name, &e);
	if (r < 0)
		write_full(report, e.msg, strlen(e.msg)); /* the exit status tells even if nobody reads it */
	_exit(r ? STATUS_FAILED : 0);
}

static void close_both(int pair[2])
{
	for (int i = 0; i < 2; i++)
		auto_close(&pair[i]);
}

int fetcher_start(int fd, const char *name, bool still, struct fetcher *ret, struct err *e)
{
	int layer[2] = { -1, -1 }, report[2] = { -1, -1 }, no = 0, pid = -1;

	if (pipe_cloexec(layer) < 0 || pipe_cloexec(report) < 0)
		no = errno;
	else
		pid = fork();
	if (pid == 0) {
		close(layer[0]);
		close(report[0]);
		fetch(fd, name, still, layer[1], report[1]);
	}
	if (pid < 0 && !no)
		no = errno;
	close(fd);
	if (no) {
		close_both(layer);
		close_both(report);
		return err_sys(e, no, "cannot start a process");
	}
	close(layer[1]);
	close(report[1]);
	*ret = (struct fetcher){ pid, layer[0], report[0] };
	return 0;
}

int fetcher_end(struct fetcher *f, struct err *e)
{
	AUTO(buf_done) struct buf text = { 0 };
	int status = 0, r;

	close(f->layer_fd);
	r = read_to_end(f->report_fd, REPORT_MAX, &text);
	close(f->report_fd);
	while (waitpid(f->pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, errno, "cannot wait for a process");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return r == 0 && text.len ? err_set(e, EIO, "%s", text.data) : STATUS_FAILED;
}
