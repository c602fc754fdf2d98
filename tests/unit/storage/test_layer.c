/* test_layer.c - rows of writable layers: what stands on what, and what nobody needs any more */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/auto.h"
#include "storage/layer.h"
#include "storage/snapshot.h"

static char dir[32];

static void run(struct db *db, const char *sql)
{
	AUTO(db_stmt_done) struct db_stmt st = db_sql(db, sql);

	assert_int_equal(db_run(&st, NULL), 0);
}

static int open_store(void **state)
{
	struct db *db;

	strcpy(dir, "/dev/shm/ketch-layer.XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(db_open(dir, &db, NULL), 0);
	run(db, "CREATE TABLE instance (id TEXT PRIMARY KEY) WITHOUT ROWID");
	run(db, "INSERT INTO instance (id) VALUES ('one'), ('two')");
	assert_int_equal(storage_init(db, NULL), 0);
	*state = db;
	return 0;
}

static int close_store(void **state)
{
	char command[64];

	db_close(*state);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static void add_snapshot(struct db *db, const char *id, const char *instance, const char *layer)
{
	const struct snapshot s = { .id = (char *)(uintptr_t)id,
				    .name = (char *)(uintptr_t)id,
				    .instance = (char *)(uintptr_t)instance,
				    .layer = (char *)(uintptr_t)layer,
				    .image_id = (char[]){ "sha256:0" },
				    .spec = (char[]){ "{}" } };

	assert_int_equal(snapshot_record_add(db, &s, NULL), 0);
}

static void chain_is(struct db *db, const char *id, const char *want)
{
	AUTO(strv_done) struct strv chain = { 0 };
	char got[256] = "";

	assert_int_equal(layer_chain(db, id, &chain, NULL), 0);
	for (size_t i = 0; i < chain.n; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s", i ? " " : "", chain.v[i]);
	assert_string_equal(got, want);
}

static bool known(struct db *db, const char *id)
{
	bool yes = false;

	assert_int_equal(layer_is_known(db, id, &yes, NULL), 0);
	return yes;
}

static void an_instance_without_a_row_writes_to_the_layer_of_its_id(void **state)
{
	AUTO(writable_done) struct writable w = { 0 };

	assert_int_equal(writable_find(*state, "one", &w, NULL), 0);
	assert_string_equal(w.top, "one");
	assert_null(w.below);
	assert_null(w.snapshot);
	chain_is(*state, NULL, "");
}

static void layers_go_with_the_last_that_needs_them(void **state)
{
	struct db *db = *state;

	assert_int_equal(writable_set(db, "one", "one", NULL, NULL, NULL), 0);
	add_snapshot(db, "s1", "one", "one");
	assert_int_equal(writable_set(db, "one", "b", "one", "s1", NULL), 0);
	add_snapshot(db, "s2", "one", "b");
	assert_int_equal(writable_set(db, "one", "c", "b", "s2", NULL), 0);
	chain_is(db, "c", "one b c");
	/* a clone, on a branch of its own */
	assert_int_equal(writable_set(db, "two", "two", "one", NULL, NULL), 0);
	chain_is(db, "two", "one two");

	/* back to s1: what stood on s2 stays with it, the top goes */
	assert_int_equal(writable_set(db, "one", "d", "one", "s1", NULL), 0);
	assert_int_equal(layers_forget(db, NULL), 0);
	assert_false(known(db, "c"));
	assert_true(known(db, "b") && known(db, "d"));

	run(db, "DELETE FROM instance WHERE id = 'one'");
	assert_int_equal(layers_forget(db, NULL), 0);
	assert_false(known(db, "b") || known(db, "d"));
	chain_is(db, "two", "one two");
	run(db, "DELETE FROM instance WHERE id = 'two'");
	assert_int_equal(layers_forget(db, NULL), 0);
	assert_false(known(db, "one") || known(db, "two"));
}

static void nobody_stands_on_nothing_and_no_two_write_to_one(void **state)
{
	struct db *db = *state;
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(db, "DELETE FROM writable_layer WHERE id = 'one'");

	assert_int_equal(writable_set(db, "one", "one", NULL, NULL, NULL), 0);
	assert_int_equal(writable_set(db, "one", "b", "one", NULL, NULL), 0);
	assert_true(db_run(&st, NULL) < 0);
	assert_true(writable_set(db, "two", "b", NULL, NULL, NULL) < 0);
	assert_true(layer_add(db, "x", "nosuch", NULL) < 0);
	chain_is(db, "b", "one b");
}

static void pair_is(struct db *db, const char *instance, const char *want)
{
	AUTO(layer_pair_done) struct layer_pair p = { 0 };
	char got[64] = "";

	if (layer_pair_find(db, instance, "", &p, NULL) > 0)
		snprintf(got, sizeof(got), "%s %s on %s", p.lower, p.upper, p.below ? p.below : "-");
	assert_string_equal(got, want);
}

static void a_layer_that_only_stands_between_others_becomes_one_with_what_stands_on_it(void **state)
{
	struct db *db = *state;
	AUTO(snapshot_done) struct snapshot s2 = { 0 }, s3 = { 0 };
	AUTO(writable_done) struct writable w = { 0 };
	const struct layer_pair p = { (char[]){ "b" }, (char[]){ "c" }, NULL };

	assert_int_equal(writable_set(db, "one", "a", NULL, NULL, NULL), 0);
	assert_int_equal(writable_set(db, "one", "b", "a", NULL, NULL), 0);
	add_snapshot(db, "s2", "one", "b");
	assert_int_equal(writable_set(db, "one", "c", "b", "s2", NULL), 0);
	add_snapshot(db, "s3", "one", "c");
	assert_int_equal(writable_set(db, "one", "d", "c", "s3", NULL), 0);
	pair_is(db, "one", "a b on -");
	pair_is(db, "two", "");
	assert_int_equal(writable_set(db, "two", "two", "a", NULL, NULL), 0); /* a clone needs it */
	pair_is(db, "one", "");
	run(db, "DELETE FROM instance WHERE id = 'two'");
	assert_int_equal(layers_forget(db, NULL), 0);
	add_snapshot(db, "s1", "one", "a");
	pair_is(db, "one", "");

	assert_int_equal(snapshot_record_find(db, "one", "s2", &s2, NULL), 0);
	assert_int_equal(snapshot_record_remove(db, &s2, NULL), 0);
	pair_is(db, "one", "b c on a");
	assert_int_equal(layer_pair_merge(db, &p, NULL), 0);
	chain_is(db, "d", "a b d");
	assert_int_equal(snapshot_record_find(db, "one", "s3", &s3, NULL), 0);
	assert_string_equal(s3.layer, "b"); /* whatever the document says */
	assert_int_equal(snapshot_record_remove(db, &s3, NULL), 0);
	pair_is(db, "one", "b d on a");
	assert_int_equal(
		layer_pair_merge(db, &(struct layer_pair){ (char[]){ "b" }, (char[]){ "d" }, NULL }, NULL),
		0);
	assert_int_equal(writable_find(db, "one", &w, NULL), 0);
	assert_string_equal(w.top, "b");
	assert_string_equal(w.below, "a");
}

static void a_chain_has_an_end(void **state)
{
	AUTO(strv_done) struct strv chain = { 0 };
	char id[16], below[16] = "0";

	assert_int_equal(layer_add(*state, "0", NULL, NULL), 0);
	for (int i = 1; i <= LAYERS_MOST; i++) {
		snprintf(id, sizeof(id), "%d", i);
		assert_int_equal(layer_add(*state, id, below, NULL), 0);
		strcpy(below, id);
	}
	assert_int_equal(layer_chain(*state, id, &chain, NULL), -EMLINK);
	strv_done(&chain);
	snprintf(id, sizeof(id), "%d", LAYERS_MOST - 1);
	assert_int_equal(layer_chain(*state, id, &chain, NULL), 0);
	assert_int_equal(chain.n, LAYERS_MOST);
	assert_string_equal(chain.v[0], "0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_instance_without_a_row_writes_to_the_layer_of_its_id,
						open_store, close_store),
		cmocka_unit_test_setup_teardown(layers_go_with_the_last_that_needs_them, open_store,
						close_store),
		cmocka_unit_test_setup_teardown(nobody_stands_on_nothing_and_no_two_write_to_one, open_store,
						close_store),
		cmocka_unit_test_setup_teardown(
			a_layer_that_only_stands_between_others_becomes_one_with_what_stands_on_it,
			open_store, close_store),
		cmocka_unit_test_setup_teardown(a_chain_has_an_end, open_store, close_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
