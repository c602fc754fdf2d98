/* layer.c - writable layers in ROOT/ketch.db */
#include "storage/layer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"

static const char *const schema[] = {
	"CREATE TABLE writable_layer (id TEXT PRIMARY KEY, below TEXT REFERENCES writable_layer (id)) "
	"WITHOUT ROWID;"
	"CREATE INDEX writable_layer_below ON writable_layer (below);"
	"CREATE TABLE writable (instance TEXT PRIMARY KEY REFERENCES instance (id) ON DELETE CASCADE,"
	" top TEXT NOT NULL UNIQUE REFERENCES writable_layer (id), snapshot TEXT) WITHOUT ROWID;"
	"CREATE TABLE snapshot (id TEXT PRIMARY KEY,"
	" instance TEXT NOT NULL REFERENCES instance (id) ON DELETE CASCADE, name TEXT NOT NULL, parent TEXT,"
	" layer TEXT REFERENCES writable_layer (id), image_id TEXT NOT NULL, created INTEGER NOT NULL,"
	" doc TEXT NOT NULL, UNIQUE (instance, name)) WITHOUT ROWID;"
	"CREATE INDEX snapshot_layer ON snapshot (layer);"
	"CREATE INDEX snapshot_image ON snapshot (image_id);",
};

int storage_init(struct db *db, struct err *e)
{
	return db_schema(db, "storage", schema, ARRAY_LEN(schema), e);
}

void writable_done(struct writable *w)
{
	free(w->top);
	free(w->below);
	free(w->snapshot);
	*w = (struct writable){ 0 };
}

static char *text_or_null(const struct db_stmt *st, int column)
{
	const char *text = db_text(st, column);

	return *text ? strdup(text) : NULL;
}

int writable_find(struct db *db, const char *instance, struct writable *ret, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(db, "SELECT w.top, l.below, w.snapshot FROM writable w"
				       " JOIN writable_layer l ON l.id = w.top WHERE w.instance = ?");
	int r;

	db_bind_text(&st, instance);
	r = db_step(&st, e);
	if (r < 0)
		return r;
	*ret = (struct writable){ .top = r ? text_or_null(&st, 0) : strdup(instance) };
	if (r) {
		ret->below = text_or_null(&st, 1);
		ret->snapshot = text_or_null(&st, 2);
	}
	if (ret->top && (!r || !*db_text(&st, 1) == !ret->below))
		return 0;
	writable_done(ret);
	return err_set(e, ENOMEM, "out of memory");
}

int layer_add(struct db *db, const char *id, const char *below, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(db, "INSERT INTO writable_layer (id, below) VALUES (?, ?)");

	db_bind_text(&st, id);
	db_bind_text(&st, below);
	return db_run(&st, e);
}

int layer_is_known(struct db *db, const char *id, bool *ret, struct err *e)
{
	AUTO(db_stmt_done) struct db_stmt st = db_sql(db, "SELECT 1 FROM writable_layer WHERE id = ?");
	int r;

	db_bind_text(&st, id);
	r = db_step(&st, e);
	if (r < 0)
		return r;
	*ret = r > 0;
	return 0;
}

int writable_set(struct db *db, const char *instance, const char *top, const char *below,
		 const char *snapshot, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st =
		db_sql(db, "INSERT INTO writable (instance, top, snapshot) VALUES (?, ?, ?) ON CONFLICT"
			   " (instance) DO UPDATE SET top = excluded.top, snapshot = excluded.snapshot");
	bool known;
	int r = layer_is_known(db, top, &known, e);

	if (r == 0 && !known)
		r = layer_add(db, top, below, e);
	if (r < 0)
		return r;
	db_bind_text(&st, instance);
	db_bind_text(&st, top);
	db_bind_text(&st, snapshot);
	return db_run(&st, e);
}

static void reverse(struct strv *list)
{
	for (size_t i = 0, j = list->n; i + 1 < j; i++) {
		char *last = list->v[--j];

		list->v[j] = list->v[i];
		list->v[i] = last;
	}
}

int layer_chain(struct db *db, const char *id, struct strv *ret, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st =
		db_sql(db, "WITH RECURSIVE chain (id, n) AS (SELECT ?, 1 UNION ALL"
			   " SELECT l.below, n + 1 FROM chain JOIN writable_layer l ON l.id = chain.id"
			   " WHERE l.below IS NOT NULL AND n <= ?) SELECT id FROM chain ORDER BY n");
	int r;

	if (!id)
		return 0;
	db_bind_text(&st, id);
	db_bind_i64(&st, LAYERS_MOST);
	while ((r = db_step(&st, e)) > 0)
		if (strv_add(ret, db_text(&st, 0)) < 0)
			return err_set(e, ENOMEM, "out of memory");
	if (r == 0 && ret->n > LAYERS_MOST)
		return err_set(e, EMLINK,
			       "it stands on more than %d layers that are still needed: remove "
			       "snapshots, or commit it to an image and go on from that",
			       LAYERS_MOST);
	reverse(ret);
	return r;
}

