/* ketch-registry.c - the job that speaks with registries: started by the store (image/fetch.c), never by hand
 *
 * Descriptors as registry/request.h says.  Reads the request, which is ours, gives up what it does not need, then
 * speaks.  Exit status 0: the answer tells how it went; else there is no answer.
 */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/sanitized.h"
#include "distribution/job.h"
#include "distribution/sandbox.h"

#if SANITIZED
/* To look for leaks it wants to trace itself, which the sandbox refuses. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

static int read_request(struct registry_request *ret, struct err *e)
{
	AUTO(buf_done) struct buf text = { 0 };
	int r = read_to_end(REGISTRY_FD_REQUEST, REGISTRY_REQUEST_MAX, &text);

	close(REGISTRY_FD_REQUEST);
	if (r < 0)
		return err_sys(e, -r, "read the request");
	r = json_parse(&registry_request_table, text.data, text.len, JSON_STRICT, ret, e);
	explicit_bzero(text.data, text.len);
	return r;
}

static int run(struct registry_job *job, struct registry_request *rq, struct err *e)
{
	static int (*const verbs[])(struct registry_job * job, struct err * e) = {
		[REGISTRY_PULL] = job_pull,   [REGISTRY_TAGS] = job_tags,     [REGISTRY_PUSH] = job_push,
		[REGISTRY_LOGIN] = job_login, [REGISTRY_SEARCH] = job_search, [REGISTRY_BLOBS] = job_blobs,
	};
	int r = read_request(rq, e);

	if (r < 0)
		return r;
	r = registry_sandbox_enter((uid_t)rq->uid, job->blobs_fd, e);
	if (r < 0)
		return r;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(e, EIO, "libcurl does not start");
	job->http = http_new(rq->timeout_s);
	return job->http ? verbs[rq->verb](job, e) : err_set(e, ENOMEM, "out of memory");
}

int main(void)
{
	struct registry_request rq = { 0 };
	struct registry_message end = { .done = true };
	struct registry_job job = { .request = &rq, .blobs_fd = -1, .answer_fd = REGISTRY_FD_ANSWER };
	struct err e = { 0 };

	if (fcntl(REGISTRY_FD_ANSWER, F_GETFD) < 0) {
		fprintf(stderr, "ketch-registry: a helper of ketch, of no use by itself\n");
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	umask(077);
	if (fcntl(REGISTRY_FD_BLOBS, F_GETFD) >= 0)
		job.blobs_fd = REGISTRY_FD_BLOBS;
	if (run(&job, &rq, &e) < 0) {
		end.error_no = e.no;
		end.error = e.msg;
	}
	job_say(&job, &end);
	http_free(job.http);
	curl_global_cleanup();
	return 0;
}
