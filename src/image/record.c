/* record.c - what the database knows: images, their names and their layers */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "image/store_int.h"
#include "oci/reference.h"

#define PREFIX_MIN 4 /* hex digits of an id that are taken for one */

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

/* Runs a query for one text value: 1 and *ret, 0 (no row), or -errno. */
static int query_text(struct db_stmt *st, char **ret, struct err *e)
{
	int r = db_step(st, e);

	if (r <= 0)
		return r;
	*ret = strdup(db_text(st, 0));
	return *ret ? 1 : no_memory(e);
}

static int find_id(struct image_store *s, const struct digest *id, char **ret, struct err *e)
{
	AUTO(db_stmt_done) struct db_stmt st = db_sql(s->db, "SELECT id FROM image WHERE id = ?");
	char text[DIGEST_TEXT];

	digest_text(id, text);
	db_bind_text(&st, text);
	return query_text(&st, ret, e);
}

/* The images whose id begins with `prefix`, "sha256:" or not: one is it, two are an error. */
static int find_prefix(struct image_store *s, const char *prefix, char **ret, struct err *e)
{
	const char *hex = strncmp(prefix, "sha256:", 7) ? prefix : prefix + 7;
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(s->db, "SELECT id FROM image WHERE id GLOB 'sha256:' || ? || '*' LIMIT 2");
	int r;

	if (strlen(hex) < PREFIX_MIN || strlen(hex) > 64 || strspn(hex, "0123456789abcdef") != strlen(hex))
		return 0;
	db_bind_text(&st, hex);
	r = query_text(&st, ret, e);
	if (r > 0 && db_step(&st, e) > 0)
		return err_set(e, EINVAL, "the id %s is not unique: give more of it", hex);
	return r;
}

/* name@sha256:...: the digest of the manifest or of the config, under that name. */
static int find_name_digest(struct image_store *s, const struct reference *ref, char **ret, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st =
		db_sql(s->db, "SELECT id FROM image JOIN image_ref ON image = id WHERE"
			      " (manifest = ?1 OR id = ?1) AND"
			      " (ref GLOB ?2 || ':*' OR ref GLOB ?2 || '@*') UNION ALL"
			      " SELECT image FROM image_digest WHERE digest = ?1 AND name = ?2 LIMIT 1");
	char text[DIGEST_TEXT];

	digest_text(&ref->digest, text);
	db_bind_text(&st, text);
	db_bind_text(&st, ref->name);
	return query_text(&st, ret, e);
}

static int find_ref(struct image_store *s, const char *ref, char **ret, struct err *e)
{
	AUTO(db_stmt_done) struct db_stmt st = db_sql(s->db, "SELECT image FROM image_ref WHERE ref = ?");

	db_bind_text(&st, ref);
	return query_text(&st, ret, e);
}

/* 1: found; 0: not; bad names are errors. */
static int resolve_name(struct image_store *s, const char *name, char **ret_id, char **ret_ref, struct err *e)
{
	AUTO(reference_done) struct reference ref = { 0 };
	autofree char *text = NULL;
	int r = reference_parse(name, &ref, e);

	if (r < 0)
		return r;
	if (ref.has_digest)
		return find_name_digest(s, &ref, ret_id, e);
	text = reference_text(&ref);
	if (!text)
		return no_memory(e);
	r = find_ref(s, text, ret_id, e);
	if (r > 0)
		*ret_ref = take_ptr(text);
	return r;
}

int record_resolve(struct image_store *s, const char *ref, char **ret_id, char **ret_ref, struct err *e)
{
	autofree char *whole = strlen(ref) == 64 ? str_printf("sha256:%s", ref) : NULL;
	char *id = NULL, *name = NULL;
	struct digest d;
	int r, bad = 0;

	if (digest_parse(whole ? whole : ref, &d) == 0) {
		r = find_id(s, &d, &id, e);
	} else {
		bad = r = resolve_name(s, ref, &id, &name, e);
		if (r == 0)
			r = find_prefix(s, ref, &id, e);
	}
	if (r > 0) {
		*ret_id = id;
		*ret_ref = name;
		return 0;
	}
	free(id);
	return r < 0 || bad < 0 ? r : err_set(e, ENOENT, "no such image: %s", ref);
}

int record_refs(struct image_store *s, const char *id, struct strv *ret, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(s->db, "SELECT ref FROM image_ref WHERE image = ? ORDER BY ref");
	int r;

	db_bind_text(&st, id);
	while ((r = db_step(&st, e)) > 0)
		if (strv_add(ret, db_text(&st, 0)) < 0)
			return no_memory(e);
	return r;
}

int record_list_layers(struct image_store *s, struct strv *ret, struct err *e)
{
	AUTO(db_stmt_done) struct db_stmt st = db_sql(s->db, "SELECT diff_id FROM layer");
	int r;

	while ((r = db_step(&st, e)) > 0)
		if (store_layer_is_here(s, db_text(&st, 0)) && strv_add(ret, db_text(&st, 0)) < 0)
			return no_memory(e);
	return r;
}

