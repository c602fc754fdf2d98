/* test_db.c - records: statements, schemas of rooms, transactions, several processes */
#include "../cm.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/path.h"
#include "db/db.h"

static const char *const steps[] = {
	"CREATE TABLE t (k TEXT PRIMARY KEY, n INTEGER) STRICT",
	"ALTER TABLE t ADD COLUMN more TEXT",
};

static char dir[64];

static int set_up(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/ketch-test-db-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	return remove_tree(AT_FDCWD, dir);
}

static struct db *open_db(size_t version)
{
	struct db *db = NULL;
	struct err e = { 0 };

	if (db_open(dir, &db, &e) < 0 || db_schema(db, "room", steps, version, &e) < 0)
		fail_msg("%s", e.msg);
	return db;
}

static int insert(struct db *db, const char *key, int64_t n, struct err *e)
{
	AUTO(db_stmt_done) struct db_stmt st = db_sql(db, "INSERT INTO t (k, n) VALUES (?, ?)");

	db_bind_text(&st, key);
	db_bind_i64(&st, n);
	return db_run(&st, e);
}

static int64_t count(struct db *db)
{
	AUTO(db_stmt_done) struct db_stmt st = db_sql(db, "SELECT count(*) FROM t");

	assert_int_equal(db_step(&st, NULL), 1);
	return db_i64(&st, 0);
}

static void what_is_written_is_read_back(void **state)
{
	struct db *db = open_db(2);
	struct db_stmt st;
	struct stat sb;
	char path[100];

	assert_int_equal(insert(db, "b", INT64_MIN, NULL), 0);
	assert_int_equal(insert(db, "a'); DROP TABLE t; --", INT64_MAX, NULL), 0);
	st = db_sql(db, "SELECT k, n, more FROM t ORDER BY k");
	assert_int_equal(db_step(&st, NULL), 1);
	assert_string_equal(db_text(&st, 0), "a'); DROP TABLE t; --");
	assert_true(db_i64(&st, 1) == INT64_MAX);
	assert_string_equal(db_text(&st, 2), "");
	assert_int_equal(db_step(&st, NULL), 1);
	assert_int_equal(db_step(&st, NULL), 0);
	db_stmt_done(&st);
	snprintf(path, sizeof(path), "%s/ketch.db-wal", dir);
	assert_int_equal(stat(path, &sb), 0);
	assert_int_equal(sb.st_mode & 0777, 0600);
	db_close(db);
}

static void errors_are_told_with_their_class(void **state)
{
	struct db *db = open_db(1);
	struct err e = { 0 };
	struct db_stmt st = db_sql(db, "SELECT nonsense FROM nowhere");

	db_bind_text(&st, "x");
	assert_true(db_step(&st, &e) < 0);
	assert_non_null(strstr(e.msg, "nowhere"));
	db_stmt_done(&st);
	assert_int_equal(insert(db, "k", 1, &e), 0);
	assert_int_equal(insert(db, "k", 2, &e), -EEXIST);
	db_close(db);
	assert_int_equal(db_open("/nonexistent", &db, &e), -ENOENT);
}

static void a_room_grows_by_steps_and_never_back(void **state)
{
	struct err e = { 0 };
	struct db *db = open_db(1);

	assert_int_equal(insert(db, "old", 1, NULL), 0);
	assert_int_equal(db_schema(db, "room", steps, 2, &e), 0);
	assert_int_equal(db_schema(db, "room", steps, 2, &e), 0);
	assert_int_equal(count(db), 1);
	assert_int_equal(db_schema(db, "room", steps, 1, &e), -EPROTO);
	assert_non_null(strstr(e.msg, "newer ketch"));
	db_close(db);
}

static void what_is_not_committed_is_undone(void **state)
{
	struct db *db = open_db(2);
	struct err e = { 0 };

	{
		AUTO(db_tx_done) struct db_tx tx = { 0 };

		assert_int_equal(db_begin(db, &tx, &e), 0);
		assert_int_equal(insert(db, "k", 1, &e), 0);
	}
	assert_int_equal(count(db), 0);
	{
		AUTO(db_tx_done) struct db_tx tx = { 0 };

		assert_int_equal(db_begin(db, &tx, &e), 0);
		assert_int_equal(insert(db, "k", 1, &e), 0);
		assert_int_equal(db_commit(&tx, &e), 0);
	}
	assert_int_equal(count(db), 1);
	db_close(db);
}

