/* db.c - the records of one store: a thin layer over SQLite */
#include "db/db.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "sys/patience.h"

#define LOG_PAGES	128 /* of 4 KiB */
#define BUSY_TIMEOUT_MS 10000
#define RESERVE_BYTES	(1 << 20)

struct db {
	sqlite3 *sql;
	struct patience patience; /* of the wait that is under way */
	bool told_to_end; /* in the last one */
	char *reserve; /* path */
};

static int class_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return EBUSY;
	case SQLITE_NOMEM:
		return ENOMEM;
	case SQLITE_FULL:
		return ENOSPC;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_CANTOPEN:
		return EACCES;
	case SQLITE_CONSTRAINT:
		return EEXIST;
	default:
		return EIO;
	}
}

static int db_error(struct db *db, int rc, struct err *e)
{
	int no = class_of(rc);

	if (no == EBUSY && db->told_to_end)
		return err_set(e, EINTR, "interrupted while another process held the store's records");
	if (no == EBUSY)
		return err_set(e, no, "the store's records are held by another process for more than %d s",
			       BUSY_TIMEOUT_MS / 1000);
	if ((rc & 0xff) == SQLITE_READONLY)
		return err_set(e, no,
			       "the store's records cannot be written: it is on a read-only file system");
	if (no == ENOSPC)
		return err_sys(e, no, "the store's records");
	return err_set(e, no, "the store's records: %s",
		       sqlite3_errcode(db->sql) == (rc & 0xff) ? sqlite3_errmsg(db->sql)
							       : sqlite3_errstr(rc));
}

