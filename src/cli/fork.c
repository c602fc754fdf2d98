/* fork.c - ketch fork: others go on from what a virtual machine is just doing */
#include <errno.h>
#include <stdlib.h>

#include "base/auto.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/saved.h"
#include "cli/snapshot.h"
#include "cli/text.h"

#define MOST_CHILDREN 1000

struct fork_args {
	int64_t count;
};

static const struct opt fork_opts[] = {
	OPT(INT, 'n', "count", struct fork_args, count, "N",
	    "So many, named INSTANCE-1, INSTANCE-2 and so on"),
	{ 0 },
};

/* --- names */

/* The next of OF-1, OF-2 ... behind *number that no instance has; owned, NULL with e. */
static char *free_name(struct engine *en, const char *of, unsigned *number, struct err *e)
{
	for (;;) {
		AUTO(instance_done) struct instance taken = { 0 };
		autofree char *name = str_printf("%s-%u", of, ++*number);
		int r = name ? engine_find(en, name, &taken, NULL) : -ENOMEM;

		if (r == -ENOENT)
			return take_ptr(name);
		if (r < 0) {
			err_sys(e, -r, "a name for %s", of);
			return NULL;
		}
	}
}

int cli_clone_numbered(struct engine *en, const struct instance *in, const char *snapshot,
		       const struct clone_request *like, const char *of, unsigned *number,
		       struct instance_spec *ret, struct err *e)
{
	struct clone_request how = *like;
	int r = -EEXIST;

	/* a command beside us may take the name in the moment between */
	for (int i = 0; i < MOST_CHILDREN && r == -EEXIST; i++) {
		autofree char *name = free_name(en, of, number, e);

		how.name = name;
		r = name ? snapshot_clone(en, in, snapshot, &how, ret, e) : -e->no;
	}
	return r;
}

static int check_words(const struct fork_args *a, const struct strv *words, struct err *e)
{
	if ((words->n > 1) == (a->count != 0))
		return err_set(e, EINVAL, "give names for the new instances, or --count");
	if (a->count < 0 || a->count > MOST_CHILDREN)
		return err_set(e, EINVAL, "--count: 1 to %d", MOST_CHILDREN);
	return 0;
}

/* --- forks */

int cli_start_saved(struct cli *c, const struct instance_spec *spec, const struct snapshot *s,
		    const struct attach *how, struct err *e)
{
	int fd = -1, r = engine_start_saved(c->engine, spec, s, &fd, e);

	return r < 0 ? r : begin_follow(c->engine, spec, how, fd, NULL);
}

int cli_start_saved_detached(struct cli *c, const struct instance_spec *spec, const struct snapshot *s,
			     struct err *e)
{
	const struct attach how = { .detach = true };
	int r = cli_start_saved(c, spec, s, &how, e);

	return r > 0 ? err_set(e, EIO, "%s did not start", spec->name) : r;
}

/* With a name, or the next number.  One that does not start is not kept. */
static int fork_one(struct cli *c, const struct instance *in, const struct snapshot *s, const char *name,
		    unsigned *number, struct err *e)
{
	const struct clone_request how = { .name = name };
	struct instance child = { .state.status = STATUS_EXITED };
	AUTO(buf_done) struct buf line = { 0 };
	int r = name ? snapshot_clone(c->engine, in, s->id, &how, &child.spec, e)
		     : cli_clone_numbered(c->engine, in, s->id, &how, in->spec.name, number, &child.spec, e);

	if (r < 0)
		return r;
	r = cli_start_saved_detached(c, &child.spec, s, e);
	buf_addf(&line, "%s\n", child.spec.id);
	if (r < 0)
		engine_remove(c->engine, &child, REMOVE_FORCE, NULL);
	json_done(&instance_spec_table, &child.spec);
	return r < 0 ? r : cli_print(&line, e);
}

/* words: INSTANCE, and the names of the new ones unless there are `count`. */
static int fork_all(struct cli *c, const struct instance *in, const struct strv *words, size_t count,
		    struct err *e)
{
	const struct snapshot_request how = { .description = "for forks",
					      .automatic = true,
					      .memory = MEMORY_MUST };
	AUTO(snapshot_done) struct snapshot s = { 0 };
	const size_t n = count ? count : words->n - 1;
	unsigned number = 0;
	struct err ignored;
	int k, r = snapshot_create(c->engine, in, &how, &s, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n && r == 0; i++)
		r = fork_one(c, in, &s, count ? NULL : words->v[i + 1], &number, e);
	/* those that run have its files open */
	k = snapshot_remove(c->engine, in, s.id, r < 0 ? &ignored : e);
	return r < 0 ? r : k;
}

static int fork_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	const struct fork_args *a = args;
	AUTO(snapshot_word_done) struct snapshot_word w = { 0 };
	int r = snapshot_word_find(c, words->v[0], SNAPSHOT_MAY, &w, e);

	if (r == 0 && w.name)
		r = err_set(e, EINVAL, "%s: fork is of an instance that runs; clone is of a snapshot",
			    words->v[0]);
	if (r == 0)
		r = check_words(a, words, e);
	if (r == 0)
		r = engine_check_new_names(c->engine, words->v + 1, words->n - 1, e);
	return r < 0 ? r : fork_all(c, &w.in, words, (size_t)a->count, e);
}

const struct command cmd_fork = {
	.name = "fork",
	.usage = "INSTANCE NEW-NAME... | --count N",
	.summary = "Make instances that go on from what a virtual machine is just doing",
	.text = "The machine goes on, after milliseconds (under QEMU when its memory is written); each new "
		"one has its memory, which under --driver kvm they share until one of them writes, its "
		"files, and all its processes.  Before these go on it has an id, a name, addresses, a "
		"clock and random numbers of its own, and a hostname where that was made of the id.",
	.opts = fork_opts,
	.args_size = sizeof(struct fork_args),
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_INSTANCE,
	.run = fork_run,
};
