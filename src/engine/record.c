/* record.c - the specs of instances in ROOT/ketch.db: the spec as JSON, and beside it what is searched for */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "engine/engine_int.h"

#define MIN_PREFIX 2

static const char *const schema[] = {
	"CREATE TABLE instance (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, image_id TEXT NOT NULL,"
	" created INTEGER NOT NULL, spec TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX instance_image ON instance (image_id);",
};

int record_init(struct db *db, struct err *e)
{
	return db_schema(db, "engine", schema, ARRAY_LEN(schema), e);
}

int record_name_in_use(const char *name, struct err *e)
{
	return err_set(e, EEXIST, "the name \"%s\" is in use: remove or rename that instance to use it again",
		       name);
}

int record_add(struct db *db, const struct instance_spec *s, struct err *e)
{
	AUTO(buf_done) struct buf json = { 0 };
	AUTO(db_stmt_done)
	struct db_stmt st =
		db_sql(db, "INSERT INTO instance (id, name, image_id, created, spec) VALUES (?, ?, ?, ?, ?)");
	int r = json_print(&instance_spec_table, s, 0, &json);

	if (r < 0)
		return err_set(e, ENOMEM, "out of memory");
	db_bind_text(&st, s->id);
	db_bind_text(&st, s->name);
	db_bind_text(&st, s->image_id);
	db_bind_i64(&st, s->created_ns);
	db_bind_text(&st, json.data);
	r = db_run(&st, e);
	return r == -EEXIST ? record_name_in_use(s->name, e) : r;
}

int record_remove(struct db *db, const char *id, struct err *e)
{
	AUTO(db_stmt_done) struct db_stmt st = db_sql(db, "DELETE FROM instance WHERE id = ?");

	db_bind_text(&st, id);
	return db_run(&st, e);
}

int record_name_taken(struct db *db, const char *name, bool *ret, struct err *e)
{
	AUTO(db_stmt_done) struct db_stmt st = db_sql(db, "SELECT 1 FROM instance WHERE name = ?");
	int r;

	db_bind_text(&st, name);
	r = db_step(&st, e);
	if (r < 0)
		return r;
	*ret = r > 0;
	return 0;
}

static int parse_row(const struct db_stmt *st, void *ret, struct err *e)
{
	const char *json = db_text(st, 0);
	struct instance_spec s = { 0 };
	int r = json_parse(&instance_spec_table, json, strlen(json), 0, &s, e);

	if (r < 0)
		return err_wrap(e, r, "record of an instance");
	if (!s.id || !s.name || !s.image_id || !s.process.args.n) {
		json_done(&instance_spec_table, &s);
		return err_set(e, EBADMSG, "the record of an instance is damaged");
	}
	*(struct instance_spec *)ret = s;
	return 0;
}

static bool is_hex(const char *s)
{
	return s[strspn(s, "0123456789abcdef")] == '\0';
}

/* The one row of a statement whose parameters are bound; 0, -ENOENT, or -ENOTUNIQ if there are more. */
static int only_row(struct db_stmt *st, struct instance_spec *ret, struct err *e)
{
	struct instance_spec s = { 0 };
	int r = db_step(st, e);

	if (r == 0)
		return -ENOENT;
	if (r > 0)
		r = parse_row(st, &s, e);
	if (r == 0)
		r = db_step(st, e);
	if (r == 0) {
		*ret = s;
		return 0;
	}
	json_done(&instance_spec_table, &s);
	return r > 0 ? -ENOTUNIQ : r;
}

int record_find(struct db *db, const char *name, struct instance_spec *ret, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt exact = db_sql(db, "SELECT spec FROM instance WHERE name = ? OR id = ?");
	AUTO(db_stmt_done)
	struct db_stmt prefix = db_sql(db, "SELECT spec FROM instance WHERE substr(id, 1, ?) = ? LIMIT 2");
	int r;

	if (*name == '/') /* Docker's inspect prints names so, and scripts hand them back */
		name++;
	db_bind_text(&exact, name);
	db_bind_text(&exact, name);
	r = only_row(&exact, ret, e);
	if (r != -ENOENT)
		return r;
	if (strlen(name) >= MIN_PREFIX && is_hex(name)) {
		db_bind_i64(&prefix, (int64_t)strlen(name));
		db_bind_text(&prefix, name);
		r = only_row(&prefix, ret, e);
	}
	if (r == -ENOENT)
		return err_set(e, ENOENT, "no such instance: %.140s", name);
	if (r == -ENOTUNIQ)
		return err_set(e, EINVAL, "several instances' ids begin with %.64s", name);
	return r;
}

static void row_done(void *row)
{
	json_done(&instance_spec_table, row);
}

