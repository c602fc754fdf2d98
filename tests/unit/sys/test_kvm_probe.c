/* test_kvm_probe.c - the verdict about this machine's KVM comes within a second, with its reason */
#include "../cm.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "sys/kvm_probe.h"

static void the_verdict_comes_within_a_second(void **state)
{
	struct kvm_verdict v = { 0 };
	int64_t began = clock_mono_ns(), took;
	autoclose int fd = kvm_open(v.reason, sizeof(v.reason));

	if (fd >= 0)
		assert_int_equal(kvm_probe(fd, &v), 0);
	took = clock_mono_ns() - began;
	print_message("%s (%.0f MIPS; %.1f ms)\n", v.usable ? "usable" : v.reason, v.mips,
		      (double)took / 1e6);
	assert_true(took < (v.late ? 4 : 1) * NS_PER_S);
	assert_int_equal(v.usable, v.reason[0] == '\0');
	assert_true(!v.usable || v.mips > 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}

static void what_is_no_kvm_gets_a_reason(void **state)
{
	autoclose int fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	struct kvm_verdict v = { 0 };

	assert_true(fd >= 0);
	assert_int_equal(kvm_probe(fd, &v), 0);
	assert_false(v.usable);
	assert_non_null(strstr(v.reason, "/dev/kvm does not make a machine"));
}

/* In a root without /dev: the child's answer is its exit status. */
static int open_in_empty_root(void)
{
	char reason[200] = "";

	if (chroot("/proc/self/fdinfo") < 0)
		return 77;
	return kvm_open(reason, sizeof(reason)) < 0 && !strcmp(reason, "there is no /dev/kvm") ? 0 : 1;
}

static int open_as_nobody(void)
{
	char reason[200] = "";
	struct stat st;
	int fd;

	if (stat("/dev/kvm", &st) < 0 || (st.st_mode & 06) || setgid(65534) < 0 || setuid(65534) < 0)
		return 77;
	fd = kvm_open(reason, sizeof(reason));
	return fd < 0 && !strcmp(reason, "no permission to open /dev/kvm") ? 0 : 1;
}

static void run_in_child(int (*fn)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(fn());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		print_message("skipped: needs root, and a /dev/kvm that not everybody may open\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void no_device_is_said(void **state)
{
	run_in_child(open_in_empty_root);
}

static void no_permission_is_said(void **state)
{
	run_in_child(open_as_nobody);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_verdict_comes_within_a_second),
		cmocka_unit_test(what_is_no_kvm_gets_a_reason),
		cmocka_unit_test(no_device_is_said),
		cmocka_unit_test(no_permission_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
