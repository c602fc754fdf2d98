/* set.c - ketch set: an instance that does not run goes behind the other wall
 *
 * How it works: engine/move.h.  A child fetches the layer from behind the old wall; we give it to the new one, inside of
 * which it is unpacked: so no byte of it is looked at by a process with the rights of this host.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "cli/commands.h"
#include "cli/fetcher.h"
#include "cli/files.h"
#include "engine/move.h"
#include "engine/snapshot.h"

struct set_args {
	bool drop_snapshots;
};

static const struct opt set_opts[] = {
	OPT(FLAG, 0, "drop-snapshots", struct set_args, drop_snapshots, NULL,
	    "Remove its snapshots, which are of the wall that it leaves"),
	{ 0 },
};

static int take_setting(const char *word, int *ret_isolation, struct err *e)
{
	static const char key[] = "isolation=";

	if (strncmp(word, key, strlen(key)) != 0)
		return err_set(
			e, EINVAL,
			"'%.80s' cannot be set: only isolation=vm and isolation=container can (limits: "
			"ketch update)",
			word);
	for (int i = 0; i < ISOLATION_N; i++)
		if (!strcmp(word + strlen(key), isolation_names[i])) {
			*ret_isolation = i;
			return 0;
		}
	return err_set(e, EINVAL, "isolation is container or vm, not '%.60s'", word + strlen(key));
}

/* --- its files */

static int put(int fd, int layer_fd, const char *name, struct err *e)
{
	AUTO(files_end_done) struct files_end end = { 0 };
	const struct files_talk t = { .type = MSG_PUT, .fd = layer_fd, .request = { .kind = FILES_LAYER } };
	int r = files_pump(fd, &t, &end, e);

	return r < 0 ? r : files_judge(&end, name, e);
}

static int carry(struct move *m, const char *name, struct err *e)
{
	struct err of_put = { 0 };
	struct fetcher f;
	int from = -1, into = -1, k, r = move_open(m, &from, &into, e);

	if (r < 0)
		return r;
	r = fetcher_start(from, name, false, &f, e);
	if (r < 0) {
		close(into);
		return r;
	}
	r = put(into, f.layer_fd, name, &of_put);
	k = fetcher_end(&f, e);
	if (k) /* what is cut short cannot be unpacked: that is not the reason */
		return k;
	return r < 0 ? err_set(e, of_put.no, "%s", of_put.msg) : r;
}

/* --- its snapshots */

static void say_snapshots(const char *name, size_t n)
{
	AUTO(buf_done) struct buf line = { 0 };

	buf_addf(&line,
		 "%s: %zu snapshot%s: each goes back behind the wall that it was taken behind "
		 "(--drop-snapshots removes them)\n",
		 name, n, n == 1 ? " stays" : "s stay");
	if (buf_ok(&line))
		write_full(STDERR_FILENO, line.data, line.len); /* only for who reads it */
}

static int drop_snapshots(struct engine *en, const struct instance *in, struct err *e)
{
	struct snapshot *list;
	size_t n;
	int r = snapshot_list(en, in, &list, &n, e);

	if (r < 0)
		return r;
	/* the newest first: its memory may be a difference to that of an older one */
	for (size_t i = n; i > 0 && r == 0; i--)
		r = snapshot_remove(en, in, list[i - 1].id, e);
	snapshots_free(list, n);
	return r;
}

/* --- all */

static int move(struct engine *en, const struct instance *in, int isolation, const struct set_args *a,
		struct err *e)
{
	struct move *m;
	int r = move_begin(en, in, isolation, &m, e);

	if (r < 0)
		return r;
	if (move_snapshots(m) && !a->drop_snapshots)
		say_snapshots(in->spec.name, move_snapshots(m));
	if (move_has_files(m))
		r = carry(m, in->spec.name, e);
	if (r == 0)
		r = move_commit(m, e);
	move_free(m);
	return r == 0 && a->drop_snapshots ? drop_snapshots(en, in, e) : r;
}

static int set_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	struct engine *en = NULL;
	int isolation = 0, r = take_setting(words->v[1], &isolation, e);

	if (r == 0) {
		en = cli_engine(c, e);
		r = en ? engine_find(en, words->v[0], &in, e) : -e->no;
	}
	if (r == 0)
		r = move(en, &in, isolation, args, e);
	return r ? r : cli_print_name(words->v[0], e);
}

const struct command cmd_set = {
	.name = "set",
	.usage = "INSTANCE isolation=vm|container",
	.summary = "Have an instance that does not run go behind the other wall",
	.text = "A container becomes a virtual machine, or the other way round.  It keeps its id, its name, "
		"its configuration with addresses, ports, volumes and restart policy, and all that it "
		"has written: deletions, owners, modes, times, links, device nodes, capabilities and "
		"attributes of files that users can set.  Sockets are left behind, for nobody listens on "
		"them, and so are attributes in the kernel's namespace \"trusted\".\n\n"
		"A configuration that the other wall cannot have is refused by the name of its flag "
		"before anything is changed.  Until all is there the instance is what it was, also when "
		"the command is killed.  Snapshots stay: to go back to one of them is to go back behind "
		"the wall that it was taken behind.",
	.opts = set_opts,
	.args_size = sizeof(struct set_args),
	.min_words = 2,
	.max_words = 2,
	.words = WORDS_INSTANCE,
	.run = set_run,
};
