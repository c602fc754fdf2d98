/* test_wall.c - what a container sees and may do: the wall itself; as root */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"

/* Runs a shell script; the output must be exactly `out`. */
static void expect_output(const char *more, const char *script, const char *out)
{
	AUTO(buf_done) struct buf b = { 0 };
	struct rig *r;

	buf_addf(&b, "{%s\"process\":{\"args\":[\"sh\",\"-c\",", more);
	json_add_str(&b, script);
	buf_adds(&b, "]}}");
	r = rig_run(b.data);
	if (strcmp(rig_out(r, 0), out))
		fail_msg("%s\ngave: %s%s%s", script, rig_out(r, 0), rig_err(r, 0), rig_text(r, 0));
	rig_done(r);
}

static void the_host_is_not_behind_the_root(void **state)
{
	expect_output("", "cd /..; ls; cd /../../..; ls; ls /proc/1/root/..",
		      "bin\ndev\netc\nproc\nsys\ntmp\nbin\ndev\netc\nproc\nsys\ntmp\nbin\ndev\netc\nproc\nsys"
		      "\ntmp\n");
	/* every mount hangs below the root: the first line is it, and nothing of the host's disk is left */
	expect_output("", "grep -c ' / / ' /proc/self/mountinfo; grep -c ext4 /proc/self/mountinfo",
		      "1\n0\n");
}

static void an_exec_lands_in_the_same_root(void **state)
{
	struct rig *r = rig_new("{\"process\":{\"args\":[\"sh\",\"-c\",\"echo up; sleep 100\"]}}");

	assert_int_equal(rig_start(r), 0);
	rig_main(r);
	rig_until_output(r, 0, "up");
	rig_exec(r, 1,
		 "{\"args\":[\"sh\",\"-c\",\"ls /..; grep -c ' / / ' /proc/self/mountinfo; ls /proc/self/fd; "
		 "grep -v '/$' /proc/self/cgroup; grep Cap /proc/self/status\"],\"env\":[\"PATH=/bin\"],"
		 "\"caps\":[\"CAP_KILL\"]}");
	rig_until(r, &r->s[1].exited);
	assert_string_equal(
		rig_out(r, 1),
		"bin\ndev\netc\nproc\nsys\ntmp\n1\n0\n1\n2\n3\n"
		"CapInh:\t0000000000000000\nCapPrm:\t0000000000000020\nCapEff:\t0000000000000020\n"
		"CapBnd:\t0000000000000020\nCapAmb:\t0000000000000000\n");
	container_backend.kill(r->running);
	rig_until(r, &r->ended);
	rig_done(r);
}

static void the_five_sets_are_exact(void **state)
{
	static const char script[] = "grep Cap /proc/self/status";

	expect_output("", script,
		      "CapInh:\t0000000000000000\nCapPrm:\t00000000800405fb\nCapEff:\t00000000800405fb\n"
		      "CapBnd:\t00000000800405fb\nCapAmb:\t0000000000000000\n");
}

static void another_user_starts_without_capabilities(void **state)
{
	struct rig *r = rig_run(
		"{\"process\":{\"args\":[\"grep\",\"-E\",\"Cap|NoNew|Seccomp:\",\"/proc/self/status\"],"
		"\"user\":\"ann\",\"noNewPrivileges\":true}}");

	assert_string_equal(
		rig_out(r, 0),
		"CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
		"CapBnd:\t00000000800405fb\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t0\n");
	rig_done(r);
}

/* Whatever the monitor has open (layers, the run directory), a command or "#!" line of the image cannot name it. */
static void no_program_is_found_behind_a_descriptor(void **state)
{
	for (int fd = 3; fd < 64; fd++) {
		AUTO(buf_done) struct buf b = { 0 };
		struct rig *r;

		buf_addf(&b, "{\"process\":{\"args\":[\"/proc/self/fd/%d/bin/sh\",\"-c\",\"echo in\"]}}", fd);
		r = rig_run(b.data);
		if (*rig_out(r, 0) || !*rig_text(r, 0))
			fail_msg("descriptor %d: it ran", fd);
		rig_done(r);
	}
}

static void namespaces_are_its_own(void **state)
{
	static const char *const kinds[] = { "mnt", "pid", "ipc", "uts", "net", "cgroup" };
	struct rig *r =
		rig_run("{\"process\":{\"args\":[\"sh\",\"-c\",\"for n in mnt pid ipc uts net cgroup; do "
			"readlink /proc/self/ns/$n; done; cat /proc/self/cgroup\"]}}");
	char path[64], own[64];

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/ns/%s", kinds[i]);
		n = readlink(path, own, sizeof(own) - 1);
		assert_true(n > 0);
		own[n] = '\0';
		assert_null(strstr(rig_out(r, 0), own));
		snprintf(path, sizeof(path), "%s:[", kinds[i]);
		assert_non_null(strstr(rig_out(r, 0), path));
	}
	assert_null(strstr(rig_out(r, 0), "ketch"));
	rig_done(r);
}

