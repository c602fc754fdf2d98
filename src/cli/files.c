/* files.c - one conversation about the files of an instance, whether it runs or not */
#include "cli/files.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "cli/cli.h"

#define FILES_STREAM 1
#define SAID_MAX     4096

static int make_request(const struct files_talk *t, struct buf *ret, struct err *e)
{
	if (json_print(&file_request_table, &t->request, 0, ret) < 0)
		return err_set(e, ENOMEM, "out of memory");
	return ret->len > MSG_MAX_PATHS ? err_set(e, ENAMETOOLONG, "the path is too long") : 0;
}

static int read_said(int fd, struct buf *ret)
{
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : read_to_end(fd, SAID_MAX, ret);
}

int files_pump(int fd, const struct files_talk *t, struct files_end *ret, struct err *e)
{
	AUTO(buf_done) struct buf request = { 0 };
	autoclose int err_fd = memfd_create("said", MFD_CLOEXEC);
	bool put = t->type == MSG_PUT;
	const struct attach how = {
		.stream = FILES_STREAM,
		.start = &request,
		.start_type = t->type,
		.interactive = put,
		.in_fd = put ? t->fd : -1,
		.out_fd = put ? -1 : t->fd,
		.err_fd = err_fd,
		.sink = t->sink,
		.sink_arg = t->sink_arg,
	};
	int r = err_fd < 0 ? err_sys(e, errno, "memfd_create") : make_request(t, &request, e);

	if (r < 0) {
		close(fd);
		return r;
	}
	ret->status = attach_run(fd, &how);
	r = read_said(err_fd, &ret->said);
	return r < 0 ? err_sys(e, -r, "cannot read what went wrong") : 0;
}

int files_talk(struct engine *en, const struct instance *in, const struct files_talk *t,
	       struct files_end *ret, struct err *e)
{
	int fd = -1, r = engine_open_files(en, in, &fd, e);

	if (r == 0)
		r = files_pump(fd, t, ret, e);
	return r < 0 ? r : engine_settle_files(en, in, e);
}

void files_end_done(struct files_end *end)
{
	buf_done(&end->said);
}

int files_judge(const struct files_end *end, const char *what, struct err *e)
{
	if (end->status == 0)
		return 0;
	if (end->said.len)
		return err_set(e, EIO, "%s: %s", what, end->said.data);
	return end->status > 128 ? err_set(e, EINTR, "%s: it was interrupted", what) : STATUS_FAILED;
}

int files_refuse_terminal(int fd, struct err *e)
{
	if (!isatty(fd))
		return 0;
	return err_set(e, ENOTTY, "an archive is not for a terminal: redirect std%s", fd ? "out" : "in");
}