/* On a read-only file system the log cannot be folded in, and what was written last stands in it alone. */
static void who_only_reads_sees_the_log_and_writes_nothing(void **state)
{
	autofree char *index = str_printf("%s/ketch.db-shm", dir), *log = str_printf("%s/ketch.db-wal", dir);
	struct db *db = open_db(1);
	struct err e = { 0 };

	assert_int_equal(insert(db, "k", 1, NULL), 0);
	db_close(db);
	assert_int_equal(db_open_read(dir, &db, &e), 0);
	assert_int_equal(db_schema(db, "room", steps, 1, &e), 0);
	assert_int_equal(count(db), 1);
	assert_int_equal(insert(db, "l", 1, &e), -EACCES);
	assert_non_null(strstr(e.msg, "read-only"));
	db_close(db);
	/* a copy without the index of its log: what stands in the log cannot be left out in silence */
	assert_int_equal(unlink(index), 0);
	assert_int_equal(db_open_read(dir, &db, &e), -EROFS);
	db = open_db(1);
	assert_int_equal(count(db), 1);
	db_close(db);
	assert_int_equal(unlink(index), 0);
	assert_int_equal(truncate(log, 0), 0);
	assert_int_equal(db_open_read(dir, &db, &e), 0);
	db_close(db);
}

static void records_of_no_store_are_none(void **state)
{
	struct db *db = NULL;
	struct err e = { 0 };

	assert_int_equal(db_open_none(&db, &e), 0);
	assert_int_equal(db_schema(db, "room", steps, 2, &e), 0);
	assert_int_equal(count(db), 0);
	db_close(db);
	assert_int_equal(db_open_read("/nonexistent", &db, &e), -ENOENT);
}

static int write_many(int who)
{
	struct db *db;

	if (db_open(dir, &db, NULL) < 0 || db_schema(db, "room", steps, 2, NULL) < 0)
		return 1;
	for (int i = 0; i < 20; i++) {
		char key[32];

		snprintf(key, sizeof(key), "%d/%d", who, i);
		if (insert(db, key, i, NULL) < 0)
			return 2;
	}
	db_close(db);
	return 0;
}

static int waits_for_the_disk(struct db *db)
{
	AUTO(db_stmt_done) struct db_stmt st = db_sql(db, "PRAGMA synchronous");

	assert_int_equal(db_step(&st, NULL), 1);
	return db_i64(&st, 0) == 2; /* FULL */
}

/* What the disk has then is for tests/e2e/power_loss.py to see. */
static void only_a_live_transaction_does_not_wait_for_the_disk(void **state)
{
	struct db *db = open_db(1);
	struct db_tx tx = { 0 };

	assert_true(waits_for_the_disk(db));
	for (int committed = 0; committed < 2; committed++) {
		assert_int_equal(db_begin_live(db, &tx, NULL), 0);
		assert_false(waits_for_the_disk(db));
		assert_int_equal(insert(db, "live", 1, NULL), 0);
		if (committed)
			assert_int_equal(db_commit(&tx, NULL), 0);
		db_tx_done(&tx);
		assert_true(waits_for_the_disk(db));
		assert_int_equal(count(db), committed);
	}
	assert_int_equal(db_begin(db, &tx, NULL), 0);
	assert_int_equal(db_begin_live(db, &(struct db_tx){ 0 }, NULL), -EIO);
	db_tx_done(&tx);
	assert_true(waits_for_the_disk(db));
	db_close(db);
}

