/* test_oci_mounts.c - the mounts of an OCI container as the kernel shows them: options, binds, propagation, places; as
 * root */
#include "oci_rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- file systems */

static void options_reach_the_mount(void **state)
{
	oci_expect(
		"", "",
		MOUNT("/a", "tmpfs", "tmpfs", "\"nosuid\",\"noexec\",\"size=64k\",\"mode=1700\",\"noatime\"") "," MOUNT("/b", "tmpfs", "x", "\"ro\",\"nodev\",\"strictatime\",\"nodiratime\",\"nosymfollow\"") "," MOUNT(
			"/c", "tmpfs", "x",
			"\"rro\",\"rnoexec\"") "," MOUNT("/d", "tmpfs", "x",
							 "\"nosuid\",\"suid\",\"sync\","
							 "\"lazytime\"") "," MOUNT("/dev/"
										   "pts",
										   "devpt"
										   "s",
										   "devpt"
										   "s",
										   "\"new"
										   "insta"
										   "nce\""
										   ",\"pt"
										   "mxmod"
										   "e="
										   "0666"
										   "\","
										   "\"nos"
										   "uid"
										   "\"") "," MOUNT("/dev/"
												   "mqueue",
												   "mqueue",
												   "mqueue",
												   "\"nosuid"
												   "\"") "," MOUNT("/sys",
														   "sysfs",
														   "sysfs",
														   "\"ro\""),
		SHOW("/[abcd]") "; stat -c %a /a; mount | grep -c 'on /d type tmpfs (rw,sync,.*lazytime'; "
				"ls /dev/pts; stat -f -c %T /sys; touch /sys/x 2>&1 | grep -c Read-only",
		"/a rw,nosuid,noexec,noatime\n/b ro,nodev,nodiratime,nosymfollow\n/c ro,noexec,relatime\n"
		"/d rw,relatime\n1700\n1\nptmx\nsysfs\n1\n");
}

static void a_tmpfs_keeps_the_mode_of_what_it_covers_and_can_begin_with_it(void **state)
{
	oci_need_root();
	oci_make_dir("rootfs/var/sticky");
	assert_int_equal(chmod("rootfs/var/sticky", 01777), 0);
	oci_put("rootfs/etc/motd", "hello\n");
	assert_int_equal(chown("rootfs/etc/motd", 5, 6), 0);
	oci_expect(
		"", "",
		MOUNT("/var/sticky", "tmpfs", "tmpfs", "") "," MOUNT("/etc", "tmpfs", "tmpfs",
								     "\"tmpcopyup\",\"ro\""),
		"stat -c %a /var/sticky; stat -c '%u %g' /etc/motd; cat /etc/motd; touch /etc/x 2>&1 | grep "
		"-c Read-only",
		"1777\n5 6\nhello\n1\n");
}

/* In a tmpfs that is to be read-only the places of later mounts are still made. */
static void a_read_only_tmpfs_is_sealed_last(void **state)
{
	oci_expect("", "",
		   MOUNT("/run", "tmpfs", "tmpfs", "\"ro\"") "," MOUNT("/run/deep/er", "tmpfs", "tmpfs", ""),
		   "touch /run/x 2>&1 | grep -c Read-only; touch /run/deep/er/x && echo ok", "1\nok\n");
}

/* Longer than fsconfig(2) takes a value, and one in quotes. */
static void long_options_go_another_way(void **state)
{
	char mounts[4096], path[256];
	size_t n;

	oci_need_root();
	n = (size_t)snprintf(
		mounts, sizeof(mounts),
		"{\"destination\":\"/merged\",\"type\":\"overlay\",\"source\":\"overlay\",\"options\":["
		"\"nosuid\",\"ro\",\"lowerdir=");
	for (int i = 0; i < 12; i++) {
		snprintf(path, sizeof(path), "layers/a-rather-long-name-of-a-layer-%02d", i);
		oci_make_dir(path);
		n += (size_t)snprintf(mounts + n, sizeof(mounts) - n, "%s%s/%s", i ? ":" : "", oci_bundle,
				      path);
	}
	snprintf(mounts + n, sizeof(mounts) - n, "\"]}");
	oci_put("layers/a-rather-long-name-of-a-layer-11/last", "");
	oci_expect("", "", mounts, "ls /merged; " SHOW("/merged"), "last\n/merged ro,nosuid,relatime\n");
}

