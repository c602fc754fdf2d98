/* snapshot.c - the rows of snapshots in ROOT/ketch.db */
#include "storage/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/parse.h"

static const struct jfield memory_fields[] = {
	J(J_STR, struct snapshot_memory, format),
	JK(J_STR, struct snapshot_memory, based_on, "basedOn"),
	J(J_STR, struct snapshot_memory, program),
	J(J_STR, struct snapshot_memory, host),
	JK(J_U64, struct snapshot_memory, tsc_khz, "tscKhz"),
	JK(J_U64, struct snapshot_memory, ram_bytes, "ramBytes"),
	JK(J_U64, struct snapshot_memory, file_bytes, "fileBytes"),
	JK(J_I64, struct snapshot_memory, pause_ns, "pauseNs"),
	{ 0 },
};
static const struct jtable memory_table = { sizeof(struct snapshot_memory), memory_fields };

static const struct jfield snapshot_fields[] = {
	JR(J_STR, struct snapshot, id, "id"),
	JR(J_STR, struct snapshot, name, "name"),
	JR(J_STR, struct snapshot, instance, "instance"),
	J(J_STR, struct snapshot, parent),
	J(J_STR, struct snapshot, layer),
	J(J_STR, struct snapshot, description),
	JR(J_STR, struct snapshot, image_id, "imageId"),
	JK(J_I64, struct snapshot, created_ns, "created"),
	JK(J_I64, struct snapshot, expires_ns, "expires"),
	J(J_BOOL, struct snapshot, automatic),
	J(J_BOOL, struct snapshot, live),
	JR(J_RAW, struct snapshot, spec, "spec"),
	J(J_STRV, struct snapshot, volumes),
	JO(struct snapshot, memory, "memory", &memory_table),
	{ 0 },
};
const struct jtable snapshot_table = { sizeof(struct snapshot), snapshot_fields };

void snapshot_done(struct snapshot *s)
{
	json_done(&snapshot_table, s);
}

void snapshots_free(struct snapshot *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		snapshot_done(&s[i]);
	free(s);
}

int snapshot_name_check(const char *name, struct err *e)
{
	if (is_snapshot_name(name))
		return 0;
	return err_set(e, EINVAL,
		       "invalid snapshot name '%.80s': at most %d of [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
		       name, SNAPSHOT_NAME_MAX);
}

static int exists(const char *name, struct err *e)
{
	return err_set(e, EEXIST, "there is a snapshot \"%s\" already", name);
}

int snapshot_record_add(struct db *db, const struct snapshot *s, struct err *e)
{
	AUTO(buf_done) struct buf json = { 0 };
	AUTO(db_stmt_done)
	struct db_stmt st =
		db_sql(db, "INSERT INTO snapshot (id, instance, name, parent, layer, image_id, created, doc)"
			   " VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
	int r;

	if (json_print(&snapshot_table, s, 0, &json) < 0)
		return err_set(e, ENOMEM, "out of memory");
	db_bind_text(&st, s->id);
	db_bind_text(&st, s->instance);
	db_bind_text(&st, s->name);
	db_bind_text(&st, s->parent);
	db_bind_text(&st, s->layer);
	db_bind_text(&st, s->image_id);
	db_bind_i64(&st, s->created_ns);
	db_bind_text(&st, json.data);
	r = db_run(&st, e);
	return r == -EEXIST ? exists(s->name, e) : r;
}

static int set_text(char **member, const char *text)
{
	free(*member);
	*member = *text ? strdup(text) : NULL;
	return *text && !*member ? -ENOMEM : 0;
}

/* Columns doc, name, parent, layer: what changes later is kept beside the document. */
static int parse_row(const struct db_stmt *st, void *ret, struct err *e)
{
	struct snapshot s = { 0 };
	const char *doc = db_text(st, 0);
	int r = json_parse(&snapshot_table, doc, strlen(doc), 0, &s, e);

	if (r == 0 && (set_text(&s.name, db_text(st, 1)) < 0 || set_text(&s.parent, db_text(st, 2)) < 0 ||
		       set_text(&s.layer, db_text(st, 3)) < 0))
		r = err_set(e, ENOMEM, "out of memory");
	if (r < 0) {
		snapshot_done(&s);
		return err_wrap(e, r, "record of a snapshot");
	}
	*(struct snapshot *)ret = s;
	return 0;
}

int snapshot_record_find(struct db *db, const char *instance, const char *name, struct snapshot *ret,
			 struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(db, "SELECT doc, name, parent, layer FROM snapshot WHERE instance = ?"
				       " AND (name = ? OR id = ?) ORDER BY name = ? DESC LIMIT 1");
	int r;

	db_bind_text(&st, instance);
	db_bind_text(&st, name);
	db_bind_text(&st, name);
	db_bind_text(&st, name);
	r = db_step(&st, e);
	if (r == 0)
		return err_set(e, ENOENT, "no such snapshot: %.140s", name);
	return r < 0 ? r : parse_row(&st, ret, e);
}

static void row_done(void *row)
{
	snapshot_done(row);
}

static const struct db_rows rows = { .size = sizeof(struct snapshot), .parse = parse_row, .done = row_done };

int snapshot_record_list(struct db *db, const char *instance, struct snapshot **ret, size_t *ret_n,
			 struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(
		db,
		"SELECT doc, name, parent, layer FROM snapshot WHERE instance = ? ORDER BY created, name");

	db_bind_text(&st, instance);

	return db_list(&st, &rows, ret, ret_n, e);
}

/* Runs a statement with two texts. */
static int run(struct db *db, const char *sql, const char *a, const char *b, struct err *e)
{
	AUTO(db_stmt_done) struct db_stmt st = db_sql(db, sql);

	db_bind_text(&st, a);
	db_bind_text(&st, b);
	return db_run(&st, e);
}

int snapshot_record_remove(struct db *db, const struct snapshot *s, struct err *e)
{
	int r = run(db, "UPDATE snapshot SET parent = ? WHERE parent = ?", s->parent, s->id, e);

	if (r == 0)
		r = run(db, "UPDATE writable SET snapshot = ? WHERE snapshot = ?", s->parent, s->id, e);
	return r < 0 ? r
		     : run(db, "DELETE FROM snapshot WHERE id = ? AND instance = ?", s->id, s->instance, e);
}

int snapshot_record_rename(struct db *db, const struct snapshot *s, const char *name, struct err *e)
{
	int r = run(db, "UPDATE snapshot SET name = ? WHERE id = ?", name, s->id, e);

	return r == -EEXIST ? exists(name, e) : r;
}

int snapshot_record_image_in_use(struct db *db, const char *image_id, bool *ret, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(db, "SELECT 1 FROM snapshot WHERE image_id = ? LIMIT 1");
	int r;

	db_bind_text(&st, image_id);
	r = db_step(&st, e);
	if (r < 0)
		return r;
	*ret = r > 0;
	return 0;
}
