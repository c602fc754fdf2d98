/* test_lock.c - locks of the store: one holder, waiting is bounded, the holder is named */
#include "../cm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "image/store_int.h"

static char dir[64];
static struct image_store *store;

static int set_up(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/ketch-test-lock-XXXXXX");
	return mkdtemp(dir) ? image_store_open(dir, true, &store, NULL) : -1;
}

static int tear_down(void **state)
{
	image_store_close(store);
	return remove_tree(AT_FDCWD, dir);
}

static void one_has_it_and_others_hear_who(void **state)
{
	struct err e = { 0 };
	char owner[64];
	int fd = image_store_lock(store, "x", 0, "ketch load", &e);

	assert_true(fd >= 0);
	assert_int_equal(image_store_lock(store, "x", 0, "ketch rmi", &e), -EBUSY);
	snprintf(owner, sizeof(owner), "by ketch load, process %d", (int)getpid());
	assert_non_null(strstr(e.msg, owner));
	close(fd);
	fd = image_store_lock(store, "x", 0, "ketch rmi", &e);
	assert_true(fd >= 0);
	close(fd);
}

static void a_stage_of_the_dead_is_swept_and_of_the_living_is_not(void **state)
{
	struct stage living, dead;
	struct err e = { 0 };

	assert_int_equal(stage_open(store, &living, &e), 0);
	assert_int_equal(stage_open(store, &dead, &e), 0);
	close(dead.fd); /* what the kernel does for a process that is killed */
	assert_int_equal(mkdirat(store->layers_fd, "orphan", 0700), 0);
	assert_int_equal(store_sweep(store, &e), 0);
	assert_int_equal(faccessat(store->tmp_fd, living.name, F_OK, 0), 0);
	assert_int_equal(faccessat(store->tmp_fd, dead.name, F_OK, 0), -1);
	assert_int_equal(faccessat(store->layers_fd, "orphan", F_OK, 0), -1);
	stage_done(&living);
	assert_int_equal(faccessat(store->tmp_fd, living.name, F_OK, 0), -1);
}

static void a_store_of_somebody_else_is_refused(void **state)
{
	struct image_store *s = NULL;
	struct err e = { 0 };
	char other[80];

	snprintf(other, sizeof(other), "%s/other", dir);
	assert_int_equal(mkdir(other, 0755), 0);
	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(other, 12345, 0), 0);
	assert_int_equal(image_store_open(other, true, &s, &e), -EPERM);
	assert_non_null(strstr(e.msg, "another user"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_has_it_and_others_hear_who, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_stage_of_the_dead_is_swept_and_of_the_living_is_not, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_store_of_somebody_else_is_refused, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
