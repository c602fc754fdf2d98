/* test_rpm.c - rpm's database in SQLite: made here as rpm makes it, and as nobody should */
#include "../cm.h"

#include <endian.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "packages/parsers.h"

/* rpm: lib/backend/sqlite.c */
#define TABLE "CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL);"

struct pkg {
	const char *name, *version, *release, *arch;
	uint32_t epoch; /* 0: none */
};

static void add_u32(struct buf *b, uint32_t v)
{
	v = htobe32(v);
	buf_add(b, &v, sizeof(v));
}

static void add_entry(struct buf *entries, struct buf *data, uint32_t tag, uint32_t type, const void *value,
		      size_t n)
{
	add_u32(entries, tag);
	add_u32(entries, type);
	add_u32(entries, (uint32_t)data->len);
	add_u32(entries, 1);
	buf_add(data, value, n);
}

/* As rpm: docs/manual/format_header says. */
static void make_header(const struct pkg *p, struct buf *out)
{
	struct buf entries = { 0 }, data = { 0 };
	uint32_t epoch = htobe32(p->epoch);

	if (p->epoch)
		add_entry(&entries, &data, 1003, 4, &epoch, sizeof(epoch));
	add_entry(&entries, &data, 1000, 6, p->name, strlen(p->name) + 1);
	add_entry(&entries, &data, 1001, 6, p->version, strlen(p->version) + 1);
	add_entry(&entries, &data, 1002, 6, p->release, strlen(p->release) + 1);
	if (p->arch)
		add_entry(&entries, &data, 1022, 6, p->arch, strlen(p->arch) + 1);
	add_u32(out, (uint32_t)(entries.len / 16));
	add_u32(out, (uint32_t)data.len);
	buf_add(out, entries.data, entries.len);
	buf_add(out, data.data, data.len);
	buf_done(&entries);
	buf_done(&data);
}

static void insert(sqlite3 *db, const struct pkg *p)
{
	struct buf h = { 0 };
	sqlite3_stmt *st;

	make_header(p, &h);
	assert_int_equal(sqlite3_prepare_v2(db, "INSERT INTO Packages (blob) VALUES (?)", -1, &st, NULL),
			 SQLITE_OK);
	sqlite3_bind_blob(st, 1, h.data, (int)h.len, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(st), SQLITE_DONE);
	sqlite3_finalize(st);
	buf_done(&h);
}

static sqlite3 *make(const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	return db;
}

/* What is read of the database, which is closed; it says that it has a log, as rpm's do. */
static char *read_back(sqlite3 *db)
{
	sqlite3_int64 n;
	unsigned char *data = sqlite3_serialize(db, "main", &n, 0);
	struct package_file f = { 0 };
	struct err e = { 0 };
	struct buf out = { 0 };
	int r;

	assert_non_null(data);
	data[18] = data[19] = 2;
	r = rpm_sqlite_parse((char *)data, (size_t)n, &f, &e);
	for (size_t i = 0; i < f.n; i++)
		buf_addf(&out, "%s %s %s\n", f.packages[i].name, f.packages[i].version,
			 f.packages[i].arch ? f.packages[i].arch : "-");
	if (f.n_bad)
		buf_addf(&out, "bad: %zu\n", f.n_bad);
	if (r < 0)
		buf_addf(&out, "error: %s\n", e.msg);
	package_file_done(&f);
	sqlite3_free(data);
	sqlite3_close(db);
	return buf_take(&out);
}

static void is_read_as(sqlite3 *db, const char *want)
{
	char *is = read_back(db);

	assert_string_equal(is, want);
	free(is);
}

static void packages_have_epoch_version_and_release(void **state)
{
	sqlite3 *db = make(TABLE "CREATE TABLE 'Name' (key 'TEXT' NOT NULL, hnum INTEGER NOT NULL);");

	insert(db, &(const struct pkg){ "bash", "5.2.26", "3.fc40", "x86_64", 0 });
	insert(db, &(const struct pkg){ "openssl-libs", "3.2.1", "2.fc40", "x86_64", 1 });
	insert(db, &(const struct pkg){ "gpg-pubkey", "a15b79cc", "63d04c2c", NULL, 0 });
	insert(db, &(const struct pkg){ "", "1", "1", "noarch", 0 });
	is_read_as(db, "bash 5.2.26-3.fc40 x86_64\nopenssl-libs 1:3.2.1-2.fc40 x86_64\nbad: 1\n");
}

static void thousands_of_packages_are_read(void **state)
{
	sqlite3 *db = make(TABLE);
	struct buf want = { 0 };
	char name[32];

	sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		insert(db, &(const struct pkg){ name, "1", "1", "noarch", 0 });
		buf_addf(&want, "%s 1-1 noarch\n", name);
	}
	sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	is_read_as(db, want.data);
	buf_done(&want);
}

static void what_rpm_did_not_make_is_refused(void **state)
{
	static const struct {
		const char *sql, *want;
	} cases[] = {
		{ "CREATE TABLE x (y)", "error: it is no database of rpm\n" },
		{ "CREATE TABLE Packages (hnum)", "error: it is no database of rpm\n" },
		{ TABLE "INSERT INTO Packages (blob) VALUES (x'0000000100000000')",
		  "error: a header of rpm is damaged\n" },
		{ TABLE "INSERT INTO Packages (blob) VALUES (x'')", "error: a header of rpm is damaged\n" },
		/* the file's own expressions are not computed */
		{ "CREATE TABLE Packages (hnum, blob AS (zeroblob(8)))",
		  "error: it is no database of rpm\n" },
		{ "CREATE TABLE p (hnum); CREATE VIEW Packages AS SELECT zeroblob(8) AS blob FROM p",
		  "error: SQLite: SQL logic error\n" },
		{ "CREATE VIRTUAL TABLE Packages USING fts3(blob)", "error: SQLite: SQL logic error\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_read_as(make(cases[i].sql), cases[i].want);
}

static void what_is_no_database_is_refused(void **state)
{
	char data[4096] = "SQLite format 3";
	struct package_file f = { 0 };
	struct err e = { 0 };

	assert_true(rpm_sqlite_parse(data, 100, &f, &e) < 0);
	assert_string_equal(e.msg, "it is no database");
	assert_true(rpm_sqlite_parse(data, sizeof(data), &f, &e) < 0);
	assert_int_equal(f.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packages_have_epoch_version_and_release),
		cmocka_unit_test(thousands_of_packages_are_read),
		cmocka_unit_test(what_rpm_did_not_make_is_refused),
		cmocka_unit_test(what_is_no_database_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