static void the_network_is_lo_and_up(void **state)
{
	expect_output("", "ip -o link | grep -c :; ip -o link | grep -c 'lo: <LOOPBACK,UP'", "1\n1\n");
}

static void dev_is_dockers_and_nothing_else(void **state)
{
	expect_output("",
		      "ls /dev; ls -l /dev | grep -c ' 1, *3 '; echo x > /dev/null; head -c 3 /dev/zero | wc "
		      "-c; mount | grep -c 'on /dev/pts '",
		      "core\nfd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nuran"
		      "dom\nzero\n1\n3\n1\n");
	/* making a node is CAP_MKNOD's, opening it is the device rules' */
	expect_output("\"privileged\":false,",
		      "mknod /tmp/sda b 8 0 2>&1 | head -c 5; mount -t tmpfs x /tmp 2>&1 | wc -l",
		      "mknod1\n");
}

static void device_rules_refuse_what_mknod_makes(void **state)
{
	struct rig *r = rig_run(
		"{\"process\":{\"args\":[\"sh\",\"-c\",\"mknod /tmp/m c 1 1 && mknod /tmp/z c 1 5 && "
		"head -c 1 /tmp/z | wc -c; head -c 1 /tmp/m\"],\"caps\":[\"CAP_MKNOD\",\"CAP_SYS_RAWIO\"]}}");

	assert_string_equal(rig_out(r, 0), "1\n");
	assert_non_null(strstr(rig_err(r, 0), "/tmp/m: Operation not permitted"));
	rig_done(r);
}

static void paths_are_masked_and_read_only(void **state)
{
	static const char *const masked[] = { "/proc/acpi",	     "/proc/interrupts",
					      "/proc/kcore",	     "/proc/keys",
					      "/proc/latency_stats", "/proc/timer_list",
					      "/proc/sched_debug",   "/proc/scsi",
					      "/proc/asound",	     "/proc/timer_stats",
					      "/sys/firmware",	     "/sys/devices/virtual/powercap" };
	AUTO(buf_done) struct buf script = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(masked); i++)
		buf_addf(&script, "cat %s/* %s 2>/dev/null | wc -c; ", masked[i], masked[i]);
	expect_output("", script.data, "0\n0\n0\n0\n0\n0\n0\n0\n0\n0\n0\n0\n");
	expect_output(
		"",
		"for f in /proc/sys /proc/sysrq-trigger /proc/irq /proc/bus /proc/fs /sys /sys/fs/cgroup; do "
		"test -e $f && ! grep -q \" $f ro,\" /proc/self/mountinfo && echo $f; done; "
		"for f in /proc/sys/kernel/hostname /sys/x /sys/fs/cgroup/x; do "
		"(echo 1 > $f) 2>&1 | grep -c Read-only; done",
		"1\n1\n1\n");
}

static void privileged_takes_the_wall_down_as_far_as_asked(void **state)
{
	struct rig *r =
		rig_new("{\"privileged\":true,\"process\":{\"args\":[\"sh\",\"-c\",\"test -c /dev/kmsg && "
			"mount -t tmpfs x /tmp && echo 1 > /proc/sys/kernel/hostname; hostname; "
			"mount | grep -c ' on /proc/'\"],\"caps\":[\"CAP_SYS_ADMIN\"]}}");

	assert_int_equal(rig_start(r), 0);
	rig_main(r);
	rig_until(r, &r->ended);
	assert_string_equal(rig_out(r, 0), "1\n0\n");
	rig_done(r);
}

static void a_read_only_root_can_not_be_written(void **state)
{
	expect_output("\"readOnly\":true,", "touch /x 2>&1 | grep -c Read-only; touch /dev/shm/x && echo ok",
		      "1\nok\n");
}

static void the_layers_stay_as_they_are(void **state)
{
	struct rig *r = rig_run(
		"{\"process\":{\"args\":[\"sh\",\"-c\",\"echo new > /etc/passwd; echo x > /tmp/new\"]}}");
	AUTO(buf_done) struct buf b = { 0 };
	int layer = boot_fd(&r->boot, "layer/0"), upper = boot_fd(&r->boot, "upper");

	assert_int_equal(read_file(layer, "etc/passwd", 4096, &b), 0);
	assert_int_equal(strncmp(b.data, "root:x:0:0", 10), 0);
	assert_int_equal(faccessat(upper, "tmp/new", F_OK, 0), 0);
	rig_done(r);
}

