/* fetch.c - runs ketch-registry: the child that speaks with registries */
#include "image/fetch.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "image/helper.h"
#include "sys/pidfd.h"

#define PROGRAM	   "ketch-registry"
#define NAMESPACES (CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS)

struct hearing {
	const struct fetch_run *run;
	bool done;
	int error_no;
	struct err said;
};

static int take_line(void *arg, const char *line, size_t n, struct err *e)
{
	struct hearing *h = arg;
	struct registry_message m = { 0 };
	int r = json_parse(&registry_message_table, line, n, JSON_STRICT, &m, e);

	if (r < 0)
		return err_wrap(e, r, "the answer of " PROGRAM);
	if (m.done && !h->done) {
		h->done = true;
		h->error_no = m.error_no;
		err_set(&h->said, m.error_no > 0 && m.error_no < 4096 ? m.error_no : EIO, "%s",
			m.error ? m.error : "it failed");
	} else if (!h->done && h->run->hear) {
		r = h->run->hear(h->run->arg, &m, e);
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

static int follow(struct hearing *h, int pidfd, int answer_fd, struct err *e)
{
	const struct helper_reader reader = { REGISTRY_LINE_MAX, take_line, NULL, h };
	struct err read_err = { 0 };
	int r = helper_read(answer_fd, &reader, &read_err);

	if (r < 0) {
		pidfd_signal(pidfd, SIGKILL);
		helper_end(pidfd, PROGRAM, true, NULL);
		*e = read_err;
		return r;
	}
	r = helper_end(pidfd, PROGRAM, h->done, e);
	if (r < 0 || !h->error_no)
		return r;
	*e = h->said;
	return -e->no;
}

int fetch_run(const struct fetch_run *run, struct err *e)
{
	AUTO(strv_done) struct strv env = { 0 };
	struct hearing h = { .run = run };
	autoclose int pidfd = -1, read_end = -1, write_end = -1, request = -1;
	int pipe_fd[2], r = choose_user(run, e);

	if (r < 0)
		return r;
	request = make_request(run->request, e);
	if (request < 0)
		return request;
	if (pass_on(&env) < 0 || pipe_cloexec(pipe_fd) < 0)
		return err_sys(e, errno, "make a pipe");
	read_end = pipe_fd[0];
	write_end = pipe_fd[1];
	pidfd = helper_start(&(const struct helper){ PROGRAM,
						     geteuid() ? 0 : NAMESPACES,
						     { request, write_end, run->blobs_fd },
						     run->blobs_fd < 0 ? 2 : 3,
						     env.v },
			     e);
	if (pidfd < 0)
		return pidfd;
	auto_close(&write_end);
	write_end = -1;
	return follow(&h, pidfd, read_end, e);
}
