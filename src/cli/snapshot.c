/* snapshot.c - ketch snapshot create, ls, inspect, rm, rename: states of an instance that are kept */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/when.h"
#include "cli/commands.h"
#include "cli/group.h"
#include "cli/inspect.h"
#include "cli/listing.h"
#include "cli/snapshot.h"
#include "cli/text.h"
#include "engine/processes.h"

void snapshot_word_done(struct snapshot_word *w)
{
	free(w->name);
	instance_done(&w->in);
	*w = (struct snapshot_word){ 0 };
}

int snapshot_word_find(struct cli *c, const char *word, enum snapshot_word_kind kind,
		       struct snapshot_word *ret, struct err *e)
{
	autofree char *instance = NULL, *name = NULL;
	struct engine *en = cli_engine(c, e);
	int r = en ? snapshot_split(word, &instance, &name, e) : -e->no;

	if (r == 0 && kind == SNAPSHOT_MUST && !name)
		r = err_set(e, EINVAL, "'%.140s' names no snapshot: INSTANCE@SNAPSHOT", word);
	if (r == 0)
		r = engine_find(en, instance, &ret->in, e);
	if (r == 0)
		ret->name = take_ptr(name);
	return r;
}

/* --- create */

struct create_args {
	struct group_args group;
	char *description, *expiry;
	bool memory, live, disk_only, no_volumes;
};

static const struct opt create_opts[] = {
	OPT(STR, 'm', "description", struct create_args, description, "TEXT", "What it is about"),
	OPT(STR, 0, "expiry", struct create_args, expiry, "DURATION",
	    "Have it go after so long (90m, 24h), with the next snapshot create or ls"),
	OPT(FLAG, 0, "memory", struct create_args, memory, NULL,
	    "With the memory of a virtual machine, or not at all"),
	OPT(FLAG, 0, "no-volumes", struct create_args, no_volumes, NULL, "Without its volumes"),
	OPT(FLAG, 0, "disk-only", struct create_args, disk_only, NULL,
	    "Without the memory of a virtual machine"),
	OPT(FLAG, 0, "live", struct create_args, live, NULL,
	    "With all that runs, processes of a container, too (CRIU), or not at all"),
	GROUP_OPTS(struct create_args, group.group, group.label),
	{ 0 },
};

static int take_expiry(const char *text, int64_t *ret_ns, struct err *e)
{
	int64_t ns;

	if (!text)
		return 0;
	if (parse_duration(text, &ns) < 0 || ns <= 0)
		return err_set(e, EINVAL, "--expiry: '%.60s' is no duration such as 90m or 24h", text);
	*ret_ns = clock_real_ns() + ns;
	return 0;
}

static int create_group(struct cli *c, const struct create_args *a, const struct strv *words,
			struct snapshot_request *rq, struct err *e)
{
	AUTO(instance_group_done) struct instance_group g = { 0 };
	autofree char *wanted = NULL, *name = NULL;
	int r = group_find(c, &a->group, words, &g, &wanted, e);

	rq->name = wanted;
	if (r == 0)
		r = snapshot_group_create(c->engine, &g, rq, &name, e);
	for (size_t i = 0; i < g.n && r == 0; i++)
		snapshot_remove_expired(c->engine, &g.list[i]);
	return r < 0 ? r : group_print(&g, name, e);
}

static int create_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(snapshot_word_done) struct snapshot_word w = { 0 };
	AUTO(snapshot_done) struct snapshot s = { 0 };
	const struct create_args *a = args;
	struct snapshot_request rq = { .description = a->description, .no_volumes = a->no_volumes };
	int r = take_expiry(a->expiry, &rq.expires_ns, e);

	rq.memory = a->live	   ? MEMORY_LIVE
		    : a->memory	   ? MEMORY_MUST
		    : a->disk_only ? MEMORY_NOT
				   : MEMORY_IF_IT_CAN;
	if (r == 0 && (a->memory || a->live) && a->disk_only)
		r = err_set(e, EINVAL, "%s and --disk-only exclude each other",
			    a->live ? "--live" : "--memory");
	if (r == 0 && a->live && group_is_given(&a->group))
		r = err_set(e, EINVAL, "--live is for one instance");
	if (r == 0 && group_is_given(&a->group))
		return create_group(c, a, words, &rq, e);
	if (r == 0 && !words->n)
		r = err_set(e, EINVAL, "name an instance, or give --group or --label");
	if (r == 0)
		r = snapshot_word_find(c, words->v[0], SNAPSHOT_MAY, &w, e);
	rq.name = w.name;
	if (r == 0)
		r = snapshot_create(c->engine, &w.in, &rq, &s, e);
	if (r == 0)
		snapshot_remove_expired(c->engine, &w.in);
	return r < 0 ? r : cli_print_name(s.name, e);
}

