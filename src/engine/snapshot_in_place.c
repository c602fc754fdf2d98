/* snapshot_in_place.c - a machine that runs goes back to the snapshot from which it was restored, and is not ended for it
 *
 * No record changes: what the instance stands on, and its configuration, are those of the snapshot already, or it is refused.
 * The uppermost layer is emptied by who writes to it (storage/qcow2.h).
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "engine/ask.h"
#include "engine/snapshot.h"

/* Nothing was sealed since: what it writes to stands on the snapshot. */
static int check_layers(struct engine *en, const struct instance *in, const struct snapshot *s, struct err *e)
{
	AUTO(writable_done) struct writable w = { 0 };
	int r = writable_find(en->db, in->spec.id, &w, e);

	if (r == 0 &&
	    (!w.snapshot || strcmp(w.snapshot, s->id) != 0 || !w.below || strcmp(w.below, s->layer) != 0))
		r = err_set(e, ENOTSUP,
			    "%s does not stand on the snapshot %s, or others were made since: it goes back "
			    "there with --stop, and not in place",
			    in->spec.name, s->name);
	return r;
}

static int print_spec(const struct instance_spec *s, struct buf *ret, struct err *e)
{
	return json_print(&instance_spec_table, s, 0, ret) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int check_configuration(struct engine *en, const struct instance *in, const struct snapshot *s,
			       struct err *e)
{
	AUTO(buf_done) struct buf was = { 0 }, is = { 0 };
	struct instance_spec spec = { 0 };
	int r = snapshot_spec(s, &spec, e);

	if (r == 0)
		r = snapshot_keep_later(en, in->spec.id, &spec, e);
	if (r == 0)
		r = print_spec(&spec, &was, e);
	if (r == 0)
		r = print_spec(&in->spec, &is, e);
	json_done(&instance_spec_table, &spec);
	if (r == 0 && (was.len != is.len || memcmp(was.data, is.data, is.len) != 0))
		r = err_set(e, ENOTSUP,
			    "the configuration of %s has changed since the snapshot %s: it goes back there "
			    "with --stop, and not in place",
			    in->spec.name, s->name);
	return r;
}

static int check(struct engine *en, const struct instance *in, const struct snapshot *s, struct err *e)
{
	int r = 0;

	if (in->spec.isolation != ISOLATION_VM)
		return err_set(e, ENOTSUP, "%s is a container: virtual machines alone go back in place",
			       in->spec.name);
	if (in->spec.snapshots.every_ns)
		return err_set(
			e, ENOTSUP,
			"%s has snapshots made (--snapshot-every), and so keeps the state before: not in "
			"place",
			in->spec.name);
	if (!s->memory.format)
		return err_set(e, ENOENT, "snapshot %s holds no memory", s->name);
	r = check_layers(en, in, s, e);
	return r < 0 ? r : check_configuration(en, in, s, e);
}

int snapshot_rollback_in_place(struct engine *en, const struct instance *in, const char *name, struct err *e)
{
	AUTO(snapshot_done) struct snapshot s = { 0 };
	autoclose int all = -1, monitor = -1;
	int r = snapshots_lock(en, &in->spec, &all, e);

	if (r == 0)
		r = snapshot_find(en, in, name, &s, e);
	if (r == 0)
		r = check(en, in, &s, e);
	if (r == 0)
		r = engine_save(en, in, &monitor, SAVE_BACK, s.id, e);
	if (r == 0)
		engine_tell(en, &in->spec, "rollback", NULL);
	return r;
}
