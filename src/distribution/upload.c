/* upload.c - one blob goes to a server: found there, mounted from another repository, or sent
 *
 * distribution-spec, "Pushing blobs": up to CHUNK_BYTES in one PUT, more in a PATCH for each chunk; what failed begins
 * anew.  The place to send to is what the server says with each answer.
 */
#include "distribution/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "distribution/url.h"

#define CHUNK_BYTES (UINT64_C(64) << 20)
#define TELL_NS	    (100 * INT64_C(1000000))

struct upload {
	struct registry_job *job;
	struct session *session;
	const struct descriptor *d;
	char digest[DIGEST_TEXT];
	char *place; /* where the next piece goes */
	int fd;
	int64_t told_ns;
	bool silent;
	bool again; /* the failure may pass */
};

static void upload_done(struct upload *u)
{
	free(u->place);
	auto_close(&u->fd);
}

static void tell(struct upload *u, enum blob_state state, uint64_t at)
{
	const struct registry_message m = { .state = (int)state,
					    .blob = { u->digest, u->d->size },
					    .at = at };

	u->told_ns = clock_mono_ns();
	if (!u->silent)
		job_say(u->job, &m);
}

/* Runs an errand and tells how far it is. */
static int run(struct upload *u, struct errand *er, const char *where, uint64_t before, struct err *e)
{
	int r = errand_begin(u->session, er, where, e);

	while (r == 0) {
		struct http_call *unused;

		r = http_work(u->session->http, 100, &unused, e);
		if (r == 0 && er->call.sent && clock_mono_ns() - u->told_ns > TELL_NS)
			tell(u, BLOB_MOVES, before + er->call.sent);
		if (r < 0 || !er->call.done)
			continue;
		u->again = er->call.again;
		r = errand_next(u->session, er, e);
		if (r <= 0)
			return r;
		r = 0;
	}
	return r;
}

/* Where the answer says that the upload goes on; from TLS it does not lead away. */
static int take_place(struct upload *u, const struct errand *er, struct err *e)
{
	char *to = er->call.head.location ? url_follow(er->url, er->call.head.location) : NULL;
	autofree char *origin = to ? url_origin(to) : NULL;

	if (!origin || (url_is_tls(er->url) && !url_is_tls(to))) {
		free(to);
		return err_set(e, EPROTO, "%s gives an upload no place that makes sense",
			       u->session->ep->server);
	}
	free(u->place);
	u->place = to;
	return 0;
}

static int refused(const struct upload *u, const struct errand *er, struct err *e)
{
	char what[40];

	snprintf(what, sizeof(what), "blob %.12s", u->digest + sizeof("sha256:") - 1);
	return errand_refused(er, what, e);
}

/* 1: it is there. */
static int is_there(struct upload *u, struct err *e)
{
	autofree char *where = str_printf("blobs/%s", u->digest);
	struct errand er = { .call.method = "HEAD" };
	int r = where ? errand_insist(u->session, &er, where, e) : err_set(e, ENOMEM, "out of memory");

	if (r == 0)
		r = er.call.status == 200;
	errand_done(u->session, &er);
	return r;
}

/* Asks for a place; 1: no need, it was mounted. */
static int begin(struct upload *u, const char *from, struct err *e)
{
	AUTO(buf_done) struct buf where = { 0 };
	struct errand er = { .call.method = "POST" };
	int r;

	buf_adds(&where, "blobs/uploads/");
	if (from) {
		url_add_query(&where, "mount", u->digest);
		url_add_query(&where, "from", from);
	}
	r = buf_ok(&where) ? run(u, &er, where.data, 0, e) : err_set(e, ENOMEM, "out of memory");
	if (r == 0 && er.call.status == 202)
		r = take_place(u, &er, e);
	else if (r == 0)
		r = er.call.status == 201 && from ? 1 : refused(u, &er, e);
	errand_done(u->session, &er);
	return r;
}

static int mount_blob(struct upload *u, struct err *e)
{
	const struct strv *from = &u->job->request->mount_from;
	struct err unused;
	int r = 0;

	for (size_t i = 0; r == 0 && i < from->n; i++)
		if (begin(u, from->v[i], &unused) > 0) /* a refusal means that it has to be sent */
			r = 1;
	return r;
}

/* --- sending */

static int send_chunk(struct upload *u, uint64_t at, uint64_t n, struct err *e)
{
	struct errand er = {
		.call = { .method = "PATCH", .body_fd = u->fd, .body_offset = at, .body_bytes = n }
	};
	autofree char *place = take_ptr(u->place);
	char range[48];
	int r;

	snprintf(range, sizeof(range), "%llu-%llu", (unsigned long long)at, (unsigned long long)(at + n - 1));
	er.call.content_range = range;
	r = run(u, &er, place, at, e);
	if (r == 0)
		r = er.call.status == 202 ? take_place(u, &er, e) : refused(u, &er, e);
	errand_done(u->session, &er);
	return r;
}

/* The last piece, with the name. */
static int send_end(struct upload *u, uint64_t at, uint64_t n, struct err *e)
{
	struct errand er = {
		.call = { .method = "PUT", .body_fd = u->fd, .body_offset = at, .body_bytes = n }
	};
	AUTO(buf_done) struct buf where = { 0 };
	int r;

	buf_adds(&where, u->place);
	url_add_query(&where, "digest", u->digest);
	r = buf_ok(&where) ? run(u, &er, where.data, at, e) : err_set(e, ENOMEM, "out of memory");
	if (r == 0 && er.call.status != 201)
		r = refused(u, &er, e);
	errand_done(u->session, &er);
	return r;
}

static int send_once(struct upload *u, struct err *e)
{
	uint64_t at = 0;
	int r = u->place ? 0 : begin(u, NULL, e);

	while (r == 0 && u->d->size - at > CHUNK_BYTES) {
		r = send_chunk(u, at, CHUNK_BYTES, e);
		at += CHUNK_BYTES;
	}
	return r < 0 ? r : send_end(u, at, u->d->size - at, e);
}

static int send_blob(struct upload *u, struct err *e)
{
	int r = 0;

	for (unsigned n = 0; n < RETRIES_MAX; n++) {
		if (n) {
			tell(u, BLOB_RETRY, 0);
			retry_pause(n - 1);
		}
		u->again = false;
		r = send_once(u, e);
		if (r == 0 || !u->again)
			break;
		free(take_ptr(u->place));
	}
	return r;
}

static int open_blob(struct upload *u)
{
	char hex[DIGEST_HEX];
	struct stat st;

	digest_hex(&u->d->id, hex);
	u->fd = openat(u->job->blobs_fd, hex, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return u->fd >= 0 && fstat(u->fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       (uint64_t)st.st_size == u->d->size;
}

int upload_blob(struct registry_job *job, struct session *s, const struct descriptor *d, bool silent,
		struct err *e)
{
	AUTO(upload_done) struct upload u = { .job = job, .session = s, .d = d, .fd = -1, .silent = silent };
	int r;

	digest_text(&d->id, u.digest);
	r = is_there(&u, e);
	if (r > 0)
		tell(&u, BLOB_EXISTS, 0);
	if (r != 0)
		return r;
	if (mount_blob(&u, e) > 0) {
		tell(&u, BLOB_MOUNTED, 0);
		return 1;
	}
	if (!open_blob(&u))
		return 0;
	tell(&u, BLOB_MOVES, 0);
	r = send_blob(&u, e);
	if (r < 0)
		return r;
	tell(&u, BLOB_DONE, d->size);
	return 1;
}