int record_has_layer(struct image_store *s, const char *diff_id, bool *ret, struct err *e)
{
	AUTO(db_stmt_done) struct db_stmt st = db_sql(s->db, "SELECT 1 FROM layer WHERE diff_id = ?");
	int r;

	db_bind_text(&st, diff_id);
	r = db_step(&st, e);
	if (r >= 0)
		*ret = r > 0 && store_layer_is_here(s, diff_id);
	return r < 0 ? r : 0;
}

int record_add_layer(struct image_store *s, const struct layer_record *l, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st =
		db_sql(s->db, "INSERT INTO layer (diff_id, size_bytes, verity, tar_bytes, packages)"
			      " VALUES (?, ?, ?, nullif(?, 0), ?) ON CONFLICT (diff_id) DO UPDATE SET"
			      " size_bytes = excluded.size_bytes, verity = excluded.verity,"
			      " tar_bytes = excluded.tar_bytes, packages = excluded.packages");

	db_bind_text(&st, l->diff_id);
	db_bind_i64(&st, (int64_t)l->size_bytes);
	db_bind_text(&st, l->verity);
	db_bind_i64(&st, (int64_t)l->tar_bytes);
	db_bind_text(&st, l->packages);
	return db_run(&st, e);
}

int record_tar_bytes(struct image_store *s, const char *diff_id, uint64_t *ret, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(s->db, "SELECT coalesce(tar_bytes, 0) FROM layer WHERE diff_id = ?");
	int r;

	db_bind_text(&st, diff_id);
	r = db_step(&st, e);
	if (r < 0)
		return r;
	*ret = r ? (uint64_t)db_i64(&st, 0) : 0;
	return 0;
}

int record_layer_sums(struct image_store *s, const char *diff_id, struct layer_sums *ret, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(s->db, "SELECT coalesce(verity, ''), coalesce(packages, '') FROM layer"
					  " WHERE diff_id = ?");
	int r;

	*ret = (struct layer_sums){ .verity = "" };
	db_bind_text(&st, diff_id);
	r = db_step(&st, e);
	if (r <= 0)
		return r;
	strncat(ret->verity, db_text(&st, 0), sizeof(ret->verity) - 1);
	strncat(ret->packages, db_text(&st, 1), sizeof(ret->packages) - 1);
	return 0;
}

static int add_image_row(struct image_store *s, const struct image_record *im, const char *id, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(s->db, "INSERT INTO image (id, manifest, created_ns) VALUES (?, ?, ?)"
					  " ON CONFLICT (id) DO UPDATE SET"
					  " manifest = coalesce(excluded.manifest, manifest)");
	char manifest[DIGEST_TEXT];

	digest_text(&im->manifest, manifest);
	db_bind_text(&st, id);
	db_bind_text(&st, im->has_manifest ? manifest : NULL);
	db_bind_i64(&st, im->created_ns);
	return db_run(&st, e);
}

static int add_image_layer(struct image_store *s, const char *id, size_t place, const char *layer,
			   struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st =
		db_sql(s->db, "INSERT OR REPLACE INTO image_layer (image, place, layer) VALUES (?, ?, ?)");

	db_bind_text(&st, id);
	db_bind_i64(&st, (int64_t)place);
	db_bind_text(&st, layer);
	return db_run(&st, e);
}

static int add_ref(struct image_store *s, const char *id, const char *ref, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(s->db, "INSERT OR REPLACE INTO image_ref (ref, image) VALUES (?, ?)");

	db_bind_text(&st, ref);
	db_bind_text(&st, id);
	return db_run(&st, e);
}

int record_add_image(struct image_store *s, const struct image_record *im, struct err *e)
{
	char id[DIGEST_TEXT];
	int r;

	digest_text(&im->id, id);
	r = add_image_row(s, im, id, e);
	for (size_t i = 0; r == 0 && i < im->diff_ids->n; i++)
		r = add_image_layer(s, id, i, im->diff_ids->v[i], e);
	for (size_t i = 0; r == 0 && i < im->refs->n; i++)
		r = add_ref(s, id, im->refs->v[i], e);
	return r;
}

int image_tag(struct image_store *s, const char *ref, const char *new_ref, struct err *e)
{
	AUTO(reference_done) struct reference to = { 0 };
	autofree char *id = NULL, *name = NULL, *text = NULL;
	int r = reference_parse(new_ref, &to, e);

	if (r < 0)
		return r;
	if (to.has_digest)
		return err_set(e, EINVAL, "a tag may not have a digest: %s", new_ref);
	text = reference_text(&to);
	if (!text)
		return no_memory(e);
	r = record_resolve(s, ref, &id, &name, e);
	if (r == 0)
		r = add_ref(s, id, text, e);
	if (r == 0)
		store_tell(s, "tag", id, text);
	return r;
}
