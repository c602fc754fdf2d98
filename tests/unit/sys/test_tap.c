/* test_tap.c - taps, in a network namespace of its own */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../cm.h"
#include "sys/tap.h"

static void a_tap_has_the_name_and_the_header_that_drivers_share(void **state)
{
	struct ifreq q = { 0 };
	int header = 0, fd = tap_open("kt-one");

	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, TUNGETIFF, &q), 0);
	assert_string_equal(q.ifr_name, "kt-one");
	assert_int_equal(q.ifr_flags & (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE | IFF_PERSIST),
			 IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
	assert_int_equal(ioctl(fd, TUNGETVNETHDRSZ, &header), 0);
	assert_int_equal(header, TAP_HEADER);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	close(fd);
}

static void it_goes_with_its_last_descriptor(void **state)
{
	int fd = tap_open("kt-gone"), copy = dup(fd);

	assert_true(fd >= 0 && copy >= 0);
	close(fd);
	assert_true(if_nametoindex("kt-gone") > 0);
	close(copy);
	assert_int_equal(if_nametoindex("kt-gone"), 0);
}

static void a_name_that_is_taken_is_not_taken_over(void **state)
{
	int fd = tap_open("kt-mine");

	assert_true(fd >= 0);
	assert_int_equal(tap_open("kt-mine"), -EBUSY);
	assert_int_equal(tap_open("lo"), -EBUSY);
	close(fd);
}

static void what_can_be_no_name_is_refused(void **state)
{
	static const char *const bad[] = { "", "tap%d", "a/b", "sixteen-letters-",
					   "much longer than any interface" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(tap_open(bad[i]), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tap_has_the_name_and_the_header_that_drivers_share),
		cmocka_unit_test(it_goes_with_its_last_descriptor),
		cmocka_unit_test(a_name_that_is_taken_is_not_taken_over),
		cmocka_unit_test(what_can_be_no_name_is_refused),
	};
	int fd;

	if (unshare(CLONE_NEWNET) < 0) {
		printf("skipped: no network namespace (%s)\n", strerror(errno));
		return 77;
	}
	fd = tap_open("kt-probe");
	if (fd == -ENOENT || fd == -EPERM) {
		printf("skipped: no /dev/net/tun (%s)\n", strerror(-fd));
		return 77;
	}
	close(fd);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
