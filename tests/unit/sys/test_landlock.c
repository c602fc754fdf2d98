/* test_landlock.c - what was not allowed is refused, also to root */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../cm.h"
#include "base/auto.h"
#include "sys/landlock.h"

static bool can_open(const char *path, int flags)
{
	autoclose int fd = open(path, flags, 0600);

	return fd >= 0;
}

/* In a child, which may read /usr and write /dev/null; returns the number of the first check that failed. */
static int check_confined(int set)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || landlock_enter(set) < 0)
		return 1;
	if (!can_open("/usr/bin/env", O_RDONLY) || !can_open("/dev/null", O_RDWR))
		return 2;
	if (can_open("/etc/passwd", O_RDONLY) || can_open("/etc", O_RDONLY | O_DIRECTORY))
		return 3;
	if (can_open("/usr/ketch-test-file", O_WRONLY | O_CREAT) ||
	    can_open("/tmp/ketch-test-file", O_WRONLY | O_CREAT))
		return 4;
	return 0;
}

static void only_the_allowed_places_can_be_opened(void **state)
{
	autoclose int set = landlock_new();
	int status;
	pid_t pid;

	if (set == -ENOSYS || set == -EOPNOTSUPP) {
		print_message("skipped: this kernel has no Landlock\n");
		skip();
	}
	assert_true(set >= 0);
	assert_int_equal(landlock_allow_path(set, "/usr", false), 0);
	assert_int_equal(landlock_allow_path(set, "/dev/null", true), 0);
	assert_int_equal(landlock_allow_path(set, "/no/such/place", false), 0);
	pid = fork();
	if (pid == 0)
		_exit(check_confined(set));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(only_the_allowed_places_can_be_opened) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