static void an_image_may_have_a_hundred_and_twenty_eight_layers(void **state)
{
	struct rig *r = rig_new("{\"process\":{\"args\":[\"sh\",\"-c\",\"ls /l | wc -l; test -e /l/127 && "
				"echo > /l/x && echo ok\"]}}");

	for (size_t i = 2; i < 128; i++)
		rig_layer(r, i);
	if (rig_start(r) < 0)
		fail_msg("%s", r->err.msg);
	rig_main(r);
	rig_until(r, &r->ended);
	assert_string_equal(rig_out(r, 0), "126\nok\n");
	assert_int_equal(faccessat(boot_fd(&r->boot, "upper"), "l/x", F_OK, 0), 0);
	rig_done(r);
}

/* --- mounts of the user */

static void binds_show_the_host_and_can_be_read_only(void **state)
{
	struct rig *r =
		rig_new("{\"mounts\":[{\"type\":\"bind\",\"source\":\"/x\",\"target\":\"/data/deep\"},"
			"{\"type\":\"bind\",\"source\":\"/y\",\"target\":\"/ro\",\"readOnly\":true},"
			"{\"type\":\"bind\",\"source\":\"/z\",\"target\":\"/etc/one.conf\",\"isFile\":true},"
			"{\"type\":\"tmpfs\",\"target\":\"/scratch\",\"options\":\"size=1m,mode=0700\"}],"
			"\"process\":{\"args\":[\"sh\",\"-c\",\"echo in > /data/deep/f; (echo x > /ro/f) "
			"2>&1 | grep -c Read-only; "
			"cat /etc/one.conf; stat -c %a /scratch; mount | grep -c '/scratch type tmpfs "
			"(rw,nosuid,nodev,noexec'; "
			"dd if=/dev/zero of=/scratch/x bs=1M count=2 2>&1 | grep -c space\"]}}");
	AUTO(buf_done) struct buf b = { 0 };
	char path[128];

	rig_mount_fd(r, 0, "bind0");
	rig_mount_fd(r, 1, "bind1");
	rig_add_file(r, "mount/2", "conf\n", 5);
	assert_int_equal(rig_start(r), 0);
	rig_main(r);
	rig_until(r, &r->ended);
	assert_string_equal(rig_out(r, 0), "1\nconf\n700\n1\n1\n");
	snprintf(path, sizeof(path), "%s/bind0/f", r->dir);
	assert_int_equal(read_file(AT_FDCWD, path, 100, &b), 0);
	assert_string_equal(b.data, "in\n");
	rig_done(r);
}

static void a_mount_target_behind_a_link_stays_in_the_root(void **state)
{
	struct rig *r =
		rig_new("{\"mounts\":[{\"type\":\"bind\",\"source\":\"/x\",\"target\":\"/evil/sub\"}],"
			"\"process\":{\"args\":[\"ls\",\"/tmp/ketch-outside/sub\"]}}");

	rig_mount_fd(r, 0, "bind0");
	rig_file(r, "./marker", 0644, "");
	assert_int_equal(
		symlinkat("../../../../../../tmp/ketch-outside", boot_fd(&r->boot, "layer/0"), "evil"), 0);
	close(mkdir_open(boot_fd(&r->boot, "layer/0"), "tmp/ketch-outside", 0755));
	assert_int_equal(rig_start(r), 0);
	rig_main(r);
	rig_until(r, &r->ended);
	assert_int_equal(r->s[0].status, 0);
	assert_int_equal(access("/tmp/ketch-outside", F_OK), -1);
	rig_done(r);
}

static void a_tmpfs_takes_what_the_image_has_there(void **state)
{
	struct rig *r = rig_new(
		"{\"mounts\":[{\"type\":\"tmpfs\",\"target\":\"/var/lib/"
		"x\",\"options\":\"ro\",\"copyUp\":true}],"
		"\"process\":{\"args\":[\"sh\",\"-c\",\"cd /var/lib/x; stat -c '%a %u %g' . f s; cat f; "
		"touch new || echo closed\"]}}");
	int root = boot_fd(&r->boot, "layer/0");

	rig_file(r, "var/lib/x/f", 0640, "text\n");
	rig_file(r, "var/lib/x/s", 04755, "suid");
	assert_int_equal(fchownat(root, "var/lib/x/f", 7, 8, 0), 0);
	assert_int_equal(fchownat(root, "var/lib/x", 9, 9, 0), 0);
	assert_int_equal(fchmodat(root, "var/lib/x", 0711, 0), 0);
	assert_int_equal(rig_start(r), 0);
	rig_main(r);
	rig_until(r, &r->ended);
	if (strcmp(rig_out(r, 0), "711 9 9\n640 7 8\n4755 0 0\ntext\nclosed\n"))
		fail_msg("%s%s%s", rig_out(r, 0), rig_err(r, 0), rig_text(r, 0));
	rig_done(r);
}

