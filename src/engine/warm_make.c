/* warm_make.c - a machine boots to be kept for `run --warm`
 *
 * Blank (instance/boot.h): it has no main process, and is killed when our connection to its monitor ends, so also when we are
 * killed.  What is left of that then, a record without the snapshot, goes when the next one is made.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "engine/warm_int.h"
#include "image/store.h"

#define LOCK_S 400 /* longer than one takes to be made, be it on a slow machine */

/* --- its spec */

static int add_labels(const struct warm *w, struct instance_spec *s)
{
	if (strv_addf(&s->labels, TEMPLATE_LABEL "=%s", w->name) < 0)
		return -ENOMEM;
	return strv_addf(&s->labels, WARM_LABEL "=%s", w->key);
}

/* The networks alone: what is published or allowed is of who goes on from it. */
static struct net_spec bare_net(const struct net_spec *like)
{
	return (struct net_spec){ .attachments = like->attachments, .n_attachments = like->n_attachments };
}

/* Of what is asked for only what makes the machine: the rest may be nobody else's business, and is said anew to each who goes on
 * from it. */
static int make_spec(const struct warm *w, struct instance_spec *ret, struct err *e)
{
	const struct instance_spec *like = &w->like;
	char *waits[] = { (char[]){ "waits" },
			  NULL }; /* should somebody start it: a process that does nothing else */
	const struct instance_spec bare = {
		.id = like->id,
		.name = like->name,
		.isolation = ISOLATION_VM,
		.image = like->image,
		.image_id = like->image_id,
		.layers = like->layers,
		.process = { .args = { waits, 1 }, .hold = true },
		.network = like->network,
		.net = bare_net(&like->net),
		.storage_bytes = like->storage_bytes,
		.stop_signal = like->stop_signal,
		.stop_timeout_s = like->stop_timeout_s,
		.log = { .driver = LOG_NONE },
		.vm = like->vm,
	}; /* borrows */
	char id[65];
	int r = json_copy(&instance_spec_table, &bare, ret);

	engine_random_hex(32, id);
	if (r < 0 || add_labels(w, ret) < 0)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < ret->net.n_attachments; i++)
		strv_done(&ret->net.attachments[i].aliases);
	ret->created_ns = clock_real_ns();
	return instance_become(id, w->name, ret, e);
}

/* --- made */

/* Why it did not come so far, in its monitor's words. */
static int say_why(struct engine *en, const struct instance_spec *spec, int r, struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };

	if (engine_find(en, spec->id, &in, NULL) == 0 && in.state.error)
		return err_set(e, -r, "%s", in.state.error);
	return r;
}

/* What it stands on when it is saved nobody has written to: no process of a workload is there to be held. */
static int boot_and_save(struct engine *en, const struct instance_spec *spec, struct err *e)
{
	const struct snapshot_request how = { .name = TEMPLATE_SNAPSHOT,
					      .memory = MEMORY_MUST,
					      .held = true };
	const struct instance in = { .spec = *spec };
	AUTO(snapshot_done) struct snapshot s = { 0 };
	autoclose int fd = -1;
	int r = engine_start_blank(en, spec, &fd, e);

	if (r < 0)
		return r;
	r = snapshot_create(en, &in, &how, &s, e);
	auto_close(&fd); /* which ends it */
	if (r == 0)
		return truth_wait_idle(en, spec, e);
	truth_wait_idle(en, spec, NULL);
	return say_why(en, spec, r, e);
}

static int make(struct engine *en, const struct warm *w, struct err *e)
{
	struct instance in = { .state.status = STATUS_EXITED };
	int r = make_spec(w, &in.spec, e);
	bool recorded = false;

	if (r == 0) {
		r = engine_record(en, &in.spec, e);
		recorded = r == 0;
	}
	if (r == 0)
		r = boot_and_save(en, &in.spec, e);
	if (r < 0 && recorded)
		engine_remove(en, &in, REMOVE_FORCE, NULL);
	instance_done(&in);
	return r;
}

/* --- those that fit nothing any more */

/* Would a request for this image come to it? */
static bool is_stale(struct engine *en, const struct instance *in)
{
	AUTO(image_done) struct image im = { 0 };
	AUTO(snapshot_done) struct snapshot s = { 0 };
	char key[SHA256_HEX];

	return image_find(en->images, in->spec.image, &im, NULL) < 0 ||
	       strcmp(im.id, in->spec.image_id) != 0 || warm_key_now(en, &in->spec, key, NULL) < 0 ||
	       strcmp(key, strv_env_get(&in->spec.labels, WARM_LABEL)) != 0 ||
	       snapshot_find(en, in, TEMPLATE_SNAPSHOT, &s, NULL) < 0;
}

/* Also halves: nobody else makes one now. */
static void sweep(struct engine *en)
{
	struct instance *all;
	size_t n;

	if (engine_list(en, true, &all, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (warm_is(&all[i].spec) && is_stale(en, &all[i]))
			engine_remove(en, &all[i], REMOVE_FORCE, NULL);
	instances_free(all, n);
}

static bool is_there(struct engine *en, const struct warm *w)
{
	AUTO(instance_done) struct instance in = { 0 };
	AUTO(snapshot_done) struct snapshot s = { 0 };

	return warm_find(en, w, &in, &s, NULL) == 0;
}

int warm_make(struct engine *en, const struct warm *w, struct err *e)
{
	autofree char *line = str_printf("a machine boots, to be kept for --warm of %s", w->like.image);
	autoclose int held = -1;

	if (is_there(en, w))
		return 0;
	held = image_store_lock(en->images, "warm", LOCK_S, "ketch run --warm", e); /* one at a time */
	if (held < 0)
		return held;
	if (is_there(en, w)) /* by now: another was at it */
		return 0;
	if (line && en->progress)
		en->progress(en->progress_arg, line);
	sweep(en);
	warm_drop(en, w);
	return make(en, w, e);
}
