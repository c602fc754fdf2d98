/* test_jail.c - stage 1 of the jail: which descriptors stay */
#include "../cm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmm/jail.h"

#define MOST 64

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* In a child, which has 0 to 9: are exactly `want` of these open after fds[0..n) were kept? */
static void keeps(const int *fds, unsigned n, const char *want)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct err e = { 0 };
		int bad = 0;

		for (int fd = 3; fd < MOST; fd++)
			dup2(0, fd);
		for (int fd = 10; fd < MOST; fd++)
			close(fd);
		bad |= jail_keep_fds(fds, n, &e) < 0;
		for (int fd = 0; fd < MOST; fd++)
			bad |= is_open(fd) != (fd < 10 && want[fd] == 'x');
		_exit(bad);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void only_stdio_and_what_is_named_stays_open(void **state)
{
	keeps((int[]){ 0 }, 0, "xxx.......");
	keeps((int[]){ 5 }, 1, "xxx..x....");
	keeps((int[]){ 9, 3, 5 }, 3, "xxxx.x...x");
	keeps((int[]){ 5, 5 }, 2, "xxx..x....");
	/* also where one of stdio is named */
	keeps((int[]){ 0, 7 }, 2, "xxx....x..");
	keeps((int[]){ 1 }, 1, "xxx.......");
}

static void what_is_not_open_is_named(void **state)
{
	struct err e = { 0 };
	int fd = dup(0);

	close(fd);
	assert_int_equal(jail_keep_fds(&fd, 1, &e), -EBADF);
	assert_non_null(strstr(e.msg, "is not open"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_stdio_and_what_is_named_stays_open),
		cmocka_unit_test(what_is_not_open_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
