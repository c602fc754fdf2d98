/* volume_record.c - volumes in ROOT/ketch.db, and which instances mount them */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "engine/volume_int.h"

/* An instance keeps its volumes (no record of theirs can go before its own), and lets go of them when its record
 * goes. */
static const char *const schema[] = {
	"CREATE TABLE volume (name TEXT PRIMARY KEY, fresh INTEGER NOT NULL, spec TEXT NOT NULL) WITHOUT "
	"ROWID;"
	"CREATE TABLE volume_use (volume TEXT NOT NULL REFERENCES volume, instance TEXT NOT NULL REFERENCES"
	" instance ON DELETE CASCADE, PRIMARY KEY (volume, instance)) WITHOUT ROWID;"
	"CREATE INDEX volume_use_instance ON volume_use (instance);",
};

static const struct jfield volume_fields[] = {
	J(J_STR, struct volume, name),	     JK(J_I64, struct volume, created_ns, "created"),
	J(J_MAP, struct volume, labels),     J(J_MAP, struct volume, options),
	J(J_BOOL, struct volume, anonymous), { 0 },
};
const struct jtable volume_table = { sizeof(struct volume), volume_fields };

int volume_record_init(struct db *db, struct err *e)
{
	return db_schema(db, "volume", schema, ARRAY_LEN(schema), e);
}

int volume_record_add(struct db *db, const struct volume *v, bool *ret_new, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(db, "INSERT INTO volume (name, fresh, spec) VALUES (?, 1, ?)");
	AUTO(buf_done) struct buf json = { 0 };
	int r;

	if (json_print(&volume_table, v, 0, &json) < 0)
		return err_set(e, ENOMEM, "out of memory");
	db_bind_text(&st, v->name);
	db_bind_text(&st, json.data);
	r = db_run(&st, e);
	if (r < 0 && r != -EEXIST)
		return r;
	*ret_new = r == 0;
	return 0;
}

/* The columns fresh and spec of a row. */
static int parse_row(const struct db_stmt *st, void *ret, struct err *e)
{
	const char *json = db_text(st, 1);
	struct volume v = { 0 };
	int r = json_parse(&volume_table, json, strlen(json), 0, &v, e);

	if (r == 0 && !v.name)
		r = err_set(e, EBADMSG, "the name is missing");
	if (r < 0) {
		volume_done(&v);
		return err_wrap(e, r, "record of a volume");
	}
	v.fresh = db_i64(st, 0) != 0;
	*(struct volume *)ret = v;
	return 0;
}

int volume_record_find(struct db *db, const char *name, struct volume *ret, struct err *e)
{
	AUTO(db_stmt_done) struct db_stmt st = db_sql(db, "SELECT fresh, spec FROM volume WHERE name = ?");
	int r;

	db_bind_text(&st, name);
	r = db_step(&st, e);
	if (r == 0)
		return err_set(e, ENOENT, "no such volume: %.140s", name);
	return r < 0 ? r : parse_row(&st, ret, e);
}

static void row_done(void *row)
{
	volume_done(row);
}

/* A damaged record disables one volume, not the list. */
static const struct db_rows rows = {
	.size = sizeof(struct volume), .parse = parse_row, .done = row_done, .skip_damaged = true
};

int volume_record_list(struct db *db, struct volume **ret, size_t *ret_n, struct err *e)
{
	AUTO(db_stmt_done) struct db_stmt st = db_sql(db, "SELECT fresh, spec FROM volume ORDER BY name");

	return db_list(&st, &rows, ret, ret_n, e);
}

/* Runs a statement with one or two texts. */
static int run(struct db *db, const char *sql, const char *a, const char *b, struct err *e)
{
	AUTO(db_stmt_done) struct db_stmt st = db_sql(db, sql);

	db_bind_text(&st, a);
	if (b)
		db_bind_text(&st, b);
	return db_run(&st, e);
}

int volume_record_set_fresh(struct db *db, const char *name, bool fresh, struct err *e)
{
	return run(db,
		   fresh ? "UPDATE volume SET fresh = 1 WHERE name = ?"
			 : "UPDATE volume SET fresh = 0 WHERE name = ?",
		   name, NULL, e);
}

int volume_record_used(struct db *db, const char *name, struct err *e)
{
	return volume_record_set_fresh(db, name, false, e);
}

int volume_record_use(struct db *db, const char *name, const char *instance, struct err *e)
{
	return run(db, "INSERT OR IGNORE INTO volume_use (volume, instance) VALUES (?, ?)", name, instance,
		   e);
}

int volume_record_users(struct db *db, const char *name, struct strv *ret, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(db, "SELECT instance FROM volume_use WHERE volume = ? ORDER BY instance");
	int r;

	db_bind_text(&st, name);
	while ((r = db_step(&st, e)) > 0)
		if (strv_add(ret, db_text(&st, 0)) < 0)
			return err_set(e, ENOMEM, "out of memory");
	return r;
}

int volume_record_remove(struct db *db, const char *name, struct err *e)
{
	return run(db, "DELETE FROM volume WHERE name = ?", name, NULL, e);
}
