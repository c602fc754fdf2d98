/* volume_snapshot.c - ketch volume snapshot-create, -ls, -inspect, -diff, -rm, -rename, rollback, clone: states of a volume that are kept */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/inspect.h"
#include "cli/listing.h"
#include "cli/text.h"
#include "engine/snapshot.h"
#include "engine/volume_snapshot.h"

/* VOLUME[@SNAPSHOT] */
struct word {
	char *volume, *name;
};

static void word_done(struct word *w)
{
	free(w->volume);
	free(w->name);
}

static int word_take(const char *text, bool must, struct word *ret, struct err *e)
{
	int r = snapshot_split(text, &ret->volume, &ret->name, e);

	return r == 0 && must && !ret->name
		       ? err_set(e, EINVAL, "'%.140s' names no snapshot: VOLUME@SNAPSHOT", text)
		       : r;
}

/* --- create */

struct create_args {
	char *description;
};

static const struct opt create_opts[] = {
	OPT(STR, 'm', "description", struct create_args, description, "TEXT", "What it is about"),
	{ 0 },
};

static int create_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(volume_snapshot_done) struct volume_snapshot s = { 0 };
	AUTO(word_done) struct word w = { 0 };
	struct engine *en = cli_engine(c, e);
	int r = en ? word_take(words->v[0], false, &w, e) : -e->no;

	if (r == 0)
		r = volume_snapshot_create(en, w.volume, w.name,
					   ((const struct create_args *)args)->description, &s, e);
	return r < 0 ? r : cli_print_name(s.name, e);
}

const struct command cmd_volume_snapshot_create = {
	.name = "volume snapshot-create",
	.usage = "VOLUME[@NAME]",
	.summary = "Keep the files of a volume as they are now",
	.text = "Without a name it is snap0, snap1 and so on; what was chosen is printed.  The files are "
		"copied; where the file system can share blocks, none of them is.  Instances that run with "
		"the volume stand still meanwhile, with all that they have written in it.\n\n"
		"A snapshot of an instance has its volumes in it, too (ketch snapshot create).  Removing a "
		"volume removes its snapshots.",
	.opts = create_opts,
	.args_size = sizeof(struct create_args),
	.min_words = 1,
	.max_words = 1,
	.words = WORDS_VOLUME,
	.run = create_run,
};

/* --- ls */

struct ls_args {
	bool quiet;
	char *format;
};

static const struct opt ls_opts[] = {
	LISTING_FORMAT(struct ls_args, format),
	OPT(FLAG, 'q', "quiet", struct ls_args, quiet, NULL, "Print names only"),
	{ 0 },
};

struct ls_row {
	const char *name, *id, *volume, *created, *created_at, *description;
};

static const struct jfield row_fields[] = {
	JK(J_STR, struct ls_row, name, "Name"),
	JK(J_STR, struct ls_row, id, "ID"),
	JK(J_STR, struct ls_row, volume, "Volume"),
	JK(J_STR, struct ls_row, created, "Created"),
	JK(J_STR, struct ls_row, created_at, "CreatedAt"),
	JK(J_STR, struct ls_row, description, "Description"),
	{ 0 },
};
static const struct jtable row_table = { sizeof(struct ls_row), row_fields };

static const struct listing_form form = {
	.row = &row_table,
	.columns = (const struct column[]){ { 0 } },
	.table = "table {{.Name}}\t{{.Created}}\t{{.Description}}",
	.quiet = "{{.Name}}",
};

static int add_row(const struct volume_snapshot *s, struct listing *l, struct err *e)
{
	AUTO(buf_done) struct buf ago = { 0 }, at = { 0 };
	struct ls_row row;

	text_add_ago(&ago, clock_real_ns(), s->created_ns);
	text_add_local_time(&at, s->created_ns);
	if (!buf_ok(&ago) || !buf_ok(&at))
		return err_set(e, ENOMEM, "out of memory");
	row = (struct ls_row){ s->name,	 s->id,	  s->volume,
			       ago.data, at.data, s->description ? s->description : "" };
	return listing_add(l, &row, e);
}

