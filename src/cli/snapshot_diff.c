/* snapshot_diff.c - ketch snapshot diff: which files are not as they were in a snapshot
 *
 * How it works: each of the two says what it has changed in the image that both stand on, with a stamp of each file
 * (instance/change.h).  What both say is no difference; for the rest the image is what it was, or is.  The lists are in the
 * order of a walk, so one pass over both finds all.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/snapshot.h"
#include "cli/text.h"
#include "engine/snapshot_files.h"
#include "instance/change.h"

#define LIST_MOST (256U << 20) /* some two million files */

/* --- one list */

struct side {
	char *image_id;
	struct buf records;
	struct err why; /* why.no: why the rest is not wanted */
};

static void side_done(struct side *s)
{
	free(s->image_id);
	buf_done(&s->records);
}

static int take(void *arg, const void *data, size_t n)
{
	struct side *s = arg;

	buf_add(&s->records, data, n);
	if (!buf_ok(&s->records))
		err_set(&s->why, ENOMEM, "out of memory");
	else if (s->records.len > LIST_MOST)
		err_set(&s->why, EFBIG, "more than %u MiB of names have changed", LIST_MOST >> 20);
	return s->why.no ? -EPIPE : 0;
}

static struct files_talk talk_of(struct side *s)
{
	return (struct files_talk){ .type = MSG_GET,
				    .fd = -1,
				    .request = { .kind = FILES_CHANGES, .stamps = true },
				    .sink = take,
				    .sink_arg = s };
}

static int judge(const struct side *s, const struct files_end *end, const char *name, struct err *e)
{
	return s->why.no ? err_set(e, s->why.no, "%s: %s", name, s->why.msg) : files_judge(end, name, e);
}

