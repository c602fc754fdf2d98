/* export_instance.c - ketch export --instance: an instance with its snapshots as one archive
 *
 * How it works: what it is now becomes a snapshot, which goes again at the end; so all states are read in the same way, and
 * those that run stand still for no longer than for a snapshot.  Each state is an image in the archive: that of the
 * instance with one layer more, which is what it has written, as `commit` fetches it.  Each volume in a state is an image of one
 * layer.  The last image is that of what it is now, with the document about all of them (instance/exported.h).
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "cli/exported.h"
#include "cli/fetcher.h"
#include "engine/export.h"
#include "engine/snapshot_files.h"
#include "image/image_archive.h"
#include "instance/exported.h"
#include "oci/reference.h"

#define CREATED_BY "ketch export"
#define NAMES	   "instance/" /* so that `load` takes nobody's name away */

struct exporting {
	struct engine *en;
	const struct instance *in;
	struct image_archive *archive;
	struct exported x;
	struct buf no_memory; /* snapshots whose memory stays here */
};

static void exporting_done(struct exporting *ex)
{
	image_archive_free(ex->archive);
	exported_done(&ex->x);
	buf_done(&ex->no_memory);
}

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

/* --- volumes */

static int put_volume(struct exporting *ex, const struct snapshot *s, const char *volume,
		      struct exported_volume *to, struct err *e)
{
	AUTO(image_spool_done) struct image_spool layer = { .fd = -1 };
	const struct image_top top = { .layer = &layer, .created_by = CREATED_BY };
	autoclose int dir = export_volume_open(ex->en, s, volume, &to->fresh, e);
	int r = dir < 0 ? dir : image_spool_tree(engine_images(ex->en), dir, &layer, e);

	to->name = strdup(volume);
	if (r == 0 && !to->name)
		r = no_memory(e);
	if (r == 0)
		r = image_archive_add(ex->archive, NULL, &top, NULL, &to->image, e);
	return r < 0 ? err_wrap(e, r, "volume %s", volume) : 0;
}

static int put_volumes(struct exporting *ex, const struct snapshot *s, struct exported_state *to,
		       struct err *e)
{
	int r = 0;

	to->volumes = calloc(s->volumes.n + 1, sizeof(*to->volumes));
	if (!to->volumes)
		return no_memory(e);
	for (size_t i = 0; i < s->volumes.n && r == 0; i++)
		r = put_volume(ex, s, s->volumes.v[i], &to->volumes[to->n_volumes++], e);
	return r;
}

/* --- the root */

/* What it had written in that state. */
static int fetch_layer(struct exporting *ex, const struct snapshot *s, struct image_spool *ret, struct err *e)
{
	AUTO(snapshot_files_done) struct snapshot_files files = { 0 };
	struct fetcher f = { .pid = -1 };
	int fd = -1, k, r = snapshot_files_open(ex->en, ex->in, s->id, &files, &fd, e);

	if (r == 0)
		r = fetcher_start(fd, ex->in->spec.name, false, &f, e);
	if (r < 0)
		return r;
	r = image_spool_stream(engine_images(ex->en), f.layer_fd, ret, e);
	k = fetcher_end(&f, r < 0 ? NULL : e);
	if (k > 0) /* it has told the reason itself */
		k = err_set(e, EIO, "what %s has written cannot be read", ex->in->spec.name);
	return r < 0 ? r : k;
}

/* "instance/web:before", where that can be the name of an image; NULL. */
static char *name_of(const struct exporting *ex, const struct exported_state *s)
{
	AUTO(reference_done) struct reference ref = { 0 };
	autofree char *text = str_printf(NAMES "%s:%s", ex->in->spec.name, s->name ? s->name : "latest");

	return text && reference_parse(text, &ref, NULL) == 0 ? take_ptr(text) : NULL;
}

/* document: of the last state; NULL. */
static int put_root(struct exporting *ex, const struct snapshot *s, const struct exported_state *state,
		    const struct buf *document, char **ret_id, struct err *e)
{
	AUTO(image_spool_done) struct image_spool layer = { .fd = -1 };
	const struct image_top top = { .layer = &layer,
				       .created_by = CREATED_BY,
				       .key = document ? EXPORTED_KEY : NULL,
				       .value = document };
	autofree char *name = name_of(ex, state);
	int r = fetch_layer(ex, s, &layer, e);

	return r == 0 ? image_archive_add(ex->archive, s->image_id, &top, name, ret_id, e) : r;
}

/* --- states */