/* A damaged record disables one instance, not the list. */
static const struct db_rows rows = {
	.size = sizeof(struct instance_spec), .parse = parse_row, .done = row_done, .skip_damaged = true
};

int record_list(struct db *db, struct instance_spec **ret, size_t *ret_n, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(db, "SELECT spec FROM instance ORDER BY created DESC, id");

	return db_list(&st, &rows, ret, ret_n, e);
}

int record_image_in_use(struct db *db, const char *image_id, bool *ret, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(db, "SELECT 1 FROM instance WHERE image_id = ? LIMIT 1");
	int r;

	db_bind_text(&st, image_id);
	r = db_step(&st, e);
	if (r < 0)
		return r;
	*ret = r > 0;
	return 0;
}

int record_replace(struct db *db, const struct instance_spec *s, struct err *e)
{
	AUTO(buf_done) struct buf json = { 0 };
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(db, "UPDATE instance SET name = ?, image_id = ?, spec = ? WHERE id = ?");

	if (json_print(&instance_spec_table, s, 0, &json) < 0)
		return err_set(e, ENOMEM, "out of memory");
	db_bind_text(&st, s->name);
	db_bind_text(&st, s->image_id);
	db_bind_text(&st, json.data);
	db_bind_text(&st, s->id);
	return db_run(&st, e);
}

int record_check_unchanged(struct db *db, const struct instance_spec *was, struct err *e)
{
	AUTO(buf_done) struct buf a = { 0 }, b = { 0 };
	struct instance_spec now = { 0 };
	int r = record_find(db, was->id, &now, e);

	if (r < 0)
		return r;
	if (json_print(&instance_spec_table, was, 0, &a) < 0 ||
	    json_print(&instance_spec_table, &now, 0, &b) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	else if (strcmp(a.data, b.data) != 0)
		r = err_set(e, ESTALE, "another command has changed %s meanwhile", was->name);
	json_done(&instance_spec_table, &now);
	return r;
}

typedef void (*take_fn)(struct instance_spec *record, const struct instance_spec *s);

/* What `take` takes over from s; the rest is as it is by now.  Within a transaction. */
static int change_within(struct db *db, const struct instance_spec *s, take_fn take, struct err *e)
{
	struct instance_spec now = { 0 }, changed;
	int r = record_find(db, s->id, &now, e);

	if (r < 0)
		return r;
	changed = now; /* borrows */
	take(&changed, s);
	r = record_replace(db, &changed, e);
	json_done(&instance_spec_table, &now);
	return r;
}

static int change(struct db *db, const struct instance_spec *s, take_fn take, struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	int r = db_begin(db, &tx, e);

	if (r == 0)
		r = change_within(db, s, take, e);
	return r < 0 ? r : db_commit(&tx, e);
}

static void take_limits(struct instance_spec *record, const struct instance_spec *s)
{
	record->resources = s->resources;
	record->restart = s->restart;
	record->net.rate = s->net.rate;
	record->vm.ram_bytes = s->vm.ram_bytes;
	record->vm.vcpus = s->vm.vcpus;
	record->snapshots = s->snapshots;
}

int record_change(struct db *db, const struct instance_spec *was, const struct instance_spec *s,
		  struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	int r = db_begin(db, &tx, e);

	if (r == 0)
		r = record_check_unchanged(db, was, e);
	if (r == 0)
		r = change_within(db, s, take_limits, e);
	return r < 0 ? r : db_commit(&tx, e);
}

static void take_wall(struct instance_spec *record, const struct instance_spec *s)
{
	record->isolation = s->isolation;
	record->isolation_rule = s->isolation_rule;
	record->vm = s->vm;
}

int record_change_wall(struct db *db, const struct instance_spec *s, struct err *e)
{
	return change_within(db, s, take_wall, e);
}

static void take_net(struct instance_spec *record, const struct instance_spec *s)
{
	record->network = s->network;
	record->net = s->net;
}

int record_change_net(struct db *db, const struct instance_spec *s, struct err *e)
{
	return change(db, s, take_net, e);
}

int record_rename(struct db *db, const char *id, const char *name, struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	struct instance_spec s = { 0 };
	int r = db_begin(db, &tx, e);

	if (r == 0)
		r = record_find(db, id, &s, e);
	if (r < 0)
		return r;
	free(s.name);
	s.name = strdup(name);
	r = s.name ? record_replace(db, &s, e) : err_set(e, ENOMEM, "out of memory");
	json_done(&instance_spec_table, &s);
	if (r == -EEXIST)
		return record_name_in_use(name, e);
	return r < 0 ? r : db_commit(&tx, e);
}
