/* test_kvm_probe.c - the verdict about this machine's KVM comes within a second, with its reason */
#include "../cm.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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
	assert_true(took < (v.late ? 2 : 1) * NS_PER_S);
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

/* From now on ioctl(.., request) of this process hangs: it asks a listener that never answers. */
static int hang_ioctl(uint32_t request)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, request, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { ARRAY_LEN(code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
}

/* The exit status says whether the verdict about a KVM whose ioctl `request` hangs comes in time, with this reason. */
static int probe_hanging(int fd, uint32_t request, const char *reason)
{
	struct kvm_verdict v = { 0 };
	int64_t began = clock_mono_ns();

	if (fd < 0 || hang_ioctl(request) < 0)
		return 77;
	if (kvm_probe(fd, &v) < 0 || v.usable || !v.late || !strstr(v.reason, reason))
		return 1;
	return clock_mono_ns() - began < NS_PER_S ? 0 : 2;
}

static int probe_hanging_machine(void)
{
	return probe_hanging(open("/dev/zero", O_RDWR | O_CLOEXEC), KVM_GET_API_VERSION, "no sign of life");
}

static int probe_hanging_guest(void)
{
	char reason[200];

	return probe_hanging(kvm_open(reason, sizeof(reason)), KVM_RUN,
			     "did not get past its first instruction");
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

static void a_kvm_that_hangs_is_found_out_within_a_second(void **state)
{
	run_in_child(probe_hanging_machine);
}

static void a_guest_that_hangs_is_found_out_within_a_second(void **state)
{
	run_in_child(probe_hanging_guest);
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
		cmocka_unit_test(a_kvm_that_hangs_is_found_out_within_a_second),
		cmocka_unit_test(a_guest_that_hangs_is_found_out_within_a_second),
		cmocka_unit_test(no_device_is_said),
		cmocka_unit_test(no_permission_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
