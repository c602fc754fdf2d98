/* rpm.c - rpm's database in SQLite: a table of headers, each a package
 *
 * A header: two numbers of 32 bits (big-endian), how many entries and bytes of data; entries of four numbers (tag, type,
 * place in the data, count); the data.
 */
#include <endian.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/auto.h"
#include "packages/parsers.h"

#define ENTRY_BYTES  16
#define STEPS_MAX    100000 /* times CALL_EVERY instructions of SQLite: a second or so */
#define CALL_EVERY   1000
#define HEADER_MAX   (16 << 20) /* bytes; a package of ten thousand files has about one MiB */
#define FORGET_BYTES (8 << 20)
#define PAGE_BYTES   4096 /* each row touches one at least */
#define WAL_BYTES    18 /* the two bytes of a database's head that say it has a write-ahead log */

enum { TAG_NAME = 1000, TAG_VERSION = 1001, TAG_RELEASE = 1002, TAG_EPOCH = 1003, TAG_ARCH = 1022 };
enum { TYPE_INT32 = 4, TYPE_STRING = 6 };

struct header {
	const unsigned char *entries, *data;
	uint32_t n_entries, n_data;
};

static uint32_t number(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

/* The data of a tag from its place on; NULL: there is none of that type. */
static const unsigned char *find(const struct header *h, uint32_t tag, uint32_t type, size_t *ret_n)
{
	for (uint32_t i = 0; i < h->n_entries; i++) {
		const unsigned char *entry = h->entries + (size_t)i * ENTRY_BYTES;
		uint32_t at = number(entry + 8);

		if (number(entry) != tag || number(entry + 4) != type || at >= h->n_data)
			continue;
		*ret_n = h->n_data - at;
		return h->data + at;
	}
	return NULL;
}

static const char *find_string(const struct header *h, uint32_t tag)
{
	size_t n;
	const unsigned char *p = find(h, tag, TYPE_STRING, &n);

	return p && memchr(p, 0, n) ? (const char *)p : "";
}

static int add_header(const struct header *h, struct package_file *f, struct err *e)
{
	const char *name = find_string(h, TAG_NAME), *arch = find_string(h, TAG_ARCH);
	autofree char *version = NULL;
	char epoch[16] = "";
	size_t n = 0;
	const unsigned char *p = find(h, TAG_EPOCH, TYPE_INT32, &n);

	if (!strcmp(name, "gpg-pubkey")) /* a key that rpm trusts is kept like a package */
		return 0;
	if (p && n >= 4)
		snprintf(epoch, sizeof(epoch), "%u:", number(p));
	version = str_printf("%s%s-%s", epoch, find_string(h, TAG_VERSION), find_string(h, TAG_RELEASE));
	if (!version)
		return err_set(e, ENOMEM, "out of memory");
	return package_add(f, (struct package_word){ name, strlen(name) },
			   (struct package_word){ version, strlen(version) },
			   (struct package_word){ arch, strlen(arch) }, e);
}

int rpm_header_parse(const unsigned char *p, size_t n, struct package_file *f, struct err *e)
{
	struct header h = { 0 };

	if (n >= 8) {
		h.n_entries = number(p);
		h.n_data = number(p + 4);
	}
	if (n < 8 || h.n_entries > (n - 8) / ENTRY_BYTES ||
	    h.n_data > n - 8 - (size_t)h.n_entries * ENTRY_BYTES)
		return err_set(e, EINVAL, "a header of rpm is damaged");
	h.entries = p + 8;
	h.data = h.entries + (size_t)h.n_entries * ENTRY_BYTES;
	return add_header(&h, f, e);
}

/* --- the database */

struct rpmdb {
	sqlite3 *db;
	sqlite3_stmt *query;
	int steps;
	char *data;
	size_t size;
	size_t bytes; /* of headers that may still come: they lie in the file, one beside the other */
	size_t seen; /* since something was forgotten */
};

static void rpmdb_done(struct rpmdb *d)
{
	sqlite3_finalize(d->query);
	sqlite3_close(d->db);
}

static int failed(int rc, struct err *e)
{
	return err_set(e, rc == SQLITE_NOMEM ? ENOMEM : EINVAL, "SQLite: %s", sqlite3_errstr(rc));
}

/* A query that hostile pages have made endless ends. */
static int count_steps(void *arg)
{
	return ++*(int *)arg > STEPS_MAX;
}

/* What is in the file is data: nothing that its schema names is run, and nothing that is large is made. */
static int open_db(struct rpmdb *d)
{
	int rc = sqlite3_open(":memory:", &d->db);

	if (rc != SQLITE_OK)
		return rc;
	sqlite3_db_config(d->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(d->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(d->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_db_config(d->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_drop_modules(d->db, NULL);
	sqlite3_limit(d->db, SQLITE_LIMIT_LENGTH, HEADER_MAX);
	sqlite3_progress_handler(d->db, CALL_EVERY, count_steps, &d->steps);
	/* a copy in memory has no log beside it: SQLite opens it only if it says so */
	d->data[WAL_BYTES] = d->data[WAL_BYTES + 1] = 1;
	return sqlite3_deserialize(d->db, "main", (unsigned char *)d->data, (sqlite3_int64)d->size,
				   (sqlite3_int64)d->size, SQLITE_DESERIALIZE_READONLY);
}

/* Is the column what it should be, and not computed by an expression that the file brings? */
static int check_column(struct rpmdb *d, struct err *e)
{
	static const char sql[] =
		"SELECT 1 FROM pragma_table_xinfo('Packages') WHERE name = 'blob' AND hidden = 0";
	int rc = sqlite3_prepare_v2(d->db, sql, -1, &d->query, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(d->query);
	sqlite3_finalize(d->query);
	d->query = NULL;
	if (rc == SQLITE_DONE)
		return err_set(e, EINVAL, "it is no database of rpm");
	return rc == SQLITE_ROW ? 0 : failed(rc, e);
}

/* So that a large database is not resident as a whole: its pages come again from the file when they are read. */
static void forget(struct rpmdb *d, size_t n)
{
	d->seen += n + PAGE_BYTES;
	if (d->seen < FORGET_BYTES)
		return;
	madvise(d->data, d->size, MADV_DONTNEED);
	d->seen = 0;
}

static int take_rows(struct rpmdb *d, struct package_file *f, struct err *e)
{
	int r = 0, rc = sqlite3_prepare_v2(d->db, "SELECT blob FROM Packages", -1, &d->query, NULL);

	if (rc != SQLITE_OK)
		return failed(rc, e);
	while (r == 0 && (rc = sqlite3_step(d->query)) == SQLITE_ROW) {
		const unsigned char *blob = sqlite3_column_blob(d->query, 0);
		size_t n = (size_t)sqlite3_column_bytes(d->query, 0);

		if (n > d->bytes)
			return err_set(e, EINVAL, "it names one place many times");
		d->bytes -= n;
		r = rpm_header_parse(blob, n, f, e);
		if (f->is_mapping)
			forget(d, n);
	}
	return r < 0 || rc == SQLITE_DONE ? r : failed(rc, e);
}

int rpm_sqlite_parse(char *data, size_t n, struct package_file *f, struct err *e)
{
	AUTO(rpmdb_done) struct rpmdb d = { .data = data, .size = n, .bytes = n };
	int rc, r;

	if (n < 512)
		return err_set(e, EINVAL, "it is no database");
	rc = open_db(&d);
	r = rc == SQLITE_OK ? check_column(&d, e) : failed(rc, e);
	return r < 0 ? r : take_rows(&d, f, e);
}