static void a_remount_changes_what_is_there(void **state)
{
	oci_expect("", "",
		   MOUNT("/a", "tmpfs", "tmpfs", "\"size=64k\"") "," MOUNT(
			   "/a", "none", "none",
			   "\"remount\",\"nosuid\",\"noexec\",\"size="
			   "128k\"") "," MOUNT("/b", "tmpfs", "tmpfs",
					       "\"size=64k\"") "," MOUNT("/b", "none", "none",
									 "\"remount\",\"bind\",\"ro\""),
		   SHOW("/[ab]") "; mount | grep -o 'on /a .*size=128k'| grep -c a",
		   "/a rw,nosuid,noexec,relatime\n/b ro,relatime\n1\n");
}

/* --- binds */

static void nest(const char *path)
{
	char deep[PATH_MAX];

	snprintf(deep, sizeof(deep), "%s/deep", path);
	oci_make_dir(path);
	assert_int_equal(mount("outer", path, "tmpfs", 0, "size=64k"), 0);
	oci_make_dir(deep);
	assert_int_equal(mount("inner", deep, "tmpfs", MS_NOSUID, "size=64k"), 0);
}

static void a_bind_is_shallow_or_deep_and_so_are_its_options(void **state)
{
	oci_need_root();
	nest("src");
	oci_expect("", "",
		   MOUNT("/a", "bind", "src", "\"bind\"") "," MOUNT(
			   "/b", "bind", "src",
			   "\"rbind\",\"ro\"") "," MOUNT("/c", "none", "src",
							 "\"rbind\",\"rro\",\"rsuid\","
							 "\"nodev\"") "," MOUNT("/d", "bind", "src",
										"\"rbind\","
										"\"rnoexec\","
										"\"rnoatime\""
										",\"rrw\""),
		   SHOW("/[abcd]"),
		   "/a rw,relatime\n/b ro,relatime\n/b/deep rw,nosuid,relatime\n/c ro,nodev,relatime\n"
		   "/c/deep ro,relatime\n/d rw,noexec,noatime\n/d/deep rw,nosuid,noexec,noatime\n");
}

static void a_file_is_bound_on_a_file(void **state)
{
	oci_need_root();
	oci_put("one", "1\n");
	oci_expect("", "",
		   MOUNT("/etc/deep/one", "bind", "one", "\"bind\",\"ro\"") "," MOUNT("/proc/uptime", "bind",
										      "one", "\"bind\""),
		   "cat /etc/deep/one /proc/uptime; (echo > /etc/deep/one) 2>&1 | grep -c Read-only",
		   "1\n1\n1\n");
	oci_expect_refusal("", MOUNT("/bin", "bind", "one", "\"bind\""), "mounts[2]: ");
}

/* --- propagation */

static void mount_outside(void)
{
	autoclose int ready = -1, go = -1;
	char byte;

	ready = open("vol/ready", O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(ready, &byte, 1), 1);
	assert_int_equal(mount("late", "vol/late", "tmpfs", 0, "size=64k"), 0);
	go = open("vol/go", O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(go, "x", 1), 1);
}

static bool is_mount(const char *path)
{
	struct statx here, above;
	char parent[PATH_MAX];

	snprintf(parent, sizeof(parent), "%s/..", path);
	assert_int_equal(statx(AT_FDCWD, path, 0, STATX_MNT_ID, &here), 0);
	assert_int_equal(statx(AT_FDCWD, parent, 0, STATX_MNT_ID, &above), 0);
	return here.stx_mnt_id != above.stx_mnt_id;
}

static void propagation_goes_the_ways_that_were_asked(void **state)
{
	static const struct {
		const char *root, *option;
		bool in, out;
	} rows[] = {
		{ "", "rprivate", false, false },
		{ "", "rslave", true, false },
		{ "", "rbind", true, false }, /* as under runc */
		{ "", "rshared", true, false },
		{ "\"rootfsPropagation\":\"rshared\",", "rshared", true, true },
		{ "\"rootfsPropagation\":\"shared\",", "rprivate", false, false },
		{ "\"rootfsPropagation\":\"rprivate\",", "rbind", false, false },
	};

	oci_need_root();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autofree char *mounts = str_printf(
			"{\"destination\":\"/vol\",\"type\":\"bind\",\"source\":\"vol\",\"options\":["
			"\"rbind\",\"%s\"]}",
			rows[i].option);
		autofree char *config = oci_config("", rows[i].root, mounts);
		AUTO(outcome_done) struct outcome o = { 0 };

		oci_make_dir("vol");
		assert_int_equal(mount("vol", "vol", "tmpfs", 0, "size=64k"), 0);
		assert_int_equal(mount(NULL, "vol", NULL, MS_SHARED, NULL), 0);
		oci_make_dir("vol/late");
		oci_make_dir("vol/out");
		assert_int_equal(mkfifo("vol/ready", 0600) | mkfifo("vol/go", 0600), 0);
		oci_run(config,
			"mount -t tmpfs x /vol/out; echo x > /vol/ready; cat /vol/go; grep -c ' /vol/late ' "
			"/proc/self/mountinfo",
			&oci_plain, mount_outside, &o);
		if (o.e.no || strcmp(o.out.data, rows[i].in ? "x1\n" : "x0\n"))
			fail_msg("row %zu: %s%s", i, o.out.data ? o.out.data : "", o.e.msg);
		assert_int_equal(is_mount("vol/out"), rows[i].out);
		assert_int_equal(umount2("vol", MNT_DETACH), 0);
	}
}

