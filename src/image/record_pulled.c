/* record_pulled.c - what the database knows of registries: digests, manifests, and which blob is which layer */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "image/store_int.h"

int record_add_digest(struct image_store *s, const char *id, const char *name, const char *digest,
		      struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st =
		db_sql(s->db, "INSERT OR REPLACE INTO image_digest (name, digest, image) VALUES (?, ?, ?)");

	db_bind_text(&st, name);
	db_bind_text(&st, digest);
	db_bind_text(&st, id);
	return db_run(&st, e);
}

int record_add_manifest(struct image_store *s, const char *id, const char *digest, const char *text,
			struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st =
		db_sql(s->db, "INSERT OR REPLACE INTO image_manifest (digest, image, text) VALUES (?, ?, ?)");

	db_bind_text(&st, digest);
	db_bind_text(&st, id);
	db_bind_text(&st, text);
	return db_run(&st, e);
}

int record_add_blob(struct image_store *s, const char *digest, const char *diff_id, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st =
		db_sql(s->db, "INSERT OR REPLACE INTO layer_blob (digest, diff_id) VALUES (?, ?)");

	db_bind_text(&st, digest);
	db_bind_text(&st, diff_id);
	return db_run(&st, e);
}

/* All values of the first column. */
static int list(struct db_stmt *st, struct strv *ret, struct err *e)
{
	int r;

	while ((r = db_step(st, e)) > 0)
		if (strv_add(ret, db_text(st, 0)) < 0)
			return err_set(e, ENOMEM, "out of memory");
	return r;
}

/* The first value, or NULL. */
static int first(struct db_stmt *st, char **ret, struct err *e)
{
	int r = db_step(st, e);

	if (r < 0)
		return r;
	*ret = r ? strdup(db_text(st, 0)) : NULL;
	return r && !*ret ? err_set(e, ENOMEM, "out of memory") : 0;
}

int record_list_blobs(struct image_store *s, struct strv *ret, struct err *e)
{
	AUTO(db_stmt_done) struct db_stmt st = db_sql(s->db, "SELECT digest, diff_id FROM layer_blob");
	int r;

	while ((r = db_step(&st, e)) > 0)
		if (store_layer_is_here(s, db_text(&st, 1)) && strv_add(ret, db_text(&st, 0)) < 0)
			return err_set(e, ENOMEM, "out of memory");
	return r;
}

int record_layer_of_blob(struct image_store *s, const char *digest, char **ret, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(s->db, "SELECT diff_id FROM layer_blob WHERE digest = ?");
	int r;

	db_bind_text(&st, digest);
	r = first(&st, ret, e);
	if (r == 0 && *ret && !store_layer_is_here(s, *ret)) {
		free(*ret);
		*ret = NULL;
	}
	return r;
}

int record_digests(struct image_store *s, const char *id, struct strv *ret, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st =
		db_sql(s->db, "SELECT name || '@' || digest FROM image_digest WHERE image = ? ORDER BY 1");

	db_bind_text(&st, id);
	return list(&st, ret, e);
}

int record_last_digest(struct image_store *s, const char *id, const char *name, char **ret, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(s->db, "SELECT digest FROM image_digest WHERE image = ? AND name = ?"
					  " ORDER BY rowid DESC LIMIT 1");

	db_bind_text(&st, id);
	db_bind_text(&st, name);
	return first(&st, ret, e);
}

int record_manifest(struct image_store *s, const char *id, char **ret_digest, char **ret_text, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st =
		db_sql(s->db, "SELECT digest, text FROM image_manifest WHERE image = ? ORDER BY rowid DESC");
	int r;

	db_bind_text(&st, id);
	r = db_step(&st, e);
	if (r <= 0)
		return r;
	*ret_digest = strdup(db_text(&st, 0));
	*ret_text = strdup(db_text(&st, 1));
	return *ret_digest && *ret_text ? 0 : err_set(e, ENOMEM, "out of memory");
}
