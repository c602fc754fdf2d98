/* test_journald.c - entries for systemd's journal, as a journald would get them */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../cm.h"
#include "base/auto.h"
#include "sys/journald.h"

static void an_entry_arrives_as_one_datagram(void **state)
{
	char dir[] = "/tmp/ketch-journald.XXXXXX", got[256];
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	AUTO(buf_done) struct buf entry = { 0 };
	autoclose int server = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), client = -1;
	static const char want[] = "MESSAGE=a=b\0c\nBODY\n\3\0\0\0\0\0\0\0x\ny\nPRIORITY=6\n";
	ssize_t n;

	assert_non_null(mkdtemp(dir));
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/socket", dir);
	assert_int_equal(bind(server, (struct sockaddr *)&sa, sizeof(sa)), 0);
	client = journald_connect(sa.sun_path);
	assert_true(client >= 0);
	journald_add(&entry, "MESSAGE", "a=b\0c", 5);
	journald_add(&entry, "BODY", "x\ny", 3);
	journald_add(&entry, "PRIORITY", "6", 1);
	assert_int_equal(journald_send(client, &entry), 0);
	n = recv(server, got, sizeof(got), MSG_DONTWAIT);
	assert_int_equal(n, sizeof(want) - 1);
	assert_memory_equal(got, want, sizeof(want) - 1);
	unlink(sa.sun_path);
	rmdir(dir);
}

static void nobody_there_is_an_error(void **state)
{
	assert_int_equal(journald_connect("/nonexistent/socket"), -ENOENT);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_arrives_as_one_datagram),
		cmocka_unit_test(nobody_there_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
