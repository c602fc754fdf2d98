/* blobs.c - blobs come from a server into files, several at a time, each from where it stopped */
#include "distribution/blobs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"

#define AT_ONCE	 4
#define TELL_NS	 (100 * INT64_C(1000000))
#define LOOK_MS	 50 /* at a lock that somebody else has */
#define PAUSE_NS (100 * INT64_C(1000000)) /* before the first try again; then twice as long each time */

enum stage { STAGE_IDLE, STAGE_LOCK, STAGE_PAUSE, STAGE_RUNS, STAGE_DONE };

struct fetch {
	struct fetching *all;
	const struct descriptor *d;
	enum stage stage;
	char hex[DIGEST_HEX];
	int fd; /* of HEX.partial, locked; -1: none */
	uint64_t at; /* bytes in it */
	struct errand errand;
	unsigned failures; /* in a row, without a byte that came */
	int64_t until_ns; /* of STAGE_PAUSE */
	int64_t told_ns;
	bool waits_told;
};

struct fetching {
	struct registry_job *job;
	struct session *session;
	struct fetch *list;
	size_t n;
};

static void fetching_done(struct fetching *all)
{
	for (size_t i = 0; i < all->n; i++) {
		errand_done(all->session, &all->list[i].errand);
		auto_close(&all->list[i].fd);
	}
	free(all->list);
}

static void tell(struct fetch *f, enum blob_state state)
{
	const struct registry_message m = { .state = (int)state,
					    .blob = { f->d->digest, f->d->size },
					    .at = f->at };

	f->told_ns = clock_mono_ns();
	job_say(f->all->job, &m);
}

static bool is_there(const struct fetch *f)
{
	struct stat st;

	return fstatat(f->all->job->blobs_fd, f->hex, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       (uint64_t)st.st_size == f->d->size;
}

static void partial_name(const struct fetch *f, char ret[DIGEST_HEX + 8])
{
	snprintf(ret, DIGEST_HEX + 8, "%s.partial", f->hex);
}

/* --- the file */

/* 1: it is ours, 0: somebody else has it. */
static int lock_partial(struct fetch *f, struct err *e)
{
	char name[DIGEST_HEX + 8];
	autoclose int fd = -1;
	struct stat mine, now;

	partial_name(f, name);
	fd = openat(f->all->job->blobs_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
		    0600);
	if (fd < 0)
		return err_sys(e, errno, "open the file of a layer");
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? 0 : err_sys(e, errno, "lock the file of a layer");
	/* it may have got its name, or have gone, between open and lock */
	if (fstat(fd, &mine) < 0 || !S_ISREG(mine.st_mode) ||
	    fstatat(f->all->job->blobs_fd, name, &now, AT_SYMLINK_NOFOLLOW) < 0 || now.st_ino != mine.st_ino)
		return 0;
	f->at = (uint64_t)mine.st_size;
	f->fd = take_fd(&fd);
	return 1;
}

static int start_over(struct fetch *f, struct err *e)
{
	f->at = 0;
	return ftruncate(f->fd, 0) < 0 ? err_sys(e, errno, "write a layer") : 0;
}

/* All bytes are there. */
static int keep(struct fetch *f, struct err *e)
{
	char name[DIGEST_HEX + 8];

	partial_name(f, name);
	if (renameat(f->all->job->blobs_fd, name, f->all->job->blobs_fd, f->hex) < 0)
		return err_sys(e, errno, "name a layer");
	auto_close(&f->fd);
	f->fd = -1;
	f->stage = STAGE_DONE;
	tell(f, BLOB_DONE);
	return 0;
}

/* --- the answer */

/* Does it give what was asked for, from where it was asked?  Looked at with the first piece. */
static int check_head(struct fetch *f, struct err *e)
{
	const struct http_call *c = &f->errand.call;

	if (c->status == 200 && f->at && start_over(f, e) < 0) /* it knows no ranges */
		return -e->no;
	if (c->status == 206 && c->head.total && c->head.total != f->d->size)
		return err_set(e, EBADMSG, "the blob has %llu bytes, not %llu",
			       (unsigned long long)c->head.total, (unsigned long long)f->d->size);
	if (c->status == 206 && (!c->head.total || c->head.from != f->at))
		return err_set(e, EPROTO, "the answer is another part of the blob");
	if (c->status != 200 && c->status != 206)
		return err_set(e, EPROTO, "an answer %d to a question for a blob", c->status);
	if (c->head.length >= 0 && (uint64_t)c->head.length != f->d->size - f->at)
		return err_set(e, EBADMSG, "the blob has %llu bytes, not %llu",
			       (unsigned long long)c->head.length + f->at, (unsigned long long)f->d->size);
	return 0;
}

static int take_piece(struct http_call *c, const void *data, size_t n, struct err *e)
{
	struct fetch *f = c->arg;
	int r = 0;

	if (c->ranged) {
		c->ranged = false; /* the first piece */
		r = check_head(f, e);
	}
	if (r < 0)
		return r;
	if (n > f->d->size - f->at)
		return err_set(e, EBADMSG, "the blob is longer than %llu bytes",
			       (unsigned long long)f->d->size);
	r = pwrite_full(f->fd, data, n, (off_t)f->at);
	if (r < 0)
		return err_sys(e, -r, "write a layer");
	f->at += n;
	f->failures = 0;
	if (clock_mono_ns() - f->told_ns > TELL_NS)
		tell(f, BLOB_MOVES);
	return 0;
}

/* --- from stage to stage */

static int begin(struct fetch *f, struct err *e)
{
	autofree char *where = NULL;
	char digest[DIGEST_TEXT];

	if (f->at > f->d->size && start_over(f, e) < 0)
		return -e->no;
	if (f->at == f->d->size)
		return keep(f, e);
	digest_text(&f->d->id, digest);
	where = str_printf("blobs/%s", digest);
	if (!where)
		return err_set(e, ENOMEM, "out of memory");
	f->errand.call = (struct http_call){
		.method = "GET", .from = f->at, .ranged = true, .take = take_piece, .arg = f
	};
	f->stage = STAGE_RUNS;
	tell(f, BLOB_MOVES);
	return errand_begin(f->all->session, &f->errand, where, e);
}

static int try_lock(struct fetch *f, struct err *e)
{
	int r;

	if (is_there(f)) {
		f->at = f->d->size;
		f->stage = STAGE_DONE;
		tell(f, BLOB_DONE);
		return 0;
	}
	r = lock_partial(f, e);
	if (r > 0 && f->waits_told && !f->at)
		return err_set(e, ESTALE, "somebody else has fetched it and unpacked it meanwhile");
	if (r != 0)
		return r < 0 ? r : begin(f, e);
	if (f->stage != STAGE_LOCK || !f->waits_told)
		tell(f, BLOB_WAITS);
	f->waits_told = true;
	f->stage = STAGE_LOCK;
	return 0;
}

/* What has failed may be tried again, a while later. */
static int pause_or_fail(struct fetch *f, const struct err *why, struct err *e)
{
	if (f->failures >= RETRIES_MAX) {
		if (e != why)
			*e = *why;
		return err_wrap(e, -why->no, "%s: no more tries", f->all->session->ep->server);
	}
	f->until_ns = clock_mono_ns() + (PAUSE_NS << f->failures);
	f->failures++;
	f->stage = STAGE_PAUSE;
	tell(f, BLOB_RETRY);
	return 0;
}

static int take_end(struct fetch *f, struct err *e)
{
	struct errand *er = &f->errand;
	struct err why = er->call.err;
	bool again = er->call.again;
	int status = er->call.status, r;

	if (!status && again) {
		errand_done(f->all->session, er);
		return pause_or_fail(f, &why, e);
	}
	r = errand_next(f->all->session, er, e);
	if (r != 0)
		return r < 0 ? r : 0;
	status = er->call.status;
	if (status == 416 && f->at) { /* there is no such part: what we have is not the beginning of it */
		errand_done(f->all->session, er);
		f->failures++;
		return start_over(f, e) < 0 ? -e->no
					    : pause_or_fail(f, &(struct err){ EPROTO, "no such range" }, e);
	}
	if (status != 200 && status != 206) {
		char what[32];

		snprintf(what, sizeof(what), "layer %.12s", f->hex);
		r = errand_refused(er, what, &why);
		errand_done(f->all->session, er);
		if (again)
			return pause_or_fail(f, &why, e);
		*e = why;
		return r;
	}
	errand_done(f->all->session, er);
	if (f->at < f->d->size)
		return pause_or_fail(f, &(struct err){ EBADMSG, "the blob is shorter than promised" }, e);
	return keep(f, e);
}

static int step(struct fetch *f, struct err *e)
{
	switch (f->stage) {
	case STAGE_IDLE:
	case STAGE_LOCK:
		return try_lock(f, e);
	case STAGE_PAUSE:
		return clock_mono_ns() >= f->until_ns ? begin(f, e) : 0;
	case STAGE_RUNS:
		return f->errand.call.done ? take_end(f, e) : 0;
	case STAGE_DONE:
		break;
	}
	return 0;
}

/* The first few that are not done are at work. */
static int step_all(struct fetching *all, size_t *ret_left, struct err *e)
{
	size_t left = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < all->n && left < AT_ONCE; i++) {
		struct fetch *f = &all->list[i];

		r = step(f, e);
		if (r < 0)
			err_wrap(e, r, "layer %.12s", f->hex);
		left += f->stage != STAGE_DONE;
	}
	*ret_left = left;
	return r;
}

