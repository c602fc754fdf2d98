/* remove.c - taking names and images away */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "image/store_int.h"

#define UNTAGGED "Untagged: "

/* What a removal is about, found out within its transaction. */
struct removal {
	struct image_store *store;
	char *id;
	char *ref; /* NULL: the image was named by its id */
	struct strv refs; /* all of the image */
	struct strv *lines;
};

static void removal_done(struct removal *m)
{
	free(m->id);
	free(m->ref);
	strv_done(&m->refs);
}

static int delete_by(struct image_store *s, const char *sql, const char *value, struct err *e)
{
	AUTO(db_stmt_done) struct db_stmt st = db_sql(s->db, sql);

	if (value)
		db_bind_text(&st, value);
	return db_run(&st, e);
}

static int untag(struct removal *m, const char *ref, struct err *e)
{
	int r = delete_by(m->store, "DELETE FROM image_ref WHERE ref = ?", ref, e);

	if (r == 0 && strv_addf(m->lines, UNTAGGED "%s", ref) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	return r;
}

static int delete_image(struct removal *m, struct err *e)
{
	int r = delete_by(m->store, "DELETE FROM image WHERE id = ?", m->id, e);

	if (r == 0 && strv_addf(m->lines, "Deleted: %s", m->id) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	return r < 0 ? r
		     : delete_by(m->store,
				 "DELETE FROM layer WHERE diff_id NOT IN (SELECT layer FROM image_layer)",
				 NULL, e);
}

/* The records alone.  By a name: that name goes, and with the last one the image.  By id: all of it, but several
 * names want `force`, as Docker has it. */
static int remove_records(struct removal *m, bool in_use, bool force, struct err *e)
{
	bool last = !m->ref || m->refs.n == 1;
	int r = 0;

	if (last && in_use && !force)
		return err_set(e, EBUSY, "image %s is in use by an instance", m->ref ? m->ref : m->id);
	if (!m->ref && m->refs.n > 1 && !force)
		return err_set(e, EBUSY,
			       "image %.19s has %zu names: remove them one by one, or all with force", m->id,
			       m->refs.n);
	if (m->ref)
		r = untag(m, m->ref, e);
	for (size_t i = 0; !m->ref && r == 0 && i < m->refs.n; i++)
		r = untag(m, m->refs.v[i], e);
	return r == 0 && last && !in_use ? delete_image(m, e) : r;
}

/* In Docker's words: what was untagged by its name, what was deleted by its id. */
static void tell(const struct removal *m)
{
	for (size_t i = 0; i < m->lines->n; i++) {
		const char *line = m->lines->v[i];

		if (!strncmp(line, UNTAGGED, strlen(UNTAGGED)))
			store_tell(m->store, "untag", m->id, line + strlen(UNTAGGED));
		else
			store_tell(m->store, "delete", m->id, NULL);
	}
}

static int remove_once(struct image_store *s, const char *ref, bool in_use, bool force,
		       struct strv *ret_lines, struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	AUTO(strv_done) struct strv lines = { 0 };
	AUTO(removal_done) struct removal m = { .store = s, .lines = &lines };
	int r = db_begin(s->db, &tx, e);

	if (r == 0)
		r = record_resolve(s, ref, &m.id, &m.ref, e);
	if (r == 0)
		r = record_refs(s, m.id, &m.refs, e);
	if (r == 0)
		r = remove_records(&m, in_use, force, e);
	if (r == 0)
		r = db_commit(&tx, e);
	if (r < 0)
		return r;
	tell(&m);
	*ret_lines = lines;
	lines = (struct strv){ 0 };
	return 0;
}

int image_remove(struct image_store *s, const char *ref, bool in_use, bool force, struct strv *ret_lines,
		 struct err *e)
{
	int r = remove_once(s, ref, in_use, force, ret_lines, e);

	if (r == -ENOSPC && db_spend_reserve(s->db))
		r = remove_once(s, ref, in_use, force, ret_lines, e);
	if (r < 0)
		return r;
	/* the image is gone; should its data stay for now, the next job sweeps it */
	store_sweep(s, NULL);
	return 0;
}
