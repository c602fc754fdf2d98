/* rollback.c - ketch rollback, ketch clone: an instance goes back to a snapshot, or others go on from it */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/group.h"
#include "cli/saved.h"
#include "cli/snapshot.h"
#include "cli/text.h"

/* --- rollback */

struct rollback_args {
	struct group_args group;
	char *keep;
	bool stop, in_place, disk_only, no_volumes;
};

static const struct opt rollback_opts[] = {
	OPT(STR, 0, "keep", struct rollback_args, keep, "NAME", "Keep the state before as a snapshot"),
	OPT(FLAG, 0, "stop", struct rollback_args, stop, NULL,
	    "Stop it first where it runs; it is not started again but with its memory"),
	OPT(FLAG, 0, "in-place", struct rollback_args, in_place, NULL,
	    "A machine that runs from it goes back without being ended (--driver kvm)"),
	OPT(FLAG, 0, "no-volumes", struct rollback_args, no_volumes, NULL, "Leave its volumes as they are"),
	OPT(FLAG, 0, "disk-only", struct rollback_args, disk_only, NULL,
	    "Not with the memory, or the processes, of the snapshot"),
	GROUP_OPTS(struct rollback_args, group.group, group.label),
	{ 0 },
};

/* Its machine goes on where it was. */
static int go_on(struct cli *c, const struct instance *in, const struct snapshot *s, struct err *e)
{
	AUTO(instance_done) struct instance now = { 0 };
	int r = engine_find(c->engine, in->spec.id, &now, e);

	return r < 0 ? r : cli_start_saved_detached(c, &now.spec, s, e);
}

/* Those of the group whose memory is in its snapshot. */
static int go_on_all(struct cli *c, const struct instance_group *g, const char *name, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < g->n && r == 0; i++) {
		AUTO(snapshot_done) struct snapshot s = { 0 };

		r = snapshot_find(c->engine, &g->list[i], name, &s, e);
		if (r == 0 && s.memory.format)
			r = go_on(c, &g->list[i], &s, e);
	}
	return r;
}

static int rollback_group(struct cli *c, const struct rollback_args *a, const struct strv *words,
			  const struct rollback_request *rq, struct err *e)
{
	AUTO(instance_group_done) struct instance_group g = { 0 };
	autofree char *name = NULL;
	int r = a->keep ? err_set(e, EINVAL,
				  "--keep is for one instance; snapshot create --group keeps a group")
			: group_find(c, &a->group, words, &g, &name, e);

	if (r == 0 && !name)
		r = err_set(e, EINVAL, "to which snapshot?  Add @NAME");
	if (r == 0)
		r = snapshot_group_rollback(c->engine, &g, name, rq, e);
	if (r == 0 && rq->memory)
		r = go_on_all(c, &g, name, e);
	return r < 0 ? r : group_print(&g, name, e);
}

static int rollback_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(snapshot_word_done) struct snapshot_word w = { 0 };
	const struct rollback_args *a = args;
	struct rollback_request rq = {
		.keep = a->keep, .stop = a->stop, .no_volumes = a->no_volumes, .memory = !a->disk_only
	};
	char automatic[SNAPSHOT_AUTO_NAME];
	AUTO(snapshot_done) struct snapshot s = { 0 };
	int r;

	if (a->in_place && (a->stop || a->disk_only || a->no_volumes || a->keep || group_is_given(&a->group)))
		return err_set(
			e, EINVAL,
			"--in-place goes without --stop, --disk-only, --no-volumes, --keep and groups");
	if (group_is_given(&a->group))
		return rollback_group(c, a, words, &rq, e);
	if (!words->n)
		return err_set(e, EINVAL, "name an instance, or give --group or --label");
	r = snapshot_word_find(c, words->v[0], SNAPSHOT_MAY, &w, e);
	if (r == 0) /* the newest is another one with --keep */
		r = snapshot_find(c->engine, &w.in, w.name, &s, e);
	if (r == 0 && a->in_place)
		return snapshot_rollback_in_place(c->engine, &w.in, s.id, e);
	if (r == 0)
		r = snapshot_rollback_stays(&w.in, e);
	if (r == 0 && !a->keep && w.in.spec.snapshots.every_ns) {
		snapshot_auto_name(automatic);
		rq.keep = automatic;
		rq.keep_automatic = true;
	}
	if (r == 0)
		r = snapshot_rollback(c->engine, &w.in, s.id, &rq, e);
	if (r == 0 && rq.keep_automatic)
		snapshot_auto_thin_out(c->engine, &w.in);
	return r < 0 || !s.memory.format || a->disk_only ? r : go_on(c, &w.in, &s, e);
}

