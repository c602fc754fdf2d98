/* record.c - networks in ROOT/ketch.db */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "network/network.h"

#define MIN_PREFIX 2

/* A lease belongs to whoever has it only as long as that instance runs (lease.h); so it does not hold its record. */
static const char *const schema[] = {
	"CREATE TABLE network (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, spec TEXT NOT NULL) WITHOUT "
	"ROWID;"
	"CREATE TABLE lease (network TEXT NOT NULL REFERENCES network, instance TEXT NOT NULL, boot TEXT NOT "
	"NULL,"
	" address TEXT, address6 TEXT, mac TEXT, spec TEXT NOT NULL, PRIMARY KEY (network, instance)) "
	"WITHOUT ROWID;"
	"CREATE UNIQUE INDEX lease_address ON lease (network, address);"
	"CREATE UNIQUE INDEX lease_address6 ON lease (network, address6);"
	"CREATE UNIQUE INDEX lease_mac ON lease (network, mac);"
	"CREATE INDEX lease_instance ON lease (instance);",
};

int network_record_init(struct db *db, struct err *e)
{
	return db_schema(db, "network", schema, ARRAY_LEN(schema), e);
}

int network_record_add(struct db *db, const struct network *n, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(db, "INSERT INTO network (id, name, spec) VALUES (?, ?, ?)");
	AUTO(buf_done) struct buf json = { 0 };
	int r;

	if (json_print(&network_table, n, 0, &json) < 0)
		return err_set(e, ENOMEM, "out of memory");
	db_bind_text(&st, n->id);
	db_bind_text(&st, n->name);
	db_bind_text(&st, json.data);
	r = db_run(&st, e);
	return r == -EEXIST ? err_set(e, EEXIST, "network with name %s already exists", n->name) : r;
}

static int parse_row(const struct db_stmt *st, void *ret, struct err *e)
{
	const char *json = db_text(st, 0);
	struct network n = { 0 };
	int r = json_parse(&network_table, json, strlen(json), 0, &n, e);

	if (r == 0 && (!n.id || !n.name || strlen(n.id) != NETWORK_ID_LEN))
		r = err_set(e, EBADMSG, "its id or name is missing");
	if (r < 0) {
		network_done(&n);
		return err_wrap(e, r, "record of a network");
	}
	*(struct network *)ret = n;
	return 0;
}

/* The one row of a statement whose parameters are bound; 0: there is none; 1; -ENOTUNIQ: there are more. */
static int only_row(struct db_stmt *st, struct network *ret, struct err *e)
{
	struct network n = { 0 };
	int r = db_step(st, e);

	if (r <= 0)
		return r;
	r = parse_row(st, &n, e);
	if (r == 0)
		r = db_step(st, e);
	if (r == 0) {
		*ret = n;
		return 1;
	}
	network_done(&n);
	return r > 0 ? -ENOTUNIQ : r;
}

static bool is_id_part(const char *s)
{
	return strlen(s) >= MIN_PREFIX && s[strspn(s, "0123456789abcdef")] == '\0';
}

int network_record_find(struct db *db, const char *name, struct network *ret, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt exact =
		db_sql(db, "SELECT spec FROM network WHERE name = ?1 OR id = ?1 ORDER BY name = ?1");
	AUTO(db_stmt_done)
	struct db_stmt prefix = db_sql(db, "SELECT spec FROM network WHERE substr(id, 1, ?) = ? LIMIT 2");
	int r;

	db_bind_text(&exact, name);
	r = only_row(&exact, ret, e);
	if (r == 0 && is_id_part(name)) {
		db_bind_i64(&prefix, (int64_t)strlen(name));
		db_bind_text(&prefix, name);
		r = only_row(&prefix, ret, e);
	}
	if (r == 0)
		return err_set(e, ENOENT, "network %.140s not found", name);
	if (r == -ENOTUNIQ)
		return err_set(e, EINVAL, "several networks' ids begin with %.64s", name);
	return r < 0 ? r : 0;
}

static void row_done(void *row)
{
	network_done(row);
}

/* A damaged record disables one network, not the list. */
static const struct db_rows rows = {
	.size = sizeof(struct network), .parse = parse_row, .done = row_done, .skip_damaged = true
};

int network_record_list(struct db *db, struct network **ret, size_t *ret_n, struct err *e)
{
	AUTO(db_stmt_done) struct db_stmt st = db_sql(db, "SELECT spec FROM network ORDER BY name");

	return db_list(&st, &rows, ret, ret_n, e);
}

int network_record_remove(struct db *db, const char *id, struct err *e)
{
	AUTO(db_stmt_done) struct db_stmt st = db_sql(db, "DELETE FROM network WHERE id = ?");

	db_bind_text(&st, id);
	return db_run(&st, e);
}