static void files_of_etc_are_made_and_belong_to_the_instance(void **state)
{
	struct rig *r = rig_new(
		"{\"process\":{\"args\":[\"sh\",\"-c\",\"cat /etc/hostname; grep -c inside /etc/hosts; "
		"cat /etc/resolv.conf; echo 1.2.3.4 x >> /etc/hosts && echo ok; ls /run/a\"]}}");

	/* as systemd images have it: a link to what is not there */
	assert_int_equal(symlinkat("../run/a/stub.conf", boot_fd(&r->boot, "layer/0"), "etc/resolv.conf"), 0);
	assert_int_equal(rig_start(r), 0);
	rig_main(r);
	rig_until(r, &r->ended);
	assert_string_equal(rig_out(r, 0), "inside\n1\n# no network\nok\nstub.conf\n");
	rig_done(r);
}

/* --- hostile images */

static void an_image_that_makes_traps_of_our_places_is_refused(void **state)
{
	static const char *const places[] = { "dev", "proc", "sys" };
	static const char *const targets[] = { "/tmp", "/proc", "../../../../etc", "/dev/..", "." };

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		for (size_t j = 0; j < ARRAY_LEN(targets); j++) {
			struct rig *r = rig_new("{}");

			assert_int_equal(symlinkat(targets[j], boot_fd(&r->boot, "layer/0"), places[i]), 0);
			assert_int_equal(rig_start(r), 0);
			rig_main(r);
			rig_until(r, &r->ended);
			assert_true(r->s[0].failed);
			assert_int_equal(r->s[0].status, 125);
			if (!strstr(rig_text(r, 0), "symbolic link"))
				fail_msg("%s -> %s: %s", places[i], targets[j], rig_text(r, 0));
			rig_done(r);
		}
	}
}

