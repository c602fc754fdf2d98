/* test_exe.c - a program goes on from another file */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../cm.h"
#include "base/auto.h"
#include "base/sanitized.h"
#include "sys/exe.h"

static char **words;
static char changed[] = "before"; /* data with a value of its own: must come along */
static char *const relocated = changed;

static int copy_of_us(char *path)
{
	autoclose int exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), out = mkstemp(path);
	struct stat st;

	assert_true(exe >= 0 && out >= 0 && fstat(exe, &st) == 0 && fchmod(out, 0700) == 0);
	for (off_t at = 0; at < st.st_size;)
		assert_true(sendfile(out, exe, &at, (size_t)(st.st_size - at)) > 0);
	close(out);
	out = -1;
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Exit status of a child that moves to fd: 0; 1: it is not there; else the error of the move. */
static int move_in_child(int fd, const char *path)
{
	pid_t pid = fork();
	char now[256] = "";
	int status, r;

	if (pid)
		return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	strcpy(changed, "after");
	r = exe_move(fd, words);
	if (r < 0)
		_exit(-r);
	_exit(readlink("/proc/self/exe", now, sizeof(now) - 1) < 0 || strcmp(now, path) ||
	      strcmp(relocated, "after"));
}

static void it_goes_on_from_there_with_its_data(void **state)
{
	char path[] = "/tmp/test-exe.XXXXXX";
	autoclose int fd = copy_of_us(path);
	int r = SANITIZED ? -1 : move_in_child(fd, path);

	unlink(path);
	if (r < 0 || r == EPERM) {
		print_message("skipped: %s\n", r < 0 ? "a sanitizer guards the data" : "no right to it");
		skip();
	}
	assert_int_equal(r, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_goes_on_from_there_with_its_data),
	};

	words = argv;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