int layers_of(struct db *db, const char *instance, struct strv *ret, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st =
		db_sql(db, "WITH RECURSIVE needed (id) AS (SELECT top FROM writable WHERE instance = ?"
			   " UNION SELECT layer FROM snapshot WHERE instance = ? AND layer IS NOT NULL"
			   " UNION SELECT l.below FROM needed JOIN writable_layer l ON l.id = needed.id"
			   " WHERE l.below IS NOT NULL) SELECT id FROM needed");
	int r;

	db_bind_text(&st, instance);
	db_bind_text(&st, instance);
	while ((r = db_step(&st, e)) > 0)
		if (strv_add(ret, db_text(&st, 0)) < 0)
			return err_set(e, ENOMEM, "out of memory");
	return r;
}

/* --- two become one */

void layer_pair_done(struct layer_pair *p)
{
	free(p->lower);
	free(p->upper);
	free(p->below);
	*p = (struct layer_pair){ 0 };
}

int layer_pair_find(struct db *db, const char *instance, const char *after, struct layer_pair *ret,
		    struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(
		db,
		"WITH RECURSIVE needed (id, instance) AS (SELECT top, instance FROM writable"
		" UNION SELECT layer, instance FROM snapshot WHERE layer IS NOT NULL"
		" UNION SELECT l.below, n.instance FROM needed n JOIN writable_layer l ON l.id = n.id"
		" WHERE l.below IS NOT NULL)"
		" SELECT l.id, u.id, l.below FROM writable_layer l JOIN writable_layer u ON u.below = l.id"
		" WHERE l.id > ? AND l.id NOT IN (SELECT top FROM writable)"
		" AND l.id NOT IN (SELECT layer FROM snapshot WHERE layer IS NOT NULL)"
		" AND (SELECT count(*) FROM writable_layer o WHERE o.below = l.id) = 1"
		" AND l.id IN (SELECT id FROM needed WHERE instance = ?)"
		" AND l.id NOT IN (SELECT id FROM needed WHERE instance <> ?) ORDER BY l.id LIMIT 1");
	int r;

	db_bind_text(&st, after);
	db_bind_text(&st, instance);
	db_bind_text(&st, instance);
	r = db_step(&st, e);
	if (r <= 0)
		return r;
	*ret = (struct layer_pair){ strdup(db_text(&st, 0)), strdup(db_text(&st, 1)), text_or_null(&st, 2) };
	if (ret->lower && ret->upper && !*db_text(&st, 2) == !ret->below)
		return 1;
	layer_pair_done(ret);
	return err_set(e, ENOMEM, "out of memory");
}

int layer_pair_merge(struct db *db, const struct layer_pair *p, struct err *e)
{
	static const char *const changes[] = {
		"UPDATE snapshot SET layer = ?1 WHERE layer = ?2",
		"UPDATE writable_layer SET below = ?1 WHERE below = ?2",
		"UPDATE writable SET top = ?1 WHERE top = ?2",
		"DELETE FROM writable_layer WHERE id = ?2 AND id <> ?1",
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(changes) && r == 0; i++) {
		AUTO(db_stmt_done) struct db_stmt st = db_sql(db, changes[i]);

		db_bind_text(&st, p->lower);
		db_bind_text(&st, p->upper);
		r = db_run(&st, e);
	}
	return r;
}

int layers_forget(struct db *db, struct err *e)
{
	int r = 1;

	/* each round takes the leaves; most have one */
	while (r > 0) {
		AUTO(db_stmt_done)
		struct db_stmt st =
			db_sql(db, "DELETE FROM writable_layer WHERE id NOT IN (SELECT top FROM writable)"
				   " AND id NOT IN (SELECT layer FROM snapshot WHERE layer IS NOT NULL)"
				   " AND id NOT IN (SELECT below FROM writable_layer WHERE below IS NOT NULL)"
				   " RETURNING id");
		int k;

		r = 0;
		while ((k = db_step(&st, e)) > 0)
			r = 1;
		if (k < 0)
			return k;
	}
	return r;
}
