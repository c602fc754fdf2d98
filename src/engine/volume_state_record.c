/* volume_state_record.c - rows of states of volumes in ROOT/ketch.db */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "engine/volume_state.h"

/* They go with their volume, which takes their files along.  volume_swap: at most one under way for each. */
static const char *const schema[] = {
	"CREATE TABLE volume_snapshot (id TEXT PRIMARY KEY, volume TEXT NOT NULL REFERENCES volume"
	" ON DELETE CASCADE, name TEXT NOT NULL, description TEXT, created INTEGER NOT NULL,"
	" UNIQUE (volume, name)) WITHOUT ROWID;"
	"CREATE TABLE volume_swap (volume TEXT PRIMARY KEY REFERENCES volume ON DELETE CASCADE,"
	" id TEXT NOT NULL) WITHOUT ROWID;",
};

int volume_state_record_init(struct db *db, struct err *e)
{
	return db_schema(db, "volume_state", schema, ARRAY_LEN(schema), e);
}

void volume_snapshot_done(struct volume_snapshot *s)
{
	free(s->id);
	free(s->name);
	free(s->volume);
	free(s->description);
	*s = (struct volume_snapshot){ 0 };
}

void volume_snapshots_free(struct volume_snapshot *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		volume_snapshot_done(&s[i]);
	free(s);
}

int volume_state_is_known(struct db *db, const char *id, bool *ret, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(db, "SELECT 1 FROM snapshot WHERE id = ?1 UNION ALL"
				       " SELECT 1 FROM volume_snapshot WHERE id = ?1 UNION ALL"
				       " SELECT 1 FROM volume_swap WHERE id = ?1");
	int r;

	db_bind_text(&st, id);
	r = db_step(&st, e);
	if (r < 0)
		return r;
	*ret = r > 0;
	return 0;
}

static int exists(const char *volume, const char *name, struct err *e)
{
	return err_set(e, EEXIST, "%s has a snapshot \"%s\" already", volume, name);
}

int volume_snapshot_record_add(struct db *db, const struct volume_snapshot *s, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(db, "INSERT INTO volume_snapshot (id, volume, name, description, created)"
				       " VALUES (?, ?, ?, ?, ?)");
	int r;

	db_bind_text(&st, s->id);
	db_bind_text(&st, s->volume);
	db_bind_text(&st, s->name);
	db_bind_text(&st, s->description);
	db_bind_i64(&st, s->created_ns);
	r = db_run(&st, e);
	return r == -EEXIST ? exists(s->volume, s->name, e) : r;
}

/* Columns id, volume, name, description, created. */
static int parse_row(const struct db_stmt *st, void *ret, struct err *e)
{
	const char *description = db_text(st, 3);
	struct volume_snapshot s = { .id = strdup(db_text(st, 0)),
				     .volume = strdup(db_text(st, 1)),
				     .name = strdup(db_text(st, 2)),
				     .description = *description ? strdup(description) : NULL,
				     .created_ns = db_i64(st, 4) };

	if (!s.id || !s.volume || !s.name || (*description && !s.description)) {
		volume_snapshot_done(&s);
		return err_set(e, ENOMEM, "out of memory");
	}
	*(struct volume_snapshot *)ret = s;
	return 0;
}

int volume_snapshot_record_find(struct db *db, const char *volume, const char *name,
				struct volume_snapshot *ret, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(db, "SELECT id, volume, name, description, created FROM volume_snapshot"
				       " WHERE volume = ?1 AND (name = ?2 OR id = ?2)"
				       " ORDER BY name = ?2 DESC LIMIT 1");
	int r;

	db_bind_text(&st, volume);
	db_bind_text(&st, name);
	r = db_step(&st, e);
	if (r == 0)
		return err_set(e, ENOENT, "the volume %s has no snapshot \"%.80s\"", volume, name);
	return r < 0 ? r : parse_row(&st, ret, e);
}

static void row_done(void *row)
{
	volume_snapshot_done(row);
}

static const struct db_rows rows = { .size = sizeof(struct volume_snapshot),
				     .parse = parse_row,
				     .done = row_done };

int volume_snapshot_record_list(struct db *db, const char *volume, struct volume_snapshot **ret,
				size_t *ret_n, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(db, "SELECT id, volume, name, description, created FROM volume_snapshot"
				       " WHERE volume = ? ORDER BY created, name");

	db_bind_text(&st, volume);

	return db_list(&st, &rows, ret, ret_n, e);
}

static int run(struct db *db, const char *sql, const char *a, const char *b, struct err *e)
{
	AUTO(db_stmt_done) struct db_stmt st = db_sql(db, sql);

	db_bind_text(&st, a);
	if (b)
		db_bind_text(&st, b);
	return db_run(&st, e);
}

int volume_snapshot_record_rename(struct db *db, const struct volume_snapshot *s, const char *name,
				  struct err *e)
{
	int r = run(db, "UPDATE volume_snapshot SET name = ? WHERE id = ?", name, s->id, e);

	return r == -EEXIST ? exists(s->volume, name, e) : r;
}

int volume_snapshot_record_remove(struct db *db, const char *id, struct err *e)
{
	return run(db, "DELETE FROM volume_snapshot WHERE id = ?", id, NULL, e);
}

int volume_swap_record_add(struct db *db, const char *volume, const char *id, struct err *e)
{
	return run(db, "INSERT INTO volume_swap (volume, id) VALUES (?, ?)", volume, id, e);
}

int volume_swap_record_find(struct db *db, const char *volume, char **ret, struct err *e)
{
	AUTO(db_stmt_done) struct db_stmt st = db_sql(db, "SELECT id FROM volume_swap WHERE volume = ?");
	int r;

	db_bind_text(&st, volume);
	r = db_step(&st, e);
	if (r < 0)
		return r;
	*ret = r ? strdup(db_text(&st, 0)) : NULL;
	return r && !*ret ? err_set(e, ENOMEM, "out of memory") : 0;
}

int volume_swap_record_remove(struct db *db, const char *volume, struct err *e)
{
	return run(db, "DELETE FROM volume_swap WHERE volume = ?", volume, NULL, e);
}
