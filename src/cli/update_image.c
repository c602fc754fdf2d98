/* update_image.c - ketch update-image: an instance goes on with another image, and back where that does not work */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "cli/begin.h"
#include "cli/commands.h"
#include "cli/pull.h"
#include "engine/reimage.h"
#include "engine/snapshot.h"

#define WAIT_S	60 /* for a health check */
#define STAND_S 5 /* without one */
#define POLL_MS 50

struct update_image_args {
	char *pull, *keep;
	int wait_s;
};

static const struct opt update_image_opts[] = {
	OPT(STR, 0, "keep", struct update_image_args, keep, "NAME",
	    "Keep the state before as a snapshot, also when all is well"),
	OPT(CHOICE, 0, "pull", struct update_image_args, pull, "always|missing|never",
	    "Whether to ask the registry (missing)"),
	OPT(SECONDS, 't', "wait", struct update_image_args, wait_s, "SECONDS",
	    "Time to become healthy (60), or to run without a check (5)"),
	{ 0 },
};

/* One update under way. */
struct job {
	struct engine *en;
	const struct update_image_args *args;
	const struct instance *in; /* as it was */
	const char *ref; /* of the image that it gets */
	struct instance_spec to;
	struct snapshot before;
};

/* --- is it well? */

static int begin(struct engine *en, const char *id, struct err *e)
{
	const struct attach how = { .detach = true };
	AUTO(instance_done) struct instance now = { 0 };
	int r = engine_find(en, id, &now, e);

	if (r == 0)
		r = begin_run(en, &now.spec, &how, e);
	/* the pump has said why */
	return r > 0 ? err_set(e, EIO, "it does not start") : r == -EALREADY ? 0 : r;
}

/* 1: it is well; 0: nobody knows yet; or -errno. */
static int look(const struct job *j, bool time_is_over, struct err *e)
{
	AUTO(instance_done) struct instance now = { 0 };
	bool checked = health_is_checked(&j->to.health);
	int r = engine_find(j->en, j->to.id, &now, e);

	if (r < 0)
		return r;
	if (now.state.status == STATUS_EXITED)
		return err_set(e, ECHILD, "it ended with status %d", now.state.exit_code);
	if (now.state.restarts)
		return err_set(e, ECHILD, "it ended, and its policy started it again");
	if (checked && now.state.health.status == HEALTH_UNHEALTHY)
		return err_set(e, ECHILD, "it is unhealthy");
	if (checked && now.state.health.status == HEALTH_HEALTHY)
		return 1;
	if (checked && time_is_over)
		return err_set(e, ETIMEDOUT, "it was not healthy in time");
	return time_is_over && now.state.status == STATUS_RUNNING;
}

static int watch(const struct job *j, struct err *e)
{
	int wait_s = j->args->wait_s >= 0		? j->args->wait_s
		     : health_is_checked(&j->to.health) ? WAIT_S
							: STAND_S;
	int r = begin(j->en, j->to.id, e);
	int64_t end = clock_mono_ns() + wait_s * NS_PER_S; /* behind the start: a machine boots for seconds */

	while (r == 0) {
		bool over = clock_mono_ns() >= end;

		r = look(j, over, e);
		if (r == 0 && over)
			return err_set(e, ETIMEDOUT, "it does not run");
		if (r == 0)
			poll(NULL, 0, POLL_MS);
	}
	return r < 0 ? r : 0;
}

/* --- there, and back */

static int go_back(const struct job *j, bool was_live, struct err *e)
{
	const struct rollback_request rq = { .stop = true };
	struct err why = *e;
	int r = snapshot_rollback(j->en, j->in, j->before.id, &rq, e);

	if (r == 0 && was_live)
		r = begin(j->en, j->in->spec.id, e);
	if (r < 0)
		return err_wrap(e, r, "%s: %.100s; and the way back, snapshot %s, failed", j->in->spec.name,
				why.msg, j->before.name);
	snapshot_remove(j->en, j->in, j->before.id, NULL);
	return err_set(e, why.no, "%s with %.100s: %.200s; it is again what it was, with %.100s",
		       j->in->spec.name, j->to.image, why.msg, j->in->spec.image);
}

static int keep_state(struct job *j, struct err *e)
{
	const struct snapshot_request rq = { .name = j->args->keep,
					     .description = "before another image",
					     .automatic = !j->args->keep,
					     .memory = MEMORY_NOT };

	return snapshot_create(j->en, j->in, &rq, &j->before, e);
}

static int change(struct job *j, struct err *e)
{
	bool was_live = instance_is_live(&j->in->state);
	int r = was_live ? engine_stop(j->en, j->in, -1, e) : 0;

	if (r == 0)
		r = keep_state(j, e);
	if (r == 0)
		r = engine_reimage(j->en, j->in, j->ref, &j->to, e);
	if (r < 0) {
		if (was_live)
			begin(j->en, j->in->spec.id, NULL);
		return r;
	}
	r = was_live ? watch(j, e) : 0;
	if (r < 0)
		return go_back(j, was_live, e);
	return j->args->keep ? 0 : snapshot_remove(j->en, j->in, j->before.id, e);
}

static int update(struct job *j, const char *ref, struct err *e)
{
	int r = engine_reimage_plan(j->en, j->in, ref, &j->to, e);

	j->ref = ref;
	if (r == 0 && strcmp(j->to.image_id, j->in->spec.image_id) != 0)
		r = change(j, e);
	json_done(&instance_spec_table, &j->to);
	snapshot_done(&j->before);
	return r;
}

static int update_image_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	const struct update_image_args *a = args;
	struct job j = { .en = cli_engine(c, e), .args = a, .in = &in };
	const char *ref;
	int r = j.en ? engine_find(j.en, words->v[0], &in, e) : -e->no;

	if (r < 0)
		return r;
	ref = words->n > 1 ? words->v[1] : in.spec.image;
	r = a->keep ? snapshot_name_check(a->keep, e) : 0;
	if (r == 0)
		r = pull_before_run(c, ref, NULL, a->pull, false, e);
	if (r == 0)
		r = update(&j, ref, e);
	return r < 0 ? r : cli_print_name(words->v[0], e);
}

static const struct update_image_args update_image_defaults = { .wait_s = -1 };
const struct command cmd_update_image = {
	.name = "update-image",
	.usage = "INSTANCE [IMAGE]",
	.summary = "Have an instance go on with another image, and back where that does not work",
	.text = "Without an image it is what its own name means by now.  The instance keeps its id, name, "
		"volumes, addresses and all that it was given; what the old image said (command, "
		"environment, user, health check ...) is what the new one says.  Its root is new: what "
		"it had written there goes, what is in volumes stays.\n\n"
		"One that runs is stopped, and started with the new image.  If it has a health check "
		"that has to say \"healthy\"; else it has to run for a while (--wait).  If it does not, "
		"it is again what it was, with its files, and runs; the command fails and says why.  One "
		"that does not run is not started.",
	.opts = update_image_opts,
	.args_size = sizeof(struct update_image_args),
	.defaults = &update_image_defaults,
	.min_words = 1,
	.max_words = 2,
	.words = WORDS_INSTANCE,
	.run = update_image_run,
};
