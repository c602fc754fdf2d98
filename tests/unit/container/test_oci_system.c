/* test_oci_system.c - what else an OCI container sees of the system: devices, masks, settings, its root, users, cgroups;
 * as root */
#include "oci_rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cgroup/detect.h"

/* --- devices */

static void devices_are_made_as_listed_and_the_default_ones(void **state)
{
	oci_expect(
		"",
		"\"devices\":[{\"type\":\"c\",\"path\":\"/dev/deep/"
		"fuse\",\"major\":10,\"minor\":229,\"fileMode\":432,"
		"\"uid\":7,\"gid\":8},{\"type\":\"b\",\"path\":\"/blk\",\"major\":7,\"minor\":0},"
		"{\"type\":\"p\",\"path\":\"/dev/pipe\",\"fileMode\":384},{\"type\":\"c\",\"path\":\"/dev/"
		"null\","
		"\"major\":1,\"minor\":3,\"fileMode\":420}],",
		"",
		"stat -c '%F %t:%T %a %u:%g' /dev/deep/fuse /blk /dev/pipe /dev/null /dev/tty | tr -d ' '; "
		"for l in fd stdin ptmx; do readlink /dev/$l; done; ls /dev | wc -l; echo x > /dev/null && "
		"echo ok",
		"characterspecialfilea:e56607:8\nblockspecialfile7:06660:0\nfifo0:06000:0\n"
		"characterspecialfile1:36440:0\ncharacterspecialfile5:06660:0\n/proc/self/fd\n/proc/self/fd/"
		"0\npts/ptmx\n"
		"14\nok\n");
}

static void the_hosts_dev_is_left_as_it_is(void **state)
{
	oci_need_root();
	oci_make_dir("hostdev");
	assert_int_equal(mknod("hostdev/null", S_IFCHR | 0666, makedev(1, 3)), 0);
	oci_expect("", "", MOUNT("/dev", "bind", "hostdev", "\"bind\""),
		   "ls /dev; echo > /dev/null && echo ok", "null\nok\n");
}

/* Without a /dev of its own: what the image has there is taken only if it is the right thing. */
static void a_dev_of_the_root_is_checked(void **state)
{
	static const char config[] = "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\"},\"linux\":{"
				     "\"namespaces\":[{\"type\":\"mount\"}"
				     ",{\"type\":\"pid\"}]}}";
	AUTO(outcome_done) struct outcome good = { 0 }, bad = { 0 };

	oci_run(config, "ls -l /dev/null | cut -c 1-10; ls /proc 2>/dev/null", &oci_plain, NULL, &good);
	assert_string_equal(good.out.data, "crw-rw-rw-\n");
	assert_int_equal(unlink("rootfs/dev/null"), 0);
	assert_int_equal(mknod("rootfs/dev/null", S_IFCHR | 0666, makedev(1, 5)), 0);
	oci_run(config, "echo up", &oci_plain, NULL, &bad);
	assert_non_null(strstr(bad.e.msg, "/dev/null"));
}

/* --- what is hidden, read-only or set */

static void paths_are_masked_and_read_only(void **state)
{
	oci_need_root();
	oci_make_dir("rootfs/secret");
	oci_put("rootfs/secret/file", "secret");
	oci_put("rootfs/secret.txt", "secret");
	oci_expect(
		"\"hostname\":\"box\",\"domainname\":\"example.org\",",
		"\"maskedPaths\":[\"/secret\",\"/secret.txt\",\"/proc/cmdline\",\"/proc/tty\",\"/no/such\","
		"\"/secret.txt/x\"],\"readonlyPaths\":[\"/proc/sys\",\"/etc\",\"/no/such\"],",
		"",
		"ls /secret /proc/tty 2>/dev/null; cat /secret.txt; (echo x > /proc/sys/kernel/hostname) "
		"2>&1 | "
		"grep -c Read-only; touch /etc/x 2>&1 | grep -c Read-only; touch /secret/x 2>&1 | grep -c "
		"Read-only; "
		"chmod 600 /secret.txt 2>&1 | grep -c Read-only; hostname; cat /proc/sys/kernel/domainname; "
		"stat -c %t:%T /proc/cmdline",
		"/proc/tty:\n\n/secret:\n1\n1\n1\n1\nbox\nexample.org\n1:3\n");
}

static void sysctls_reach_the_kernel_whatever_lies_at_proc(void **state)
{
	static const char config[] =
		"{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\"},\"linux\":{\"sysctl\":{\"net.ipv4."
		"ip_forward\":"
		"\"1\"},\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"network\"}]}}";
	AUTO(outcome_done) struct outcome o = { 0 };

	oci_expect("", "\"sysctl\":{\"net.ipv4.ip_forward\":\"1\",\"net/ipv4/ip_default_ttl\":\"77\"},", "",
		   "cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/ip_default_ttl", "1\n77\n");
	oci_expect_refusal("\"sysctl\":{\"net.ipv4.nosuch\":\"1\"},", "",
			   "linux.sysctl.net.ipv4.nosuch: cannot open");
	/* no /proc in the container: the setting is made, and nothing of a procfs is left */
	oci_put("rootfs/proc-was-here", "");
	oci_run(config, "ls /proc 2>/dev/null; mount -t proc p /etc && cat /etc/sys/net/ipv4/ip_forward",
		&oci_plain, NULL, &o);
	assert_string_equal(o.out.data ? o.out.data : o.e.msg, "1\n");
}

/* --- the root */