const struct command cmd_snapshot_create = {
	.name = "snapshot create",
	.usage = "INSTANCE[@NAME] | --group A,B[@NAME] | --label KEY [@NAME]",
	.summary = "Keep the files and the configuration of an instance as they are now",
	.text = "Without a name it is snap0, snap1 and so on; what was chosen is printed.  Of an instance "
		"that does not run this takes the same few milliseconds whatever it holds: its writable "
		"layer is no longer written, and a new one is begun on top of it.\n\n"
		"One that runs stands still, with all that it has written on the disk, while what it has "
		"written since its last snapshot at rest is copied: where the file system can share "
		"blocks that is quick, else it takes as long as a copy.  The memory of a virtual machine "
		"that runs without mounts of the host is kept, too, with all its processes; those of a "
		"container are with --live, where CRIU is installed and works on this kernel (doctor tells): "
		"its memory, open files and pipes, timers, locks and the process tree below its main "
		"process, and what it has in tmpfs.  Its TCP connections are closed when it goes on from "
		"there, what it had not read of its input is lost, and processes of exec are not in it.  "
		"One with -t, --init, --userns, --privileged, --system, namespaces or a network of the "
		"host or of others, or shared mounts is refused.\n\n"
		"Its volumes are in it, too, unless they are directories of the host; they are copied, "
		"also of one that does not run, and other instances that run with them stand still "
		"meanwhile.\n\n"
		"What is in a snapshot is to a container as files of its image are: one with several "
		"names that is written to afterwards is copied, and its other names keep what they "
		"had.\n\n"
		"Of a group, containers and virtual machines alike, all that run stand still at the same "
		"time, until the memory of its machines and copies of its volumes are made; each gets a "
		"snapshot of the same name, or none does.",
	.opts = create_opts,
	.args_size = sizeof(struct create_args),
	.max_words = 1,
	.words = WORDS_INSTANCE,
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
	const char *name, *id, *created, *created_at, *parent, *holds, *description, *expires;
};

static const struct jfield row_fields[] = {
	JK(J_STR, struct ls_row, name, "Name"),
	JK(J_STR, struct ls_row, id, "ID"),
	JK(J_STR, struct ls_row, created, "Created"),
	JK(J_STR, struct ls_row, created_at, "CreatedAt"),
	JK(J_STR, struct ls_row, parent, "Parent"),
	JK(J_STR, struct ls_row, holds, "Holds"),
	JK(J_STR, struct ls_row, description, "Description"),
	JK(J_STR, struct ls_row, expires, "ExpiresAt"),
	{ 0 },
};
static const struct jtable row_table = { sizeof(struct ls_row), row_fields };

static const struct listing_form form = {
	.row = &row_table,
	.columns = (const struct column[]){ { 0 } },
	.table = "table {{.Name}}\t{{.Created}}\t{{.Parent}}\t{{.Holds}}\t{{.Description}}",
	.quiet = "{{.Name}}",
};

/* "disk, memory, 2 volumes" */
static void add_holds(struct buf *b, const struct snapshot *s)
{
	buf_adds(b, processes_are_in(s) ? "disk, processes" : s->memory.format ? "disk, memory" : "disk");
	if (s->volumes.n)
		buf_addf(b, ", %zu volume%s", s->volumes.n, s->volumes.n == 1 ? "" : "s");
}

static const char *name_of(const struct snapshot *list, size_t n, const char *id)
{
	for (size_t i = 0; id && i < n; i++)
		if (!strcmp(list[i].id, id))
			return list[i].name;
	return "";
}

static const char *text_of(const struct buf *b)
{
	return b->data ? b->data : "";
}

static int add_row(const struct snapshot *s, const char *parent, struct listing *l, struct err *e)
{
	AUTO(buf_done) struct buf ago = { 0 }, at = { 0 }, holds = { 0 }, expires = { 0 };
	struct ls_row row;

	text_add_ago(&ago, clock_real_ns(), s->created_ns);
	text_add_local_time(&at, s->created_ns);
	if (s->expires_ns)
		text_add_local_time(&expires, s->expires_ns);
	add_holds(&holds, s);
	if (!buf_ok(&ago) || !buf_ok(&at) || !buf_ok(&holds) || !buf_ok(&expires))
		return err_set(e, ENOMEM, "out of memory");
	row = (struct ls_row){ s->name,
			       s->id,
			       text_of(&ago),
			       text_of(&at),
			       parent,
			       text_of(&holds),
			       s->description ? s->description : "",
			       text_of(&expires) };
	return listing_add(l, &row, e);
}

