/* test_etc_port.c - lines of /etc/hosts and /etc/resolv.conf come and go with a network, and nothing else of them */
#include "../cm.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/path.h"
#include "container/etc_port.h"

static char dir[] = "/dev/shm/ketch-etc.XXXXXX";
static int root = -1;

static int make_root(void **state)
{
	return mkdtemp(dir) && (root = open(dir, O_PATH | O_DIRECTORY)) >= 0 ? 0 : -1;
}

static int drop_root(void **state)
{
	close(root);
	return remove_tree(AT_FDCWD, dir);
}

static void put(const char *path, const char *text)
{
	int fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write_full(fd, text, strlen(text)), 0);
	close(fd);
}

static void has(const char *path, const char *text)
{
	struct buf got = { 0 };

	assert_int_equal(read_file(root, path, 4096, &got), 0);
	assert_string_equal(got.data ? got.data : "", text);
	buf_done(&got);
}

static int fill(void **state)
{
	assert_return_code(mkdirat(root, "etc", 0755) == 0 || errno == EEXIST ? 0 : -1, errno);
	put("etc/hosts", "127.0.0.1\tlocalhost\n10.0.0.2\tbox\n10.0.0.20\tbox\n10.0.0.2\tother");
	put("etc/resolv.conf", "nameserver 10.0.0.1\nsearch example.org\nnameserver 10.0.0.10\n");
	return 0;
}

static char address[] = "10.0.0.2/24", address6[] = "fd00::2/64", dns[] = "10.0.0.1", name[] = "box";
static struct net_port port = { .address = address, .address6 = address6, .dns = dns };
static struct instance_spec spec = { .hostname = name };

static void its_lines_go_and_come(void **state)
{
	etc_port_change(root, &spec, &port, true);
	has("etc/hosts", "127.0.0.1\tlocalhost\n10.0.0.20\tbox\n10.0.0.2\tother\n");
	has("etc/resolv.conf", "search example.org\nnameserver 10.0.0.10\n");
	for (int i = 0; i < 2; i++) /* told twice it is there once */
		etc_port_change(root, &spec, &port, false);
	has("etc/hosts",
	    "127.0.0.1\tlocalhost\n10.0.0.20\tbox\n10.0.0.2\tother\n10.0.0.2\tbox\nfd00::2\tbox\n");
	has("etc/resolv.conf", "search example.org\nnameserver 10.0.0.10\nnameserver 10.0.0.1\n");
}

static void what_the_user_chose_stays(void **state)
{
	char own[] = "192.0.2.1", *servers[] = { own }, target[] = "/etc/hosts";
	struct mount_spec mount = { .target = target };
	struct instance_spec s = {
		.hostname = name, .mounts = &mount, .n_mounts = 1, .net.dns = { servers, 1 }
	};

	etc_port_change(root, &s, &port, true);
	has("etc/hosts", "127.0.0.1\tlocalhost\n10.0.0.2\tbox\n10.0.0.20\tbox\n10.0.0.2\tother");
	has("etc/resolv.conf", "nameserver 10.0.0.1\nsearch example.org\nnameserver 10.0.0.10\n");
}

static void traps_are_not_opened(void **state)
{
	struct stat st;

	assert_int_equal(unlinkat(root, "etc/hosts", 0), 0);
	assert_int_equal(mkfifoat(root, "etc/hosts", 0644), 0);
	assert_int_equal(unlinkat(root, "etc/resolv.conf", 0), 0);
	assert_int_equal(symlinkat("../../../../etc/resolv.conf", root, "etc/resolv.conf"),
			 0); /* itself, in this root */
	etc_port_change(root, &spec, &port, false);
	assert_int_equal(fstatat(root, "etc/hosts", &st, 0), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(unlinkat(root, "etc/hosts", 0), 0);
	assert_int_equal(unlinkat(root, "etc/resolv.conf", 0), 0);
	etc_port_change(root, &spec, &port, false); /* nothing is made, either */
	assert_int_equal(faccessat(root, "etc/hosts", F_OK, 0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(its_lines_go_and_come, fill),
		cmocka_unit_test_setup(what_the_user_chose_stays, fill),
		cmocka_unit_test_setup(traps_are_not_opened, fill),
	};

	return cmocka_run_group_tests(tests, make_root, drop_root);
}