static void the_root_is_entered_one_way_or_the_other(void **state)
{
	struct oci_request no_pivot = oci_plain;
	autofree char *config = oci_config("", "", "");
	AUTO(outcome_done) struct outcome o = { 0 };

	oci_need_root();
	no_pivot.no_pivot = true;
	oci_run(config, "cd /../..; ls -d bin; ls /tmp 2>/dev/null", &no_pivot, NULL, &o);
	assert_string_equal(o.out.data ? o.out.data : o.e.msg, "bin\n");
	oci_expect("", "", "", "cd /..; ls -d bin; grep -c ' /rootfs / ' /proc/self/mountinfo", "bin\n1\n");
}

static void a_read_only_root_stays_so(void **state)
{
	AUTO(outcome_done) struct outcome o = { 0 };

	oci_run("{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\",\"readonly\":true},\"mounts\":"
		"[" BASICS "," MOUNT("/new/place", "tmpfs", "x",
				     "") "],\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":"
					 "\"pid\"}]}}",
		"touch /x 2>&1 | grep -c Read-only; touch /new/place/x && echo ok", &oci_plain, NULL, &o);
	assert_string_equal(o.out.data ? o.out.data : o.e.msg, "1\nok\n");
}

/* --- user namespaces */

#define MAPS "{\"containerID\":0,\"hostID\":200000,\"size\":65536}"

static void in_a_user_namespace_the_hosts_devices_are_bound(void **state)
{
	oci_need_root();
	assert_int_equal(chown("rootfs", 200000, 200000), 0);
	oci_expect("", "\"uidMappings\":[" MAPS "],\"gidMappings\":[" MAPS "],",
		   MOUNT("/vol", "bind", "rootfs", "\"ro\""),
		   "stat -c '%t:%T %u' /dev/null; echo x > /dev/null && echo ok; chmod 777 /dev/null "
		   "2>/dev/null; "
		   "touch /made && stat -c %u /made; touch /vol/x 2>&1 | grep -c Read-only",
		   "1:3 65534\nok\n0\n1\n");
}

static void an_idmapped_bind_shows_other_owners(void **state)
{
	autofree char *config =
		oci_config("", "\"uidMappings\":[" MAPS "],\"gidMappings\":[" MAPS "],",
			   MOUNT("/plain", "bind", "vol", "\"bind\"") "," MOUNT(
				   "/mapped", "bind", "vol",
				   "\"bind\",\"idmap\"") ","
							 "{\"destination\":\"/"
							 "own\",\"type\":\"bind\",\"source\":\"vol\","
							 "\"options\":[\"rbind\",\"ridmap\"],"
							 "\"uidMappings\":[{\"containerID\":7,\"hostID\":"
							 "200009,\"size\":1}],"
							 "\"gidMappings\":[{\"containerID\":7,\"hostID\":"
							 "200009,\"size\":1}]}");
	AUTO(outcome_done) struct outcome o = { 0 };

	oci_need_root();
	oci_make_dir("vol");
	oci_put("vol/f", "");
	assert_int_equal(chown("vol/f", 7, 7), 0);
	assert_int_equal(chown("rootfs", 200000, 200000), 0);
	oci_run(config, "stat -c %u:%g /plain/f /mapped/f /own/f", &oci_plain, NULL, &o);
	if (o.e.no && strstr(o.e.msg, "cannot map IDs")) {
		print_message("skipped: %s\n", o.e.msg);
		skip();
	}
	assert_string_equal(o.out.data ? o.out.data : o.e.msg, "65534:65534\n7:7\n9:9\n");
}

/* --- cgroups */

static void cgroups_show_only_their_own(void **state)
{
	struct host_facts facts = { 0 };
	struct oci_request rq = { .facts = &facts };
	char lnx[128];
	autofree char *config = NULL;
	AUTO(outcome_done) struct outcome o = { 0 };

	oci_need_root();
	snprintf(lnx, sizeof(lnx), "\"cgroupsPath\":\"/ketch-oci-mounts-%d\",", (int)getpid());
	config = oci_config("", lnx,
			    MOUNT("/sys", "sysfs", "sysfs", "") "," MOUNT("/sys/fs/cgroup", "cgroup",
									  "cgroup", "\"ro\",\"nosuid\""));
	cgroup_detect(&facts);
	if (facts.cgroup_mode == CGROUP_NONE || access("/sys/fs/cgroup", W_OK) < 0) {
		print_message("skipped: no cgroups here\n");
		skip();
	}
	oci_run(config,
		"cd /sys/fs/cgroup; test -d memory && cd memory; grep -x $$ cgroup.procs >/dev/null && echo "
		"mine; "
		"mkdir x 2>&1 | grep -c Read-only; mkdir /sys/fs/cgroup/x 2>&1 | grep -c Read-only; "
		"cut -d : -f 3 /proc/self/cgroup | sort | head -n 1",
		&rq, NULL, &o);
	strv_done(&facts.cgroups);
	free(facts.cgroup2);
	facts.cgroup2 = NULL;
	assert_string_equal(o.e.no ? o.e.msg : o.out.data, "mine\n1\n1\n/\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OCI_ROW(devices_are_made_as_listed_and_the_default_ones),
		OCI_ROW(the_hosts_dev_is_left_as_it_is),
		OCI_ROW(a_dev_of_the_root_is_checked),
		OCI_ROW(paths_are_masked_and_read_only),
		OCI_ROW(sysctls_reach_the_kernel_whatever_lies_at_proc),
		OCI_ROW(the_root_is_entered_one_way_or_the_other),
		OCI_ROW(a_read_only_root_stays_so),
		OCI_ROW(in_a_user_namespace_the_hosts_devices_are_bound),
		OCI_ROW(an_idmapped_bind_shows_other_owners),
		OCI_ROW(cgroups_show_only_their_own),
	};

	return oci_unshare() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
