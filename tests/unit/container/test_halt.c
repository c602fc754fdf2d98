/* test_halt.c - the word for the end that an init system listens to */
#include "../cm.h"

#include <signal.h>
#include <unistd.h>

#include "base/auto.h"
#include "container/halt.h"

static uint64_t bit(int signo)
{
	return UINT64_C(1) << (signo - 1);
}

static void chosen_by_what_it_listens_to(void **state)
{
	const uint64_t all = ~UINT64_C(0);

	assert_int_equal(halt_choose(bit(SIGCHLD), all), HALT_SIGNAL); /* systemd */
	assert_int_equal(halt_choose(bit(SIGPWR) | bit(SIGINT), all), SIGPWR);
	assert_int_equal(halt_choose(bit(SIGINT) | bit(SIGCHLD), all), SIGINT); /* openrc-init */
	assert_int_equal(halt_choose(bit(SIGTSTP), 0), SIGPWR); /* busybox */
}

static void read_from_the_process(void **state)
{
	sigset_t word;

	sigemptyset(&word);
	sigaddset(&word, SIGRTMIN + 3); /* glibc's is the kernel's 34 */
	sigprocmask(SIG_BLOCK, &word, NULL);
	assert_int_equal(halt_signal(getpid()), HALT_SIGNAL);
	sigprocmask(SIG_UNBLOCK, &word, NULL);
	assert_int_equal(halt_signal(getpid()), SIGPWR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chosen_by_what_it_listens_to),
		cmocka_unit_test(read_from_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