static void account_files_that_are_no_files_are_refused(void **state)
{
	static const struct {
		mode_t kind;
		const char *link;
	} rows[] = {
		{ S_IFIFO, NULL },  { S_IFDIR, NULL },		 { S_IFCHR, NULL },
		{ 0, "/dev/zero" }, { 0, "/proc/self/environ" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = rig_new("{\"process\":{\"user\":\"ann\"}}");
		int root = boot_fd(&r->boot, "layer/0");

		assert_int_equal(unlinkat(root, "etc/passwd", 0), 0);
		if (rows[i].link)
			assert_int_equal(symlinkat(rows[i].link, root, "etc/passwd"), 0);
		else if (rows[i].kind == S_IFDIR)
			assert_int_equal(mkdirat(root, "etc/passwd", 0755), 0);
		else
			assert_int_equal(mknodat(root, "etc/passwd", rows[i].kind | 0644, 0x105), 0);
		assert_int_equal(rig_start(r), 0);
		rig_main(r);
		rig_until(r, &r->ended);
		assert_true(r->s[0].failed);
		assert_int_equal(r->s[0].status, 125);
		rig_done(r);
	}
}

/* --- filter, users */

/* Refuses sethostname(2) and uname(2) with ENOANO, an errno nothing else gives here. */
static const struct sock_filter no_uname[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sethostname, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOANO),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static void the_filter_is_loaded_with_and_without_no_new_privileges(void **state)
{
	static const char *const nnp[] = { "false", "true" };

	for (size_t i = 0; i < 2; i++) {
		char spec[512];
		struct rig *r;

		snprintf(spec, sizeof(spec),
			 "{\"seccomp\":\"sha256:x\",\"process\":{\"args\":[\"sh\",\"-c\",\"grep Seccomp: "
			 "/proc/self/status; "
			 "hostname x 2>&1 | grep -c 'No "
			 "anode'\"],\"seccomp\":true,\"caps\":[\"CAP_SYS_ADMIN\"],"
			 "\"noNewPrivileges\":%s}}",
			 nnp[i]);
		r = rig_new(spec);
		rig_add_file(r, "seccomp", no_uname, sizeof(no_uname));
		assert_int_equal(rig_start(r), 0);
		rig_main(r);
		rig_until(r, &r->ended);
		if (strcmp(rig_out(r, 0), "Seccomp:\t2\n1\n"))
			fail_msg("%s%s%s", rig_out(r, 0), rig_err(r, 0), rig_text(r, 0));
		rig_done(r);
	}
}

static void a_bad_filter_is_refused_before_anything_runs(void **state)
{
	struct rig *r = rig_new("{\"seccomp\":\"sha256:x\"}");

	rig_add_file(r, "seccomp", no_uname, 13);
	assert_int_equal(rig_start(r), -EINVAL);
	assert_non_null(strstr(r->err.msg, "filter"));
	rig_done(r);
}

static void a_user_namespace_shifts_every_owner(void **state)
{
	struct rig *r = rig_new(
		"{\"userns\":true,\"mounts\":[{\"type\":\"volume\",\"source\":\"v\",\"target\":\"/vol\"}],"
		"\"process\":{\"args\":[\"sh\",\"-c\",\"cat /proc/self/uid_map | wc -l; stat -c %u / "
		"/bin/busybox /dev/null /vol; "
		"touch /vol/f /made; chown 5 /vol/f && stat -c %u /vol/f /made; echo x > /dev/null && id -u; "
		"(echo 1 > /proc/sys/kernel/hostname) 2>/dev/null; ls /proc/1/fd | wc -l; mount | grep -c ' "
		"on /sys '\"]}}");
	char path[128];
	struct stat st;

	rig_mount_fd(r, 0, "vol");
	if (rig_start(r) < 0 && strstr(r->err.msg, "cannot shift owners")) {
		print_message("skipped: %s\n", r->err.msg);
		rig_done(r);
		skip();
	}
	if (r->err.no)
		fail_msg("%s", r->err.msg);
	rig_main(r);
	rig_until(r, &r->ended);
	if (strncmp(rig_out(r, 0), "1\n0\n0\n65534\n0\n5\n0\n0\n", 20))
		fail_msg("%s%s%s", rig_out(r, 0), rig_err(r, 0), rig_text(r, 0));
	snprintf(path, sizeof(path), "%s/vol/f", r->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 5);
	snprintf(path, sizeof(path), "%s/upper/made", r->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_uid >= 65536);
	rig_done(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_host_is_not_behind_the_root, rig_teardown),
		cmocka_unit_test_teardown(an_exec_lands_in_the_same_root, rig_teardown),
		cmocka_unit_test_teardown(the_five_sets_are_exact, rig_teardown),
		cmocka_unit_test_teardown(another_user_starts_without_capabilities, rig_teardown),
		cmocka_unit_test_teardown(no_program_is_found_behind_a_descriptor, rig_teardown),
		cmocka_unit_test_teardown(namespaces_are_its_own, rig_teardown),
		cmocka_unit_test_teardown(the_network_is_lo_and_up, rig_teardown),
		cmocka_unit_test_teardown(dev_is_dockers_and_nothing_else, rig_teardown),
		cmocka_unit_test_teardown(device_rules_refuse_what_mknod_makes, rig_teardown),
		cmocka_unit_test_teardown(paths_are_masked_and_read_only, rig_teardown),
		cmocka_unit_test_teardown(privileged_takes_the_wall_down_as_far_as_asked, rig_teardown),
		cmocka_unit_test_teardown(a_read_only_root_can_not_be_written, rig_teardown),
		cmocka_unit_test_teardown(the_layers_stay_as_they_are, rig_teardown),
		cmocka_unit_test_teardown(an_image_may_have_a_hundred_and_twenty_eight_layers, rig_teardown),
		cmocka_unit_test_teardown(binds_show_the_host_and_can_be_read_only, rig_teardown),
		cmocka_unit_test_teardown(a_mount_target_behind_a_link_stays_in_the_root, rig_teardown),
		cmocka_unit_test_teardown(a_tmpfs_takes_what_the_image_has_there, rig_teardown),
		cmocka_unit_test_teardown(files_of_etc_are_made_and_belong_to_the_instance, rig_teardown),
		cmocka_unit_test_teardown(an_image_that_makes_traps_of_our_places_is_refused, rig_teardown),
		cmocka_unit_test_teardown(account_files_that_are_no_files_are_refused, rig_teardown),
		cmocka_unit_test_teardown(the_filter_is_loaded_with_and_without_no_new_privileges,
					  rig_teardown),
		cmocka_unit_test_teardown(a_bad_filter_is_refused_before_anything_runs, rig_teardown),
		cmocka_unit_test_teardown(a_user_namespace_shifts_every_owner, rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