static const char *name_by_id(const struct snapshot *list, size_t n, const char *id)
{
	for (size_t i = 0; id && i < n; i++)
		if (!strcmp(list[i].id, id))
			return list[i].name;
	return NULL;
}

/* Of what is now there is neither a name nor an age. */
static int describe(const struct snapshot *s, const char *parent, bool now, struct exported_state *to,
		    struct err *e)
{
	if (str_copy(parent, &to->parent) < 0)
		return no_memory(e);
	if (!now) {
		if (str_copy(s->name, &to->name) < 0 || str_copy(s->description, &to->description) < 0)
			return no_memory(e);
		to->created_ns = s->created_ns;
		to->expires_ns = s->expires_ns;
		to->automatic = s->automatic;
		to->live = s->live;
		to->memory = s->memory.format;
	}
	return snapshot_spec(s, &to->spec, e);
}

static int put_snapshots(struct exporting *ex, const struct snapshot *list, size_t n, struct err *e)
{
	struct exported *x = &ex->x;
	int r = 0;

	x->snapshots = calloc(n + 1, sizeof(*x->snapshots));
	if (!x->snapshots)
		return no_memory(e);
	for (size_t i = 0; i < n && r == 0; i++) {
		struct exported_state *to = &x->snapshots[x->n_snapshots++];

		r = describe(&list[i], name_by_id(list, n, list[i].parent), false, to, e);
		if (r == 0)
			r = put_volumes(ex, &list[i], to, e);
		if (r == 0)
			r = put_root(ex, &list[i], to, NULL, &to->image, e);
		if (r == 0 && to->memory)
			buf_addf(&ex->no_memory, "%s%s", ex->no_memory.len ? ", " : "", to->name);
	}
	return r;
}

static int put_now(struct exporting *ex, const struct snapshot *now, const char *parent, struct err *e)
{
	AUTO(buf_done) struct buf document = { 0 };
	autofree char *id = NULL;
	int r = describe(now, parent, true, &ex->x.now, e);

	if (r == 0)
		r = put_volumes(ex, now, &ex->x.now, e);
	if (r == 0 && json_print(&exported_table, &ex->x, 0, &document) < 0)
		r = no_memory(e);
	return r == 0 ? put_root(ex, now, &ex->x.now, &document, &id, e) : r;
}

/* Before anything is written: what cannot be imported need not be exported. */
static int check_number(const struct snapshot *list, size_t n, const struct snapshot *now, struct err *e)
{
	size_t images = 1 + n + now->volumes.n;

	for (size_t i = 0; i < n; i++)
		images += list[i].volumes.n;
	return images <= EXPORTED_MOST ? 0
				       : err_set(e, E2BIG,
						 "it has %zu snapshots and volumes in them: an archive takes "
						 "%d (--no-volumes leaves volumes, snapshot rm snapshots)",
						 images, EXPORTED_MOST);
}

static int write_states(struct exporting *ex, struct snapshot *list, size_t n, const struct snapshot *now,
			bool no_volumes, struct err *e)
{
	int r;

	for (size_t i = 0; i < n && no_volumes; i++)
		strv_done(&list[i].volumes);
	r = check_number(list, n, now, e);
	if (r == 0)
		r = put_snapshots(ex, list, n, e);
	return r == 0 ? put_now(ex, now, name_by_id(list, n, now->parent), e) : r;
}

static int write_archive(struct engine *en, const struct instance *in, const struct snapshot *now,
			 bool no_volumes, int out_fd, struct err *e)
{
	AUTO(exporting_done)
	struct exporting ex = { .en = en, .in = in, .x = { .version = EXPORTED_VERSION } };
	struct snapshot *list = NULL;
	size_t n = 0;
	int r = image_archive_begin(engine_images(en), out_fd, &ex.archive, e);

	if (r == 0)
		r = snapshot_list(en, in, &list, &n, e);
	if (r == 0)
		r = write_states(&ex, list, n, now, no_volumes, e);
	snapshots_free(list, n);
	if (r == 0)
		r = image_archive_end(ex.archive, e);
	if (r == 0 && ex.no_memory.len)
		log_warn("without the memory of %s: only this store can restore it", ex.no_memory.data);
	return r;
}

int export_instance(struct engine *en, const struct instance *in, bool no_volumes, int out_fd, struct err *e)
{
	AUTO(snapshot_done) struct snapshot now = { 0 };
	int k, r = export_begin(en, in, no_volumes, &now, e);

	if (r < 0)
		return r;
	r = write_archive(en, in, &now, no_volumes, out_fd, e);
	k = snapshot_remove(en, in, now.id, r < 0 ? NULL : e);
	return r < 0 ? r : k;
}