static int add(struct fetching *all, const struct descriptor *d, struct err *e)
{
	struct fetch *f = &all->list[all->n];
	char text[DIGEST_TEXT];

	digest_text(&d->id, text);
	if (strv_has(&all->job->request->have, text)) {
		job_say(all->job, &(const struct registry_message){ .state = BLOB_EXISTS,
								    .blob = { d->digest, d->size } });
		return 0;
	}
	for (size_t i = 0; i < all->n; i++)
		if (digest_equal(&all->list[i].d->id, &d->id))
			return all->list[i].d->size == d->size
				       ? 0
				       : err_set(e, EBADMSG, "one blob with two sizes: %.19s", text);
	if (d->size > BLOB_BYTES_MAX)
		return err_set(e, EFBIG, "a layer of %llu bytes is too large", (unsigned long long)d->size);
	*f = (struct fetch){ .all = all, .d = d, .fd = -1 };
	digest_hex(&d->id, f->hex);
	all->n++;
	return 0;
}

int blobs_get(struct registry_job *job, struct session *s, const struct descriptor *const *list, size_t n,
	      struct err *e)
{
	AUTO(fetching_done)
	struct fetching all = { .job = job, .session = s, .list = calloc(n + 1, sizeof(*all.list)) };
	size_t left = 1;
	int r = all.list ? 0 : err_set(e, ENOMEM, "out of memory");

	for (size_t i = 0; r == 0 && i < n; i++)
		r = add(&all, list[i], e);
	while (r == 0 && left) {
		struct http_call *unused;

		r = step_all(&all, &left, e);
		if (r == 0 && left)
			r = http_work(job->http, LOOK_MS, &unused, e);
	}
	return r;
}
