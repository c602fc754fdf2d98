/* ketch-image.c - the job that reads foreign bytes: started by the store (image/job.c), never by hand
 *
 * Descriptors as unpack/request.h says.  Makes its libraries ready while there are still files, enters the sandbox,
 * then reads the archive.  Exit status 0: the answer tells how it went; else there is no answer.
 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/sanitized.h"
#include "unpack/hash.h"
#include "unpack/job.h"
#include "unpack/sandbox.h"

#if SANITIZED
/* To look for leaks it wants /proc, which the sandbox has not got. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

/* libarchive translates names from UTF-8 to the locale's: with this one they stay what they are. */
static int prepare(struct err *e)
{
	umask(0);
	prctl(PR_SET_DUMPABLE, 0);
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return err_set(e, ENOENT, "the locale C.UTF-8 is missing (package libc-bin)");
	return hash_init() < 0 ? err_set(e, EIO, "OpenSSL has no SHA-256") : 0;
}

static int read_request(struct job_request *ret, struct err *e)
{
	AUTO(buf_done) struct buf text = { 0 };
	int r = read_to_end(JOB_FD_REQUEST, JOB_REQUEST_MAX, &text);

	close(JOB_FD_REQUEST);
	if (r < 0)
		return err_sys(e, -r, "read the request");
	return json_parse(&job_request_table, text.data, text.len, JSON_STRICT, ret, e);
}

static int run(struct job *job, struct job_request *rq, struct err *e)
{
	static int (*const verbs[])(struct job * job, struct err * e) = {
		[JOB_IMPORT] = job_import,   [JOB_LOAD] = job_load,	[JOB_MERGE] = job_merge,
		[JOB_ARCHIVE] = job_archive, [JOB_EXPAND] = job_expand, [JOB_CUT] = job_cut,
		[JOB_JOIN] = job_join,
	};
	int r = prepare(e);

	if (r == 0)
		r = read_request(rq, e);
	if (r == 0)
		r = sandbox_enter(JOB_FD_STAGE, e);
	if (r == 0) {
		job->stage_fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = job->stage_fd < 0 ? err_sys(e, errno, "open the stage") : verbs[rq->verb](job, e);
	}
	return r;
}

int main(void)
{
	struct job_request rq = { 0 };
	struct job_message answer = { .done = true };
	struct job job = { .request = &rq,
			   .stage_fd = -1,
			   .input_fd = JOB_FD_INPUT,
			   .answer_fd = JOB_FD_ANSWER,
			   .answer = &answer };
	struct err e = { 0 };
	int r;

	if (fcntl(JOB_FD_STAGE, F_GETFD) < 0) {
		fprintf(stderr, "ketch-image: a helper of ketch, of no use by itself\n");
		return 1;
	}
	r = run(&job, &rq, &e);
	if (r < 0) {
		answer.error_no = e.no;
		answer.error = e.msg;
		answer.n_images = answer.n_layers = 0;
	}
	return job_send(JOB_FD_ANSWER, &answer) < 0;
}