const struct command cmd_rollback = {
	.name = "rollback",
	.usage = "INSTANCE[@NAME] | --group A,B@NAME | --label KEY @NAME",
	.summary = "Have an instance be again what it was in a snapshot",
	.text = "Its files and its configuration are those of the snapshot (without a name: of its newest "
		"one), its name stays.  A virtual machine whose memory is in the snapshot runs on from "
		"there, and so do the processes of a container (snapshot create --live).  What was written "
		"since is lost, but for what --keep keeps; one whose policy has "
		"snapshots made (--snapshot-every) keeps it as an automatic one.  Any snapshot will do, "
		"also older ones, and those of the branch that was left.  One that runs with --rm would be "
		"removed when it is stopped, and is refused.\n\n"
		"The volumes that are in the snapshot are again what they were, which takes as long as a "
		"copy of them; it is refused while another instance runs with one of them.\n\n"
		"A virtual machine that was rolled back and runs on with its memory can go back to the same "
		"snapshot again and again with --in-place: it is not ended, only the pages of memory that "
		"it has written since are given up, and what it wrote to its disk.  Who is attached to it "
		"stays so; an exec ends.  Where that cannot be, it is refused, and the machine runs on.\n\n"
		"Of a group all go back, or all stay what they were.",
	.opts = rollback_opts,
	.args_size = sizeof(struct rollback_args),
	.max_words = 1,
	.words = WORDS_INSTANCE,
	.run = rollback_run,
};

/* --- clone */

struct clone_args {
	char *volumes;
};

static const struct opt clone_opts[] = {
	OPT(CHOICE, 0, "volumes", struct clone_args, volumes, "copy|share|none",
	    "Copies of its volumes (default), the same, or new ones"),
	{ 0 },
};

static enum clone_volumes volumes_of(const struct clone_args *a)
{
	if (!a->volumes || !strcmp(a->volumes, "copy"))
		return CLONE_VOLUMES_COPY;
	return strcmp(a->volumes, "none") ? CLONE_VOLUMES_SHARE : CLONE_VOLUMES_NONE;
}

static int clone_one(struct engine *en, const struct snapshot_word *w, const struct clone_request *rq,
		     struct err *e)
{
	AUTO(buf_done) struct buf line = { 0 };
	struct instance_spec s = { 0 };
	int r = snapshot_clone(en, &w->in, w->name, rq, &s, e);

	if (r < 0)
		return r;
	buf_addf(&line, "%s\n", s.id);
	json_done(&instance_spec_table, &s);
	return cli_print(&line, e);
}

static int clone_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(snapshot_word_done) struct snapshot_word w = { 0 };
	int r = snapshot_word_find(c, words->v[0], SNAPSHOT_MAY, &w, e);

	if (r == 0)
		r = engine_check_new_names(c->engine, words->v + 1, words->n - 1, e);
	for (size_t i = 1; i < words->n && r == 0; i++)
		r = clone_one(c->engine, &w, &(const struct clone_request){ words->v[i], volumes_of(args) },
			      e);
	return r;
}

const struct command cmd_clone = {
	.name = "clone",
	.usage = "INSTANCE[@NAME] NEW-NAME...",
	.summary = "Make instances that go on from a snapshot, or from what an instance is now",
	.text = "A new one has the configuration and the files of the other, which share their blocks until "
		"one of them writes; its id, name, addresses and, where it was made of the id, its "
		"hostname are its own.  It is created, not started; its id is printed.\n\n"
		"A volume V of the other becomes a new one, V-NEW-NAME, with what is in the snapshot; "
		"where that has none (--no-volumes), --volumes says what becomes of them.",
	.opts = clone_opts,
	.args_size = sizeof(struct clone_args),
	.min_words = 2,
	.max_words = WORDS_ANY,
	.words = WORDS_INSTANCE,
	.run = clone_run,
};