static int print_list(const struct ls_args *a, const struct snapshot *list, size_t n, struct err *e)
{
	AUTO(listing_done) struct listing l = { 0 };
	int r = listing_begin(&l, &form, a->format, a->quiet, e);

	for (size_t i = 0; i < n && r == 0; i++)
		r = add_row(&list[i], name_of(list, n, list[i].parent), &l, e);
	return r < 0 ? r : listing_print(&l, e);
}

static int ls_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	struct engine *en = cli_engine(c, e);
	struct snapshot *list;
	size_t n;
	int r = en ? engine_find(en, words->v[0], &in, e) : -e->no;

	if (r == 0) {
		snapshot_remove_expired(en, &in);
		r = snapshot_list(en, &in, &list, &n, e);
	}
	if (r < 0)
		return r;
	r = print_list(args, list, n, e);
	snapshots_free(list, n);
	return r;
}

const struct command cmd_snapshot_ls = {
	.name = "snapshot ls",
	.usage = "INSTANCE",
	.summary = "List the snapshots of an instance, oldest first",
	.opts = ls_opts,
	.args_size = sizeof(struct ls_args),
	.min_words = 1,
	.max_words = 1,
	.words = WORDS_INSTANCE,
	.run = ls_run,
};

/* --- inspect */

static int inspect_add(struct cli *c, const char *word, int json_flags, struct buf *out, struct err *e)
{
	AUTO(snapshot_word_done) struct snapshot_word w = { 0 };
	AUTO(snapshot_done) struct snapshot s = { 0 };
	int r = snapshot_word_find(c, word, SNAPSHOT_MUST, &w, e);

	if (r == 0)
		r = snapshot_find(c->engine, &w.in, w.name, &s, e);
	if (r < 0)
		return r;
	return json_print(&snapshot_table, &s, json_flags, out) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int inspect_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	return inspect_each(c, words, ((const struct inspect_format *)args)->format, inspect_add, e);
}

const struct command cmd_snapshot_inspect = {
	.name = "snapshot inspect",
	.usage = "INSTANCE@NAME...",
	.summary = "Print all about snapshots as JSON",
	.opts = inspect_format_opts,
	.args_size = sizeof(struct inspect_format),
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_INSTANCE,
	.run = inspect_run,
};

/* --- rm */

static int remove_one(struct cli *c, const char *word, struct err *e)
{
	AUTO(snapshot_word_done) struct snapshot_word w = { 0 };
	int r = snapshot_word_find(c, word, SNAPSHOT_MUST, &w, e);

	if (r == 0)
		r = snapshot_remove(c->engine, &w.in, w.name, e);
	return r < 0 ? r : cli_print_name(word, e);
}

static int rm_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	int status = 0;

	(void)args;
	for (size_t i = 0; i < words->n; i++) {
		struct err why = { 0 };

		if (remove_one(c, words->v[i], &why) < 0)
			status = cli_complain(&why, STATUS_FAILED);
	}
	return status;
}

const struct command cmd_snapshot_rm = {
	.name = "snapshot rm",
	.usage = "INSTANCE@NAME...",
	.summary = "Remove snapshots",
	.text = "What others stand on stays on the disk until they go, too: snapshots, clones, and the "
		"instance itself.  A layer that is left between two others becomes one with the upper "
		"one, at once where the instance does not run.  Removing an instance removes its "
		"snapshots.",
	.opts = no_opts,
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_INSTANCE,
	.run = rm_run,
};

/* --- rename */

static int rename_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(snapshot_word_done) struct snapshot_word w = { 0 };
	int r = snapshot_word_find(c, words->v[0], SNAPSHOT_MUST, &w, e);

	(void)args;
	return r < 0 ? r : snapshot_rename(c->engine, &w.in, w.name, words->v[1], e);
}

const struct command cmd_snapshot_rename = {
	.name = "snapshot rename",
	.usage = "INSTANCE@NAME NEW-NAME",
	.summary = "Give a snapshot another name",
	.opts = no_opts,
	.min_words = 2,
	.max_words = 2,
	.words = WORDS_INSTANCE,
	.run = rename_run,
};