static int read_snapshot(struct engine *en, const struct snapshot_word *w, struct side *s, struct err *e)
{
	AUTO(snapshot_files_done) struct snapshot_files files = { 0 };
	AUTO(files_end_done) struct files_end end = { 0 };
	const struct files_talk t = talk_of(s);
	int fd = -1, r = snapshot_files_open(en, &w->in, w->name, &files, &fd, e);

	if (r == 0)
		r = files_pump(fd, &t, &end, e);
	if (r == 0)
		r = judge(s, &end, w->in.spec.name, e);
	if (r)
		return r;
	s->image_id = strdup(files.spec.image_id);
	return s->image_id ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int read_now(struct engine *en, const struct snapshot_word *w, struct side *s, struct err *e)
{
	AUTO(files_end_done) struct files_end end = { 0 };
	const struct files_talk t = talk_of(s);
	int r = files_talk(en, &w->in, &t, &end, e);

	if (r == 0)
		r = judge(s, &end, w->in.spec.name, e);
	if (r)
		return r;
	s->image_id = strdup(w->in.spec.image_id);
	return s->image_id ? 0 : err_set(e, ENOMEM, "out of memory");
}

/* --- two of them */

struct cursor {
	const struct buf *of;
	size_t at;
	struct change now; /* now.path NULL: it is over */
};

static int next(struct cursor *c, struct err *e)
{
	const struct buf rest = { .data = c->of->data + c->at, .len = c->of->len - c->at };
	int r = rest.len ? change_peek(&rest, &c->now) : 0;

	if (r < 0 || (r == 0 && rest.len))
		return err_set(e, EPROTO, "an instance sent what is no list of changes");
	if (r == 0)
		c->now = (struct change){ 0 };
	c->at += c->now.bytes;
	return 0;
}

/* What became of a path, of which each side says what it did to the image (NULL: nothing).  0: nothing. */
static char outcome(const struct change *was, const struct change *is)
{
	if (!was)
		return is->kind;
	if (!is)
		return was->kind == 'A' ? 'D' : was->kind == 'D' ? 'A' : 'C';
	if (was->kind == 'D' || is->kind == 'D')
		return was->kind == is->kind ? 0 : is->kind == 'D' ? 'D' : 'A';
	return was->stamp == is->stamp ? 0 : 'C';
}

struct report {
	struct buf out;
	char told[CHANGE_RECORD_MAX]; /* the last path */
};

static void tell(struct report *p, char kind, const char *path, size_t n)
{
	autofree char *part = strndup(path, n);

	buf_addf(&p->out, "%c ", kind);
	if (part)
		text_add(&p->out, part);
	buf_addc(&p->out, '\n');
}

/* The directories above it are changed, too, and come first. */
static void found(struct report *p, char kind, const char *path)
{
	for (const char *at = path + 1; (at = strchr(at, '/')); at++) {
		size_t n = (size_t)(at - path);

		if (strncmp(p->told, path, n) != 0 || (p->told[n] && p->told[n] != '/'))
			tell(p, 'C', path, n);
	}
	tell(p, kind, path, strlen(path));
	strcpy(p->told, path);
}

/* A directory that only has something different below it: what that is follows. */
static bool is_implied(const struct change *c)
{
	return c->kind == 'C' && !c->stamp;
}

static int compare(struct cursor *a, struct cursor *b, struct report *p, struct err *e)
{
	int r = next(a, e);

	if (r == 0)
		r = next(b, e);
	while (r == 0 && (a->now.path || b->now.path)) {
		int order = !b->now.path   ? -1
			    : !a->now.path ? 1
					   : change_compare_paths(a->now.path, b->now.path);
		const struct change *was = order <= 0 && !is_implied(&a->now) ? &a->now : NULL;
		const struct change *is = order >= 0 && !is_implied(&b->now) ? &b->now : NULL;
		char kind = was || is ? outcome(was, is) : 0;

		if (kind)
			found(p, kind, is ? is->path : was->path);
		if (order <= 0)
			r = next(a, e);
		if (r == 0 && order >= 0)
			r = next(b, e);
	}
	return r;
}

static int print_difference(const struct side *was, const struct side *is, struct err *e)
{
	autofree struct report *p = calloc(1, sizeof(*p));
	struct cursor a = { .of = &was->records }, b = { .of = &is->records };
	int r = p ? compare(&a, &b, p, e) : err_set(e, ENOMEM, "out of memory");

	if (r == 0 && p->out.len)
		r = cli_print(&p->out, e);
	if (p)
		buf_done(&p->out);
	return r;
}

static int diff_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(snapshot_word_done) struct snapshot_word was = { 0 }, is = { 0 };
	AUTO(side_done) struct side a = { 0 }, b = { 0 };
	bool two = words->n > 1;
	int r = snapshot_word_find(c, words->v[0], SNAPSHOT_MUST, &was, e);

	(void)args;
	if (r == 0 && two)
		r = snapshot_word_find(c, words->v[1], SNAPSHOT_MAY, &is, e);
	if (r == 0)
		r = read_snapshot(c->engine, &was, &a, e);
	if (r == 0)
		r = two && is.name ? read_snapshot(c->engine, &is, &b, e)
				   : read_now(c->engine, two ? &is : &was, &b, e);
	if (r)
		return r;
	if (strcmp(a.image_id, b.image_id) != 0)
		return err_set(e, EINVAL, "the two stand on different images (%.12s and %.12s)",
			       a.image_id + strlen("sha256:"), b.image_id + strlen("sha256:"));
	return print_difference(&a, &b, e);
}

const struct command cmd_snapshot_diff = {
	.name = "snapshot diff",
	.usage = "INSTANCE@NAME [INSTANCE[@NAME]]",
	.summary = "List which files are not as they were in a snapshot",
	.text = "Each line is a letter and a path: A added, C changed, D deleted since the first one, as "
		"ketch diff has it: by mode, owner, size and time of files.  The second may be another "
		"snapshot, or another instance, also behind the other wall, as long as both stand on the "
		"same image; without it the instance is compared as it is now, running or not.  Volumes "
		"are not compared.",
	.opts = no_opts,
	.min_words = 1,
	.max_words = 2,
	.words = WORDS_INSTANCE,
	.run = diff_run,
};