static void the_root_propagates_as_asked(void **state)
{
	static const char *const rows[][2] = {
		{ "shared", "shared:" }, { "rshared", "shared:" },	 { "private", "-" },
		{ "slave", "-" },	 { "unbindable", "unbindable" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autofree char *lnx = str_printf("\"rootfsPropagation\":\"%s\",", rows[i][0]);
		autofree char *out = str_printf("%s\n", rows[i][1]);

		oci_expect("", lnx, "",
			   "grep ' /rootfs / ' /proc/self/mountinfo | cut -d ' ' -f 7 | sed 's/:.*/:/'; ls "
			   "/rootfs "
			   "2>/dev/null",
			   out);
	}
}

/* --- places */

static void a_missing_source_is_named(void **state)
{
	oci_expect_refusal("", MOUNT("/a", "bind", "/no/such", "\"rbind\""),
			   "mounts[2].source: \"/no/such\": no such file or directory");
	oci_expect_refusal("", MOUNT("/a", "nosuchfs", "x", ""),
			   "mounts[2]: cannot mount \"nosuchfs\" on \"/a\": no such device");
	oci_expect_refusal("", MOUNT("/a", "tmpfs", "x", "\"size=many\""),
			   "mounts[2]: cannot mount \"tmpfs\" on \"/a\"");
}

static void links_of_the_image_stay_in_the_root(void **state)
{
	oci_need_root();
	oci_make_dir("rootfs/inside");
	oci_make_dir("rootfs/proc");
	assert_int_equal(symlink("/inside", "rootfs/absolute"), 0);
	assert_int_equal(symlink("../../../../../../inside", "rootfs/relative"), 0);
	assert_int_equal(symlink("/proc/self", "rootfs/into-proc"), 0);
	assert_int_equal(symlink("/", "rootfs/whole"), 0);
	oci_expect("", "", MOUNT("/absolute/a", "tmpfs", "x", "") "," MOUNT("/relative/r", "tmpfs", "x", ""),
		   SHOW("/inside"), "/inside/a rw,relatime\n/inside/r rw,relatime\n");
	oci_expect_refusal("", MOUNT("/into-proc/attr", "tmpfs", "x", ""), "mounts[2]: cannot mount on");
	oci_expect_refusal("", MOUNT("/into-proc/attr", "bind", "/tmp", "\"bind\""),
			   "mounts[2]: cannot mount on");
	oci_expect_refusal("", MOUNT("/whole", "tmpfs", "x", ""),
			   "mounts[2]: cannot mount on /whole: it is the root");
	oci_expect_refusal("", MOUNT("/proc", "bind", "/tmp", "\"bind\""), "mounts[2]: only a proc");
}

static void places_of_the_kernels_file_systems_are_no_links(void **state)
{
	static const char *const places[] = { "proc", "dev", "sys" };

	oci_need_root();
	oci_make_dir("rootfs/inside");
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		char path[64];

		snprintf(path, sizeof(path), "rootfs/%s", places[i]);
		rmdir(path);
		assert_int_equal(symlink("/inside", path), 0);
		oci_expect_refusal("", MOUNT("/sys", "sysfs", "sysfs", ""),
				   i == 0   ? "mounts[0]: "
				   : i == 1 ? "mounts[1]: "
					    : "mounts[2]: ");
		assert_int_equal(unlink(path), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OCI_ROW(options_reach_the_mount),
		OCI_ROW(a_tmpfs_keeps_the_mode_of_what_it_covers_and_can_begin_with_it),
		OCI_ROW(a_read_only_tmpfs_is_sealed_last),
		OCI_ROW(long_options_go_another_way),
		OCI_ROW(a_remount_changes_what_is_there),
		OCI_ROW(a_bind_is_shallow_or_deep_and_so_are_its_options),
		OCI_ROW(a_file_is_bound_on_a_file),
		OCI_ROW(propagation_goes_the_ways_that_were_asked),
		OCI_ROW(the_root_propagates_as_asked),
		OCI_ROW(a_missing_source_is_named),
		OCI_ROW(links_of_the_image_stay_in_the_root),
		OCI_ROW(places_of_the_kernels_file_systems_are_no_links),
	};

	return oci_unshare() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
