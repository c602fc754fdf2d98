/* db.h - the records of one store: a thin layer over SQLite
 *
 * A statement is a value; binding never fails by itself: what went wrong (no memory, bad SQL) is told by the
 * next db_step or db_run.  One thread per handle; any number of processes per file (WAL).
 *
 *	AUTO(db_stmt_done) struct db_stmt st = db_sql(db, "SELECT id FROM image WHERE size > ?");
 *	db_bind_i64(&st, 42);
 *	while ((r = db_step(&st, e)) > 0)
 *		use(db_text(&st, 0));
 */
#ifndef DB_DB_H
#define DB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct db;
struct sqlite3_stmt;

struct db_stmt {
	struct db *db;
	struct sqlite3_stmt *stmt;
	int n_bound; /* parameters bound so far */
	int rc; /* the first failure: an SQLite result code */
};

/* Opens DIR/ketch.db, made if missing (mode 0600): WAL, foreign keys, waits at most 10 s for another process. */
int db_open(const char *dir, struct db **ret, struct err *e);
/* The same to look alone, where nothing can be written (a read-only file system): writes are refused with -EACCES. */
int db_open_read(const char *dir, struct db **ret, struct err *e);
/* Records of a store that is not there: none, in memory. */
int db_open_none(struct db **ret, struct err *e);
struct db *db_close(struct db *db);

/* For what must work on a full disk, above all removing: db_open keeps a file of 1 MiB beside the database; this gives
 * it up, and then the work that failed with -ENOSPC is worth another try.  false: it is spent.  The next db_open that
 * finds room makes it again. */
bool db_spend_reserve(struct db *db);

/* Brings the tables of one room to version n: runs steps[have..n), each a piece of SQL that is never changed
 * once released.  A store with a higher version was made by a newer Ketch: refused. */
int db_schema(struct db *db, const char *room, const char *const *steps, size_t n, struct err *e);

struct db_stmt db_sql(struct db *db, const char *sql);
void db_stmt_done(struct db_stmt *st);
/* Bind the next `?`.  db_bind_text copies; NULL is SQL's NULL. */
void db_bind_text(struct db_stmt *st, const char *s);
void db_bind_i64(struct db_stmt *st, int64_t n);
/* 1: there is a row; 0: no more rows; or -errno. */
int db_step(struct db_stmt *st, struct err *e);
/* For statements without rows: runs to the end.  Returns 0 or -errno; a broken UNIQUE or key rule is -EEXIST. */
int db_run(struct db_stmt *st, struct err *e);
/* Columns of the row, counted from 0; text is borrowed until the next step and "" for NULL. */
const char *db_text(const struct db_stmt *st, int column);
int64_t db_i64(const struct db_stmt *st, int column);

/* What each row of a statement becomes. */
struct db_rows {
	size_t size; /* of one, in bytes */
	int (*parse)(const struct db_stmt *st, void *ret, struct err *e); /* sets *ret on success alone */
	void (*done)(void *row); /* NULL: it owns nothing */
	bool skip_damaged; /* a row that cannot be parsed (-EBADMSG, -EINVAL ...; not -ENOMEM) is left out, else it ends all */
};
/* All rows from the next one on.  ret: where the pointer to the first goes (struct thing **); to be freed with free, each
 * with done before. */
int db_list(struct db_stmt *st, const struct db_rows *rows, void *ret, size_t *ret_n, struct err *e);

/* A transaction that writes; what db_commit did not end is rolled back by db_tx_done.  When db_commit returns 0 it is on the
 * disk. */
struct db_tx {
	struct db *db; /* NULL: ended */
	bool live;
};
int db_begin(struct db *db, struct db_tx *ret, struct err *e);
/* The same for what need not outlive the machine (leases, instances that go with their end): waits for no disk. */
int db_begin_live(struct db *db, struct db_tx *ret, struct err *e);
int db_commit(struct db_tx *tx, struct err *e);
void db_tx_done(struct db_tx *tx);

#endif
