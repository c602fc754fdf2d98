/* test_seal.c - every system call there is, tried under each filter: those of the list pass, all others kill */
#include "../cm.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "base/sanitized.h"
#include "vmm/seal.h"

#define LAST_CALL 512
#define MOST	  64
/* Not behind any filter (Linux 6.11, 6.18): they kill with SIGILL whoever does not come from a probe's trampoline. */
#define NR_URETPROBE 335
#define NR_UPROBE    336

static const char *const kind_names[SEAL_KINDS] = { "main", "worker", "vcpu" };

/* Makes the call in a sealed child, with arguments that name nothing.  True: the filter killed it.  Otherwise it ends by a
 * trap: most kinds of thread may not even exit. */
static bool is_killed(enum seal_kind kind, long nr, long a0, long a1, long a2)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* no core */
		signal(SIGILL, SIG_DFL); /* cmocka has a handler */
		if (seal_thread(kind) < 0)
			raise(SIGABRT);
		syscall(nr, a0, a1, a2, -1L, -1L, -1L);
		__builtin_trap();
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_false(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

static void skip_if_guarded(void)
{
	if (!SANITIZED)
		return;
	print_message("skipped: a sanitizer makes system calls of its own\n");
	skip();
}

static bool has(const int *list, size_t n, int nr)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == nr)
			return true;
	return false;
}

/* ioctl and tgkill pass for some arguments only, which have their own case. */
static void each_call_passes_or_kills_as_the_list_says(void **state)
{
	skip_if_guarded();
	for (int kind = 0; kind < SEAL_KINDS; kind++) {
		int list[MOST];
		size_t n = seal_list((enum seal_kind)kind, list, MOST);

		for (int nr = 0; nr < LAST_CALL; nr++) {
			bool listed = has(list, n, nr) && nr != SYS_ioctl && nr != SYS_tgkill;

			if (nr == NR_URETPROBE || nr == NR_UPROBE)
				continue;
			if (is_killed((enum seal_kind)kind, nr, -1, -1, -1) == listed)
				fail_msg("%s: call %d is %s", kind_names[kind], nr,
					 listed ? "killed" : "let through");
		}
	}
}

static void x32_numbers_are_killed(void **state)
{
	assert_true(is_killed(SEAL_MAIN, SYS_read | 0x40000000, -1, -1, -1));
	assert_true(is_killed(SEAL_VCPU, SYS_write | 0x40000000, -1, -1, -1));
}

static void a_vcpu_has_the_ioctls_of_a_vcpu_only(void **state)
{
	skip_if_guarded();
	assert_false(is_killed(SEAL_VCPU, SYS_ioctl, -1, KVM_RUN, 0));
	assert_false(is_killed(SEAL_VCPU, SYS_ioctl, -1, KVM_SET_GSI_ROUTING, 0));
	assert_true(is_killed(SEAL_VCPU, SYS_ioctl, -1, KVM_CREATE_VCPU, 0));
	assert_true(is_killed(SEAL_VCPU, SYS_ioctl, -1, KVM_SET_USER_MEMORY_REGION, 0));
	assert_true(is_killed(SEAL_VCPU, SYS_ioctl, -1, KVM_SET_MSRS, 0));
	assert_true(is_killed(SEAL_WORKER, SYS_ioctl, -1, KVM_RUN, 0));
	assert_true(is_killed(SEAL_WORKER, SYS_ioctl, -1, KVM_SET_REGS, 0));
	assert_false(is_killed(SEAL_MAIN, SYS_ioctl, -1, KVM_GET_MSRS, 0));
	assert_true(is_killed(SEAL_MAIN, SYS_ioctl, -1, KVM_CREATE_VCPU, 0));
	assert_true(is_killed(SEAL_MAIN, SYS_ioctl, -1, KVM_RUN, 0));
}

/* The child is its own process: only its own number passes, which it cannot be told here; ours must not. */
static void only_the_kick_to_ourselves_passes(void **state)
{
	assert_true(is_killed(SEAL_MAIN, SYS_tgkill, getpid(), 1, SIGUSR1));
	assert_true(is_killed(SEAL_MAIN, SYS_tgkill, 1, 1, SIGUSR1));
	assert_true(is_killed(SEAL_VCPU, SYS_tgkill, 1, 1, SIGUSR1));
}

/* The promise of docs/design/007: fewer than Firecracker, and none that makes or opens anything. */
static void the_lists_are_short_and_make_nothing(void **state)
{
	static const int never[] = { SYS_open,	   SYS_openat,	  SYS_openat2,	    SYS_creat, SYS_socket,
				     SYS_connect,  SYS_accept,	  SYS_accept4,	    SYS_bind,  SYS_execve,
				     SYS_execveat, SYS_clone,	  SYS_clone3,	    SYS_fork,  SYS_vfork,
				     SYS_ptrace,   SYS_mount,	  SYS_memfd_create, SYS_kill,  SYS_mmap,
				     SYS_mprotect, SYS_socketpair };
	static const size_t most[SEAL_KINDS] = { [SEAL_MAIN] = 24, [SEAL_WORKER] = 16, [SEAL_VCPU] = 9 };
	int all[MOST * SEAL_KINDS];
	size_t total = 0;

	for (int kind = 0; kind < SEAL_KINDS; kind++) {
		int list[MOST];
		size_t n = seal_list((enum seal_kind)kind, list, MOST);

		assert_true(n <= most[kind]);
		for (size_t i = 0; i < n; i++)
			if (!has(all, total, list[i]))
				all[total++] = list[i];
	}
	assert_true(total <= 32);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_false(has(all, total, never[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_call_passes_or_kills_as_the_list_says),
		cmocka_unit_test(x32_numbers_are_killed),
		cmocka_unit_test(a_vcpu_has_the_ioctls_of_a_vcpu_only),
		cmocka_unit_test(only_the_kick_to_ourselves_passes),
		cmocka_unit_test(the_lists_are_short_and_make_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
