/* test_config.c - the command line of ketch-vmm: what is not meant is refused by name */
#include "../cm.h"

#include "vmm/config.h"

#define ARGS(...) ((char *[]){ __VA_ARGS__, NULL })
#define GOOD	  (char *)"--kvm=3", (char *)"--kernel=4", (char *)"--uid=1000"

static void refuse(char *const *argv, const char *part)
{
	struct vmm_config c;
	struct err e = { 0 };
	int r = vmm_config_parse(argv, &c, &e);

	vmm_config_done(&c);
	if (r >= 0 || !strstr(e.msg, part))
		fail_msg("\"%s\" is not in \"%s\" (%d)", part, e.msg, r);
}

static void a_machine_is_described(void **state)
{
	struct vmm_config c;
	struct err e = { 0 };

	assert_int_equal(vmm_config_parse(ARGS(GOOD, (char *)"--memory", (char *)"512m", (char *)"--vcpus=4",
					       (char *)"--block", (char *)"fd=5,serial=root,ro"),
					  &c, &e),
			 0);
	assert_int_equal(c.memory_bytes, 512u << 20);
	assert_int_equal(c.vcpus, 4);
	assert_int_equal(c.initramfs_fd, -1);
	assert_int_equal(c.blocks.n, 1);
	vmm_config_done(&c);
}

static void what_is_missing_or_too_much_is_named(void **state)
{
	refuse(ARGS((char *)"--kernel=4", (char *)"--uid=1"), "--kvm is missing");
	refuse(ARGS((char *)"--kvm=3", (char *)"--uid=1"), "--kernel is missing");
	refuse(ARGS((char *)"--kvm=3", (char *)"--kernel=4"), "--uid is missing");
	refuse(ARGS((char *)"--kvm=3", (char *)"--kernel=4", (char *)"--uid=0"), "--uid 0");
	refuse(ARGS(GOOD, (char *)"--serial=-7"), "--serial");
	refuse(ARGS(GOOD, (char *)"--control=99999999999"), "--control");
	refuse(ARGS(GOOD, (char *)"--vcpus=0"), "--vcpus 0");
	refuse(ARGS(GOOD, (char *)"--vcpus=33"), "1 to 32");
	refuse(ARGS(GOOD, (char *)"--vcpus=4294967297"), "--vcpus 4294967297");
	refuse(ARGS(GOOD, (char *)"word"), "unexpected word: word");
	refuse(ARGS(GOOD, (char *)"--bios=x"), "bios");
	refuse(ARGS(GOOD, (char *)"--memory=lots"), "memory");
}

/* Each descriptor of a machine must have its place in the list of those that stay open. */
static void there_are_not_more_devices_than_places(void **state)
{
	char *argv[4 + CONFIG_MAX_DEVICES + CONFIG_MAX_VSOCKS + 1] = { GOOD };
	struct vmm_config c;
	struct err e = { 0 };
	unsigned n = 3;

	for (unsigned i = 0; i < CONFIG_MAX_DEVICES; i++)
		argv[n++] = (char *)"--block=fd=5";
	for (unsigned i = 0; i < CONFIG_MAX_VSOCKS; i++)
		argv[n++] = (char *)"--vsock=fd=6,port=1";
	assert_int_equal(vmm_config_parse(argv, &c, &e), 0);
	assert_true(c.blocks.n + c.vsocks.n + 6 <= CONFIG_MAX_FDS);
	vmm_config_done(&c);
	argv[n] = (char *)"--vsock=fd=6,port=1";
	refuse(argv, "vsock ports");
	argv[n] = (char *)"--net=fd=6";
	refuse(argv, "disks, interfaces and directories");
}

static void devices_are_taken_apart(void **state)
{
	struct device_config d;
	struct err e = { 0 };

	assert_int_equal(vmm_device_parse("fd=7,serial=root,ro,bps=100m,iops=500", &d, &e), 0);
	assert_int_equal(d.fd, 7);
	assert_string_equal(d.name, "root");
	assert_true(d.read_only);
	assert_int_equal(d.bytes_per_s, 100u << 20);
	assert_int_equal(d.ops_per_s, 500);
	vmm_device_done(&d);
	assert_int_equal(vmm_device_parse("fd=8,mac=02:00:0a:ff:10:01", &d, &e), 0);
	assert_memory_equal(d.mac, "\x02\x00\x0a\xff\x10\x01", 6);
	vmm_device_done(&d);
}

static void bad_words_of_devices_are_quoted(void **state)
{
	static const char *const bad[][2] = {
		{ "", "bad word" },
		{ "serial=x", "no fd=" },
		{ "fd=", "\"fd=\"" },
		{ "fd=-1", "\"fd=-1\"" },
		{ "fd=5,", "\"\"" },
		{ "fd=5,rw", "\"rw\"" },
		{ "fd=5,mac=", "\"mac=\"" },
		{ "fd=5,mac=1", "\"mac=1\"" },
		{ "fd=5,mac=03:00:00:00:00:01", "mac=03" },
		{ "fd=5,mac=02-00:00:00:00:01", "mac=02" },
		{ "fd=5,mac=02:00:00:00:00:0", "mac=02" },
		{ "fd=5,port=70000x", "port=70000x" },
		{ "fd=5,bps=-1", "bps=-1" },
		{ "fd=99999999999", "fd=99999999999" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct device_config d;
		struct err e = { 0 };

		assert_true(vmm_device_parse(bad[i][0], &d, &e) < 0);
		assert_null(d.name); /* nothing is left to be freed */
		if (!strstr(e.msg, bad[i][1]))
			fail_msg("%s: \"%s\" is not in \"%s\"", bad[i][0], bad[i][1], e.msg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_machine_is_described),
		cmocka_unit_test(what_is_missing_or_too_much_is_named),
		cmocka_unit_test(there_are_not_more_devices_than_places),
		cmocka_unit_test(devices_are_taken_apart),
		cmocka_unit_test(bad_words_of_devices_are_quoted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