static void all_of(int n, int (*work)(int who))
{
	int status;

	for (int i = 0; i < n; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (!pid)
			_exit(work(i));
	}
	for (int i = 0; i < n; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
}

static void many_processes_open_and_write_at_once(void **state)
{
	enum { N = 16 };
	struct db *db;

	all_of(N, write_many);
	db = open_db(2);
	assert_int_equal(count(db), N * 20);
	db_close(db);
}

static int make_and_close(int who)
{
	struct db *db;

	if (db_open(dir, &db, NULL) < 0)
		return 1;
	db_close(db);
	return 0;
}

/* The first commands in a new store, again and again: who makes its records makes the others wait, and fails none. */
static void many_processes_make_the_records_at_once(void **state)
{
	for (int round = 0; round < 50; round++) {
		all_of(24, make_and_close);
		assert_int_equal(tear_down(state), 0);
		assert_int_equal(set_up(state), 0);
	}
}

/* A command opens, writes and closes, alone, thousands of times. */
static void the_log_is_folded_in_before_it_is_long(void **state)
{
	struct stat st;
	char path[128];

	snprintf(path, sizeof(path), "%s/ketch.db-wal", dir);
	for (int i = 0; i < 500; i++) {
		struct db *db = open_db(2);
		char key[16];

		snprintf(key, sizeof(key), "%d", i);
		assert_int_equal(insert(db, key, i, NULL), 0);
		db_close(db);
		if (stat(path, &st) == 0 && st.st_size > 160 * 4096)
			fail_msg("after %d commands the log has %lld bytes", i, (long long)st.st_size);
	}
}

/* A row of "bad" cannot be parsed. */
static int parse_key(const struct db_stmt *st, void *ret, struct err *e)
{
	if (!strcmp(db_text(st, 0), "bad"))
		return err_set(e, EBADMSG, "bad");
	*(char **)ret = strdup(db_text(st, 0));
	return 0;
}

static void free_key(void *row)
{
	free(*(char **)row);
}

static int list_keys(struct db *db, bool skip, char ***ret, size_t *ret_n)
{
	const struct db_rows rows = {
		.size = sizeof(char *), .parse = parse_key, .done = free_key, .skip_damaged = skip
	};
	AUTO(db_stmt_done) struct db_stmt st = db_sql(db, "SELECT k FROM t ORDER BY k");

	return db_list(&st, &rows, ret, ret_n, NULL);
}

static void rows_become_a_list(void **state)
{
	struct db *db = open_db(2);
	char **list;
	size_t n;

	assert_int_equal(list_keys(db, false, &list, &n), 0);
	assert_int_equal(n, 0);
	free(list);
	insert(db, "a", 1, NULL);
	insert(db, "bad", 2, NULL);
	insert(db, "c", 3, NULL);
	assert_int_equal(list_keys(db, false, &list, &n), -EBADMSG);
	assert_int_equal(list_keys(db, true, &list, &n), 0);
	assert_int_equal(n, 2);
	assert_string_equal(list[1], "c");
	for (size_t i = 0; i < n; i++)
		free(list[i]);
	free(list);
	db_close(db);
}

/* Told to end, which it holds back: it waits for nobody, once. */
static void who_waits_for_a_writer_can_be_interrupted(void **state)
{
	struct db *writer = open_db(1), *other = open_db(1);
	struct db_tx tx = { 0 }, late = { 0 };
	struct err e = { 0 };
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGTERM);
	assert_int_equal(sigprocmask(SIG_BLOCK, &held, NULL), 0);
	assert_int_equal(db_begin(writer, &tx, &e), 0);
	assert_int_equal(raise(SIGTERM), 0);
	assert_int_equal(db_begin(other, &late, &e), -EINTR);
	assert_string_equal(e.msg, "interrupted while another process held the store's records");
	assert_int_equal(db_commit(&tx, &e), 0);
	assert_int_equal(db_begin(other, &late, &e), 0);
	db_tx_done(&late);
	db_close(other);
	db_close(writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_only_reads_sees_the_log_and_writes_nothing, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(records_of_no_store_are_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_written_is_read_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rows_become_a_list, set_up, tear_down),
		cmocka_unit_test_setup_teardown(errors_are_told_with_their_class, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_room_grows_by_steps_and_never_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_not_committed_is_undone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_a_live_transaction_does_not_wait_for_the_disk, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_log_is_folded_in_before_it_is_long, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_processes_open_and_write_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_processes_make_the_records_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_waits_for_a_writer_can_be_interrupted, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