static int db_exec(struct db *db, const char *sql, struct err *e)
{
	int rc = sqlite3_exec(db->sql, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : db_error(db, rc, e);
}

/* SQLite gives its other files the mode of this one, so it is made here. */
static int make_file(const char *path, struct err *e)
{
	autoclose int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	return fd < 0 ? err_sys(e, errno, "open %s", path) : 0;
}

/* Whether it can be made or not is no failure: it is for worse days. */
static void make_reserve(struct db *db)
{
	autoclose int fd = open(db->reserve, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd >= 0 && fallocate(fd, 0, 0, RESERVE_BYTES) < 0)
		unlink(db->reserve);
}

bool db_spend_reserve(struct db *db)
{
	return unlink(db->reserve) == 0;
}

/* SQLite's own wait looks again after 1, 2, 5, 10, 15 ... ms, and cannot be interrupted. */
static int wait_busy(void *arg, int count)
{
	struct db *db = arg;
	int r;

	if (!count)
		db->patience = patience_for_ms(BUSY_TIMEOUT_MS);
	r = patience_pause(&db->patience);
	db->told_to_end = r == -EINTR;
	return r == 0;
}

/* After a commit.  SQLite's own automatic checkpoint leaves it to the next writer to begin the log anew, if it still knows
 * that all was folded in; but who opens alone reads the whole log and takes it for new, and so it would grow for ever.  While
 * others read, it cannot be emptied: a later commit tries again. */
static int fold_long_log(void *arg, sqlite3 *sql, const char *name, int pages)
{
	if (pages < LOG_PAGES)
		return SQLITE_OK;
	sqlite3_busy_handler(sql, NULL, NULL);
	sqlite3_wal_checkpoint_v2(sql, name, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_busy_handler(sql, wait_busy, arg);
	return SQLITE_OK;
}

/* Which version the tables of each room have: db_schema. */
#define ROOMS "CREATE TABLE IF NOT EXISTS room (name TEXT PRIMARY KEY, version INTEGER) STRICT"

/* Of several who make a store's records at once, SQLite tells all but one "busy" without a wait: each holds what the others
 * wait for, until it lets go. */
static int become_wal(struct db *db, struct err *e)
{
	static const char words[] =
		"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
		"PRAGMA trusted_schema=OFF;" ROOMS;
	struct patience p = patience_for_ms(BUSY_TIMEOUT_MS);
	int r;

	do
		r = db_exec(db, words, e);
	while (r == -EBUSY && patience_pause(&p) == 0);
	return r;
}

static int set_up(struct db *db, struct err *e)
{
	sqlite3_busy_handler(db->sql, wait_busy, db);
	/* A command is the last to close, every time: folding the log in then costs two flushes of the disk.  So it
	 * waits until the log has LOG_PAGES; the next command to open reads through what is there.  A commit (FULL) is
	 * on the disk when it returns: files are removed, and written, in the faith that it will not be forgotten. */
	sqlite3_wal_hook(db->sql, fold_long_log, db);
	sqlite3_db_config(db->sql, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	return become_wal(db, e);
}

static struct db *db_new(const char *dir)
{
	struct db *db = calloc(1, sizeof(*db));

	if (db)
		db->reserve = str_printf("%s/ketch.reserve", dir);
	return db && db->reserve ? db : db_close(db);
}

/* name: a path or an URI. */
static int db_connect(struct db *db, const char *name, int flags, struct err *e)
{
	int rc;

	/* Else it takes room for 20 pages and more at once, and touches all of it: a command needs few.  It can only be said
	 * before the first is open; later it changes nothing. */
	sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
	rc = sqlite3_open_v2(name, &db->sql, flags | SQLITE_OPEN_NOMUTEX, NULL);

	return rc == SQLITE_OK ? 0 : err_set(e, class_of(rc), "open %s: %s", name, sqlite3_errstr(rc));
}

int db_open(const char *dir, struct db **ret, struct err *e)
{
	autofree char *path = str_printf("%s/ketch.db", dir), *real = NULL;
	struct db *db = db_new(dir);
	int r;

	if (!path || !db) {
		db_close(db);
		return err_set(e, ENOMEM, "out of memory");
	}
	r = make_file(path, e);
	if (r == 0) {
		/* SQLITE_OPEN_NOFOLLOW refuses links in the whole path, which DIR may have */
		real = realpath(path, NULL);
		r = db_connect(db, real ? real : path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, e);
	}
	if (r == 0)
		r = set_up(db, e);
	if (r < 0) {
		db_close(db);
		return r;
	}
	make_reserve(db);
	*ret = db;
	return 0;
}

/* As the path of an URI. */
static char *escaped(const char *path)
{
	AUTO(buf_done) struct buf b = { 0 };

	for (; *path; path++)
		if (*path == '?' || *path == '#' || *path == '%')
			buf_addf(&b, "%%%02x", (unsigned char)*path);
		else
			buf_addc(&b, *path);
	return buf_ok(&b) && b.data ? strdup(b.data) : NULL;
}

/* SQLite reads the log beside the records without writing only where the log's index is there, too, which we always leave.
 * A copy of a store may lack both; then the records are all in the one file, and nobody changes it. */
static char *read_only_uri(const char *dir, struct err *e)
{
	autofree char *path = str_printf("%s/ketch.db", dir), *index = str_printf("%s/ketch.db-shm", dir);
	autofree char *log = str_printf("%s/ketch.db-wal", dir);
	autofree char *real = path ? realpath(path, NULL) : NULL, *name = real ? escaped(real) : NULL;
	bool alone = index && access(index, R_OK) < 0;
	struct stat st;
	char *uri;

	if (path && !real) {
		err_sys(e, errno, "open %s", path);
		return NULL;
	}
	if (alone && log && stat(log, &st) == 0 && st.st_size > 0) {
		err_set(e, EROFS, "%s cannot be read without writing there", log);
		return NULL;
	}
	uri = name && index && log ? str_printf("file:%s%s", name, alone ? "?immutable=1" : "") : NULL;
	if (!uri)
		err_set(e, ENOMEM, "out of memory");
	return uri;
}

int db_open_read(const char *dir, struct db **ret, struct err *e)
{
	autofree char *uri = read_only_uri(dir, e);
	struct db *db = uri ? db_new(dir) : NULL;
	int r;

	if (!db)
		return uri ? err_set(e, ENOMEM, "out of memory") : -e->no;
	r = db_connect(db, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, e);
	if (r < 0) {
		db_close(db);
		return r;
	}
	sqlite3_busy_handler(db->sql, wait_busy, db);
	*ret = db;
	return 0;
}

int db_open_none(struct db **ret, struct err *e)
{
	struct db *db = db_new("/nonexistent");
	int r = db ? db_connect(db, ":memory:", SQLITE_OPEN_READWRITE, e)
		   : err_set(e, ENOMEM, "out of memory");

	if (r == 0)
		r = db_exec(db, ROOMS, e);
	if (r < 0) {
		db_close(db);
		return r;
	}
	*ret = db;
	return 0;
}

struct db *db_close(struct db *db)
{
	if (!db)
		return NULL;
	sqlite3_close(db->sql);
	free(db->reserve);
	free(db);
	return NULL;
}

struct db_stmt db_sql(struct db *db, const char *sql)
{
	struct db_stmt st = { .db = db };

	st.rc = sqlite3_prepare_v2(db->sql, sql, -1, &st.stmt, NULL);
	return st;
}

void db_stmt_done(struct db_stmt *st)
{
	sqlite3_finalize(st->stmt);
	st->stmt = NULL;
}

static void note_bound(struct db_stmt *st, int rc)
{
	if (st->rc == SQLITE_OK)
		st->rc = rc;
}

void db_bind_text(struct db_stmt *st, const char *s)
{
	note_bound(st, sqlite3_bind_text(st->stmt, ++st->n_bound, s, -1, SQLITE_TRANSIENT));
}

void db_bind_i64(struct db_stmt *st, int64_t n)
{
	note_bound(st, sqlite3_bind_int64(st->stmt, ++st->n_bound, n));
}

int db_step(struct db_stmt *st, struct err *e)
{
	if (st->rc == SQLITE_OK) {
		int rc = sqlite3_step(st->stmt);

		if (rc == SQLITE_ROW)
			return 1;
		if (rc == SQLITE_DONE)
			return 0;
		st->rc = rc;
	}
	return db_error(st->db, st->rc, e);
}

int db_run(struct db_stmt *st, struct err *e)
{
	int r;

	do
		r = db_step(st, e);
	while (r > 0);
	return r;
}

const char *db_text(const struct db_stmt *st, int column)
{
	const char *s = (const char *)sqlite3_column_text(st->stmt, column);

	return s ? s : "";
}

int64_t db_i64(const struct db_stmt *st, int column)
{
	return sqlite3_column_int64(st->stmt, column);
}

/* --- lists */

struct list {
	char *v;
	size_t n, room;
};

static void list_free(struct list *l, const struct db_rows *rows)
{
	for (size_t i = 0; i < l->n && rows->done; i++)
		rows->done(l->v + i * rows->size);
	free(l->v);
}

static int list_add(struct list *l, const struct db_stmt *st, const struct db_rows *rows, struct err *e)
{
	size_t room = l->n < l->room ? l->room : l->room * 2 + 1;
	char *more = room == l->room ? l->v : reallocarray(l->v, room, rows->size);
	int r;

	if (!more)
		return err_set(e, ENOMEM, "out of memory");
	l->v = more;
	l->room = room;
	r = rows->parse(st, l->v + l->n * rows->size, e);
	l->n += r == 0;
	return r < 0 && r != -ENOMEM && rows->skip_damaged ? 0 : r;
}

int db_list(struct db_stmt *st, const struct db_rows *rows, void *ret, size_t *ret_n, struct err *e)
{
	struct list l = { 0 };
	int r;

	while ((r = db_step(st, e)) > 0) {
		r = list_add(&l, st, rows, e);
		if (r < 0)
			break;
	}
	if (r < 0) {
		list_free(&l, rows);
		return r;
	}
	memcpy(ret, &l.v, sizeof(l.v));
	*ret_n = l.n;
	return 0;
}

/* --- transactions */

int db_begin(struct db *db, struct db_tx *ret, struct err *e)
{
	/* IMMEDIATE: a transaction that reads first and then writes could not wait for another writer */
	int r = db_exec(db, "BEGIN IMMEDIATE", e);

	if (r < 0)
		return r;
	ret->db = db;
	return 0;
}

int db_begin_live(struct db *db, struct db_tx *ret, struct err *e)
{
	int r = db_exec(db, "PRAGMA synchronous=NORMAL", e); /* cannot be changed within a transaction */

	if (r == 0)
		r = db_begin(db, ret, e);
	if (r < 0)
		db_exec(db, "PRAGMA synchronous=FULL", NULL);
	else
		ret->live = true;
	return r;
}

static void end(struct db_tx *tx)
{
	if (tx->live)
		db_exec(tx->db, "PRAGMA synchronous=FULL", NULL);
	*tx = (struct db_tx){ 0 };
}

int db_commit(struct db_tx *tx, struct err *e)
{
	int r = db_exec(tx->db, "COMMIT", e);

	if (r == 0)
		end(tx);
	return r;
}

void db_tx_done(struct db_tx *tx)
{
	if (!tx->db)
		return;
	db_exec(tx->db, "ROLLBACK", NULL);
	end(tx);
}

static int room_version(struct db *db, const char *room, int64_t *ret, struct err *e)
{
	AUTO(db_stmt_done) struct db_stmt st = db_sql(db, "SELECT version FROM room WHERE name = ?");
	int r;

	db_bind_text(&st, room);
	r = db_step(&st, e);
	if (r < 0)
		return r;
	*ret = r ? db_i64(&st, 0) : 0;
	return 0;
}

/* *ret_have: the version that it had, which another process may have raised in the meantime, and higher. */
static int raise_version(struct db *db, const char *room, const char *const *steps, size_t n,
			 int64_t *ret_have, struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	AUTO(db_stmt_done) struct db_stmt st = { 0 };
	int r = db_begin(db, &tx, e);

	if (r == 0)
		r = room_version(db, room, ret_have, e);
	for (size_t i = (size_t)*ret_have; r == 0 && i < n; i++)
		r = db_exec(db, steps[i], e);
	if (r < 0)
		return r;
	st = db_sql(db, "INSERT OR REPLACE INTO room (name, version) VALUES (?, max(?, ?))");
	db_bind_text(&st, room);
	db_bind_i64(&st, (int64_t)n);
	db_bind_i64(&st, *ret_have);
	r = db_run(&st, e);
	db_stmt_done(&st); /* COMMIT wants no statement under way */
	return r < 0 ? r : db_commit(&tx, e);
}

int db_schema(struct db *db, const char *room, const char *const *steps, size_t n, struct err *e)
{
	int64_t have = 0;
	int r = room_version(db, room, &have, e);

	if (r == 0 && have < (int64_t)n)
		r = raise_version(db, room, steps, n, &have, e);
	if (r == 0 && have > (int64_t)n)
		r = err_set(e, EPROTO,
			    "this store was made by a newer ketch (%s: version %lld, this one knows %zu)",
			    room, (long long)have, n);
	return r;
}