static int ls_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(listing_done) struct listing l = { 0 };
	struct engine *en = cli_engine(c, e);
	const struct ls_args *a = args;
	struct volume_snapshot *list;
	size_t n;
	int r = en ? volume_snapshot_list(en, words->v[0], &list, &n, e) : -e->no;

	if (r < 0)
		return r;
	r = listing_begin(&l, &form, a->format, a->quiet, e);
	for (size_t i = 0; i < n && r == 0; i++)
		r = add_row(&list[i], &l, e);
	volume_snapshots_free(list, n);
	return r < 0 ? r : listing_print(&l, e);
}

const struct command cmd_volume_snapshot_ls = {
	.name = "volume snapshot-ls",
	.usage = "VOLUME",
	.summary = "List the snapshots of a volume, oldest first",
	.opts = ls_opts,
	.args_size = sizeof(struct ls_args),
	.min_words = 1,
	.max_words = 1,
	.words = WORDS_VOLUME,
	.run = ls_run,
};

/* --- inspect */

struct view {
	const char *name, *id, *volume, *created_at, *description;
};

static const struct jfield view_fields[] = {
	JK(J_STR, struct view, name, "Name"),
	JK(J_STR, struct view, id, "ID"),
	JK(J_STR, struct view, volume, "Volume"),
	JK(J_STR, struct view, created_at, "CreatedAt"),
	JK(J_STR, struct view, description, "Description"),
	{ 0 },
};
static const struct jtable view_table = { sizeof(struct view), view_fields };

static int inspect_add(struct cli *c, const char *text, int json_flags, struct buf *out, struct err *e)
{
	AUTO(volume_snapshot_done) struct volume_snapshot s = { 0 };
	AUTO(word_done) struct word w = { 0 };
	char at[RFC3339_LEN];
	int r = word_take(text, true, &w, e);

	if (r == 0)
		r = volume_snapshot_find(c->engine, w.volume, w.name, &s, e);
	if (r < 0)
		return r;
	rfc3339_format(s.created_ns, at);
	return json_print(&view_table, &(const struct view){ s.name, s.id, s.volume, at, s.description },
			  json_flags, out) < 0
		       ? err_set(e, ENOMEM, "out of memory")
		       : 0;
}

static int inspect_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	return cli_engine(c, e)
		       ? inspect_each(c, words, ((const struct inspect_format *)args)->format, inspect_add, e)
		       : -e->no;
}

const struct command cmd_volume_snapshot_inspect = {
	.name = "volume snapshot-inspect",
	.usage = "VOLUME@NAME...",
	.summary = "Print all about snapshots of volumes as JSON",
	.opts = inspect_format_opts,
	.args_size = sizeof(struct inspect_format),
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_VOLUME,
	.run = inspect_run,
};

/* --- diff */

static int print_list(int fd, struct err *e)
{
	AUTO(buf_done) struct buf list = { 0 };
	char piece[65536];
	ssize_t n;
	int r = lseek(fd, 0, SEEK_SET) < 0 ? err_sys(e, errno, "the list") : 0;

	while (r == 0 && (n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0)
			return err_sys(e, errno, "the list");
		buf_add(&list, piece, (size_t)n);
		r = files_print_changes(&list, e);
	}
	return r;
}

static int diff_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(word_done) struct word was = { 0 }, is = { 0 };
	autoclose int list = memfd_create("list", MFD_CLOEXEC);
	struct engine *en = cli_engine(c, e);
	int r = en ? word_take(words->v[0], true, &was, e) : -e->no;

	(void)args;
	if (r == 0 && list < 0)
		r = err_sys(e, errno, "memfd_create");
	if (r == 0 && words->n > 1)
		r = word_take(words->v[1], false, &is, e);
	if (r == 0)
		r = volume_diff(en, &(const struct volume_at){ was.volume, was.name },
				&(const struct volume_at){ is.volume ? is.volume : was.volume, is.name },
				list, e);
	return r < 0 ? r : print_list(list, e);
}

