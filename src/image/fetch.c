/* fetch.c - runs ketch-registry: the child that speaks with registries */
#include "image/fetch.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "image/helper.h"
#include "sys/pidfd.h"

#define PROGRAM	   "ketch-registry"
#define NAMESPACES (CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS)

struct fetch {
	struct fetch_run run;
	int pidfd, answer_fd; /* -1: it has ended */
	struct buf text; /* of its answer, not yet a line */
	bool done;
	int error_no;
	struct err said;
};

static int take_line(void *arg, const char *line, size_t n, struct err *e)
{
	struct fetch *f = arg;
	struct registry_message m = { 0 };
	int r = json_parse(&registry_message_table, line, n, JSON_STRICT, &m, e);

	if (r < 0)
		return err_wrap(e, r, "the answer of " PROGRAM);
	if (m.done && !f->done) {
		f->done = true;
		f->error_no = m.error_no;
		err_set(&f->said, m.error_no > 0 && m.error_no < 4096 ? m.error_no : EIO, "%s",
			m.error ? m.error : "it failed");
	} else if (!f->done && f->run.hear) {
		r = f->run.hear(f->run.arg, &m, e);
	}
	json_done(&registry_message_table, &m);
	return r;
}

/* The request as a file that is read from its beginning; it holds secrets, so it is nowhere else. */
static int make_request(const struct registry_request *rq, struct err *e)
{
	AUTO(buf_done) struct buf text = { 0 };
	autoclose int fd = memfd_create("request", MFD_CLOEXEC);
	int r = json_print(&registry_request_table, rq, 0, &text);

	if (fd < 0)
		return err_sys(e, errno, "make the request");
	if (r == 0)
		r = pwrite_full(fd, text.data, text.len, 0);
	if (text.data)
		explicit_bzero(text.data, text.len);
	return r < 0 ? err_sys(e, -r, "make the request") : take_fd(&fd);
}

/* Of our environment, how the network is reached. */
static int pass_on(struct strv *ret)
{
	static const char *const names[] = { "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
					     "ALL_PROXY",  "no_proxy",	  "NO_PROXY" };
	int r = strv_add(ret, "LC_ALL=C.UTF-8");

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(names); i++) {
		const char *value = getenv(names[i]);

		if (value)
			r = strv_addf(ret, "%s=%s", names[i], value);
	}
	return r;
}

/* The directory becomes the child's; where there are no such users (in a user namespace) it stays ours, and so do we. */
static int choose_user(const struct fetch_run *run, struct err *e)
{
	run->request->uid = 0;
	if (geteuid() != 0)
		return 0;
	if (run->blobs_fd >= 0 && fchown(run->blobs_fd, FETCH_UID, FETCH_UID) < 0)
		return errno == EINVAL || errno == EPERM
			       ? 0
			       : err_sys(e, errno, "hand over the directory of blobs");
	run->request->uid = FETCH_UID;
	return 0;
}

struct fetch *fetch_free(struct fetch *f)
{
	if (!f)
		return NULL;
	if (f->pidfd >= 0) {
		pidfd_signal(f->pidfd, SIGKILL);
		helper_end(f->pidfd, PROGRAM, true, NULL);
	}
	auto_close(&f->pidfd);
	auto_close(&f->answer_fd);
	buf_done(&f->text);
	free(f);
	return NULL;
}

static int end(struct fetch *f, struct err *e)
{
	int r = helper_end(f->pidfd, PROGRAM, f->done, e);

	auto_close(&f->pidfd);
	auto_close(&f->answer_fd);
	f->pidfd = f->answer_fd = -1;
	if (r < 0 || !f->error_no)
		return r;
	*e = f->said;
	return -e->no;
}

int fetch_fd(const struct fetch *f)
{
	return f->answer_fd;
}

int fetch_step(struct fetch *f, struct err *e)
{
	const struct helper_reader reader = { REGISTRY_LINE_MAX, take_line, NULL, f };
	int r = f->answer_fd < 0 ? 0 : helper_read_some(f->answer_fd, &reader, &f->text, e);

	return r == 0 && f->answer_fd >= 0 ? end(f, e) : r;
}

static int start(struct fetch *f, struct err *e)
{
	AUTO(strv_done) struct strv env = { 0 };
	autoclose int write_end = -1, request = -1;
	int pipe_fd[2], r = choose_user(&f->run, e);

	if (r < 0)
		return r;
	request = make_request(f->run.request, e);
	if (request < 0)
		return request;
	if (pass_on(&env) < 0 || pipe_cloexec(pipe_fd) < 0)
		return err_sys(e, errno, "make a pipe");
	f->answer_fd = pipe_fd[0];
	write_end = pipe_fd[1];
	f->pidfd = helper_start(&(const struct helper){ PROGRAM,
							geteuid() ? 0 : NAMESPACES,
							{ request, write_end, f->run.blobs_fd },
							f->run.blobs_fd < 0 ? 2 : 3,
							env.v },
				e);
	return f->pidfd < 0 ? f->pidfd : 0;
}

int fetch_start(const struct fetch_run *run, struct fetch **ret, struct err *e)
{
	struct fetch *f = malloc(sizeof(*f));
	int r;

	if (!f)
		return err_set(e, ENOMEM, "out of memory");
	*f = (struct fetch){ .run = *run, .pidfd = -1, .answer_fd = -1 };
	r = start(f, e);
	f->run.request = NULL;
	if (r < 0) {
		fetch_free(f);
		return r;
	}
	*ret = f;
	return 0;
}

int fetch_run(const struct fetch_run *run, struct err *e)
{
	struct fetch *f = NULL;
	int r = fetch_start(run, &f, e);

	if (r < 0)
		return r;
	do
		r = fetch_step(f, e);
	while (r > 0);
	fetch_free(f);
	return r;
}