const struct command cmd_volume_snapshot_diff = {
	.name = "volume snapshot-diff",
	.usage = "VOLUME@NAME [VOLUME[@NAME]]",
	.summary = "List which files of a volume are not as they were in a snapshot",
	.text = "Each line is a letter and a path: A added, C changed, D deleted since the first one, by "
		"mode, "
		"owner, size and time of files.  The second may be another snapshot, or another volume; "
		"without it the volume is compared as it is now.",
	.opts = no_opts,
	.min_words = 1,
	.max_words = 2,
	.words = WORDS_VOLUME,
	.run = diff_run,
};

/* --- rm */

static int remove_one(struct engine *en, const char *text, struct err *e)
{
	AUTO(word_done) struct word w = { 0 };
	int r = word_take(text, true, &w, e);

	if (r == 0)
		r = volume_snapshot_remove(en, w.volume, w.name, e);
	return r < 0 ? r : cli_print_name(text, e);
}

static int rm_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	struct engine *en = cli_engine(c, e);
	int status = 0;

	(void)args;
	for (size_t i = 0; en && i < words->n; i++) {
		struct err why = { 0 };

		if (remove_one(en, words->v[i], &why) < 0)
			status = cli_complain(&why, STATUS_FAILED);
	}
	return en ? status : -e->no;
}

const struct command cmd_volume_snapshot_rm = {
	.name = "volume snapshot-rm",
	.usage = "VOLUME@NAME...",
	.summary = "Remove snapshots of volumes",
	.opts = no_opts,
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_VOLUME,
	.run = rm_run,
};

/* --- rename */

static int rename_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(word_done) struct word w = { 0 };
	struct engine *en = cli_engine(c, e);
	int r = en ? word_take(words->v[0], true, &w, e) : -e->no;

	(void)args;
	return r < 0 ? r : volume_snapshot_rename(en, w.volume, w.name, words->v[1], e);
}

const struct command cmd_volume_snapshot_rename = {
	.name = "volume snapshot-rename",
	.usage = "VOLUME@NAME NEW-NAME",
	.summary = "Give a snapshot of a volume another name",
	.opts = no_opts,
	.min_words = 2,
	.max_words = 2,
	.words = WORDS_VOLUME,
	.run = rename_run,
};

/* --- rollback */

struct rollback_args {
	char *keep;
};

static const struct opt rollback_opts[] = {
	OPT(STR, 0, "keep", struct rollback_args, keep, "NAME", "Keep the state before as a snapshot"),
	{ 0 },
};

static int rollback_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(word_done) struct word w = { 0 };
	struct engine *en = cli_engine(c, e);
	int r = en ? word_take(words->v[0], false, &w, e) : -e->no;

	return r < 0 ? r
		     : volume_rollback(en, w.volume, w.name, ((const struct rollback_args *)args)->keep, e);
}

const struct command cmd_volume_rollback = {
	.name = "volume rollback",
	.usage = "VOLUME[@NAME]",
	.summary = "Have a volume be again what it was in a snapshot",
	.text = "Without a name: in its newest one.  No instance may run with the volume.  What was written "
		"since is lost, but for what --keep keeps.  It takes as long as a copy of the files; until "
		"that is whole the volume is what it was.",
	.opts = rollback_opts,
	.args_size = sizeof(struct rollback_args),
	.min_words = 1,
	.max_words = 1,
	.words = WORDS_VOLUME,
	.run = rollback_run,
};

/* --- clone */

static int clone_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(word_done) struct word w = { 0 };
	struct engine *en = cli_engine(c, e);
	int r = en ? word_take(words->v[0], false, &w, e) : -e->no;

	(void)args;
	for (size_t i = 1; i < words->n && r == 0; i++) {
		r = volume_clone(en, w.volume, w.name, words->v[i], e);
		if (r == 0)
			r = cli_print_name(words->v[i], e);
	}
	return r;
}

const struct command cmd_volume_clone = {
	.name = "volume clone",
	.usage = "VOLUME[@NAME] NEW-NAME...",
	.summary = "Make volumes that begin with what another is now, or was in a snapshot",
	.opts = no_opts,
	.min_words = 2,
	.max_words = WORDS_ANY,
	.words = WORDS_VOLUME,
	.run = clone_run,
};
