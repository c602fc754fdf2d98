/* test_oci_mounts.c - the file system of an OCI container as the kernel shows it: options, places, devices, masks; as
 * root, in a mount namespace of its own
 */
#include "../cm.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "cgroup/cgroup.h"
#include "cgroup/detect.h"
#include "container/container_int.h"
#include "container/oci.h"
#include "sys/pidfd.h"

/* A bundle: a directory on a tmpfs of this test, with rootfs/ and whatever a test puts beside it. */
static char bundle[PATH_MAX];

/* What a container said, or why there was none. */
struct outcome {
	struct buf out;
	struct err e;
};

static void outcome_done(struct outcome *o)
{
	buf_done(&o->out);
}

/* --- the bundle */

static void put(const char *path, const char *text)
{
	autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write_full(fd, text, strlen(text)), 0);
}

static void make_dir(const char *path)
{
	int fd = mkdir_open(AT_FDCWD, path, 0755);

	assert_true(fd >= 0);
	close(fd);
}

static void make_root(void)
{
	static const char *const names[] = { "sh",  "cat",	"echo",	 "grep",     "id",
					     "ls",  "mkdir",	"mount", "mknod",    "stat",
					     "wc",  "tr",	"chmod", "hostname", "touch",
					     "sed", "readlink", "cut",	 "sort",     "rm" };
	autoclose int in = open(test_busybox(), O_RDONLY | O_CLOEXEC), out = -1;

	make_dir("rootfs/bin");
	make_dir("rootfs/etc");
	out = open("rootfs/bin/busybox", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	assert_int_equal(copy_fd(in, out), 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char path[64];

		snprintf(path, sizeof(path), "rootfs/bin/%s", names[i]);
		assert_int_equal(symlink("busybox", path), 0);
	}
}

static int setup(void **state)
{
	char template[] = "/tmp/ketch-oci-mounts.XXXXXX";

	if (geteuid() || access(test_busybox(), X_OK) < 0)
		return 0;
	assert_non_null(mkdtemp(template));
	assert_int_equal(mount("bundle", template, "tmpfs", 0, "mode=755,size=64m"), 0);
	strcpy(bundle, template);
	assert_int_equal(chdir(bundle), 0);
	make_root();
	return 0;
}

static int teardown(void **state)
{
	if (!*bundle)
		return 0;
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(umount2(bundle, MNT_DETACH), 0);
	assert_int_equal(rmdir(bundle), 0);
	*bundle = '\0';
	return 0;
}

static void need_root(void)
{
	if (*bundle)
		return;
	print_message("skipped: needs root and a static busybox\n");
	skip();
}

/* --- one container */

#define BASICS                                                                                               \
	"{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"                                 \
	"{\"destination\":\"/"                                                                               \
	"dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"mode=755\"]}"

/* "namespaces" without "type user"; `more` holds further members of the config, each with a comma behind it. */
static char *config_text(const char *more, const char *lnx, const char *mounts)
{
	return str_printf(
		"{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\"},%s\"mounts\":[" BASICS
		"%s%s],\"linux\":{%s\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":"
		"\"uts\"},{\"type\":\"ipc\"},{\"type\":\"network\"}%s]}}",
		more, *mounts ? "," : "", mounts, lnx,
		strstr(lnx, "uidMappings")   ? ",{\"type\":\"user\"}"
		: strstr(lnx, "cgroupsPath") ? ",{\"type\":\"cgroup\"}"
					     : "");
}

static int set_process(struct process *p, const char *script)
{
	static const char *const caps[] = { "CAP_SYS_ADMIN",	"CAP_MKNOD",	 "CAP_CHOWN",  "CAP_FOWNER",
					    "CAP_DAC_OVERRIDE", "CAP_NET_ADMIN", "CAP_SETUID", "CAP_SETGID" };
	int r = strv_add(&p->args, "sh");

	if (r == 0)
		r = strv_add(&p->args, "-c");
	if (r == 0)
		r = strv_add(&p->args, script);
	if (r == 0)
		r = strv_add(&p->env, "PATH=/bin");
	for (size_t i = 0; i < ARRAY_LEN(caps) && r == 0; i++)
		r = strv_add(&p->caps, caps[i]);
	return r;
}

/* Clones, maps the IDs if there are maps, and takes the report or the output. */
static void launch(struct container *c, const struct process *p, void (*meanwhile)(void), struct outcome *o)
{
	AUTO(buf_done) struct buf report = { 0 };
	int out[2], rep[2], go[2], pidfd = -1, status, null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct launch l = { .process = p, .main = true };
	pid_t pid;

	assert_int_equal(pipe_cloexec(out), 0);
	assert_int_equal(pipe_cloexec(rep), 0);
	assert_int_equal(pipe_cloexec(go), 0);
	l.stdio[0] = null;
	l.stdio[1] = l.stdio[2] = out[1];
	if (c->uid_map) /* the process gets its streams as its own */
		assert_int_equal(fchown(out[1], 200000, 200000), 0);
	l.report = rep[1];
	l.go = go[0];
	l.go_parent = go[1];
	pid = container_launch(c, &l, &pidfd, &o->e);
	if (pid < 0 || launch_map_ids(c, pid, &o->e) < 0)
		fail_msg("%s", o->e.msg);
	close(go[1]);
	close(rep[1]);
	close(out[1]);
	if (meanwhile)
		meanwhile();
	assert_int_equal(read_to_end(rep[0], 4096, &report), 0);
	if (report.len)
		err_set(&o->e, EIO, "%s", report.data + 1);
	assert_int_equal(read_to_end(out[0], 1 << 20, &o->out), 0);
	assert_int_equal(pidfd_wait_end(pidfd, 20000), 0);
	assert_int_equal(pidfd_reap(pidfd, &status), 0);
	close(pidfd);
	close(go[0]);
	close(rep[0]);
	close(out[0]);
	close(null);
}

static void apply(const struct oci_spec *spec, const char *script, const struct oci_request *like,
		  void (*meanwhile)(void), struct outcome *o)
{
	struct oci_request rq = *like;
	struct instance_state state = { 0 };
	struct boot boot = { 0 };
	struct plan plan = { 0 };
	struct container c;
	struct process p = { 0 };
	AUTO(strv_done) struct strv cgroups = { 0 }, dirs = { 0 };
	autoclose int root = open(spec->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	rq.spec = spec;
	rq.id = "test";
	assert_int_equal(set_process(&p, script), 0);
	assert_int_equal(boot_add_fd(&boot, "rootfs", root), 0);
	if (container_plan_oci(&rq, &plan, &cgroups, &o->e) == 0) {
		if (container_prepare(&c, &boot, &plan, &state, &o->e) == 0)
			launch(&c, &p, meanwhile, o);
		container_done(&c);
	}
	for (size_t i = 0; i < cgroups.n; i++)
		assert_int_equal(strv_add(&dirs, strchr(cgroups.v[i], '=') + 1), 0);
	assert_int_equal(cgroup_kill_and_remove(&dirs, NULL), 0);
	plan_done(&plan);
	json_done(&process_table, &p);
	json_done(&instance_state_table, &state);
	json_done(&boot_table, &boot);
}

static void run_as(const char *config, const char *script, const struct oci_request *like,
		   void (*meanwhile)(void), struct outcome *o)
{
	struct oci_spec spec;

	need_root();
	if (oci_spec_parse(config, strlen(config), &spec, &o->e) < 0)
		return;
	apply(&spec, script, like, meanwhile, o);
	oci_spec_done(&spec);
}

static const struct host_facts no_facts;
static const struct oci_request plain = { .facts = &no_facts };

static void expect(const char *more, const char *lnx, const char *mounts, const char *script, const char *out)
{
	autofree char *config = config_text(more, lnx, mounts);
	AUTO(outcome_done) struct outcome o = { 0 };

	run_as(config, script, &plain, NULL, &o);
	if (o.e.no || strcmp(o.out.data ? o.out.data : "", out))
		fail_msg("%s\ngave: %s%s", script, o.out.data ? o.out.data : "", o.e.msg);
}

static void expect_refusal(const char *lnx, const char *mounts, const char *text)
{
	autofree char *config = config_text("", lnx, mounts);
	AUTO(outcome_done) struct outcome o = { 0 };

	run_as(config, "echo up", &plain, NULL, &o);
	if (!o.e.no || strncmp(o.e.msg, text, strlen(text)))
		fail_msg("%s\ngave: %s%s", mounts, o.out.data ? o.out.data : "", o.e.msg);
}

#define MOUNT(dest, type, source, options)                                                                   \
	"{\"destination\":\"" dest "\",\"type\":\"" type "\",\"source\":\"" source                           \
	"\",\"options\":[" options "]}"
/* "destination type options" of the mounts at or below a path */
#define SHOW(path) "grep -E ' " path "( |/)' /proc/self/mountinfo | sed 's/ - / /' | cut -d ' ' -f 5,6"

/* --- file systems */

static void options_reach_the_mount(void **state)
{
	expect("", "",
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
	need_root();
	make_dir("rootfs/var/sticky");
	assert_int_equal(chmod("rootfs/var/sticky", 01777), 0);
	put("rootfs/etc/motd", "hello\n");
	assert_int_equal(chown("rootfs/etc/motd", 5, 6), 0);
	expect("", "",
	       MOUNT("/var/sticky", "tmpfs", "tmpfs", "") "," MOUNT("/etc", "tmpfs", "tmpfs",
								    "\"tmpcopyup\",\"ro\""),
	       "stat -c %a /var/sticky; stat -c '%u %g' /etc/motd; cat /etc/motd; touch /etc/x 2>&1 | grep "
	       "-c Read-only",
	       "1777\n5 6\nhello\n1\n");
}

/* In a tmpfs that is to be read-only the places of later mounts are still made. */
static void a_read_only_tmpfs_is_sealed_last(void **state)
{
	expect("", "",
	       MOUNT("/run", "tmpfs", "tmpfs", "\"ro\"") "," MOUNT("/run/deep/er", "tmpfs", "tmpfs", ""),
	       "touch /run/x 2>&1 | grep -c Read-only; touch /run/deep/er/x && echo ok", "1\nok\n");
}

/* Longer than fsconfig(2) takes a value, and one in quotes. */
static void long_options_go_another_way(void **state)
{
	char mounts[4096], path[256];
	size_t n;

	need_root();
	n = (size_t)snprintf(
		mounts, sizeof(mounts),
		"{\"destination\":\"/merged\",\"type\":\"overlay\",\"source\":\"overlay\",\"options\":["
		"\"nosuid\",\"ro\",\"lowerdir=");
	for (int i = 0; i < 12; i++) {
		snprintf(path, sizeof(path), "layers/a-rather-long-name-of-a-layer-%02d", i);
		make_dir(path);
		n += (size_t)snprintf(mounts + n, sizeof(mounts) - n, "%s%s/%s", i ? ":" : "", bundle, path);
	}
	snprintf(mounts + n, sizeof(mounts) - n, "\"]}");
	put("layers/a-rather-long-name-of-a-layer-11/last", "");
	expect("", "", mounts, "ls /merged; " SHOW("/merged"), "last\n/merged ro,nosuid,relatime\n");
}

static void a_remount_changes_what_is_there(void **state)
{
	expect("", "",
	       MOUNT("/a", "tmpfs", "tmpfs", "\"size=64k\"") "," MOUNT(
		       "/a", "none", "none",
		       "\"remount\",\"nosuid\",\"noexec\",\"size=128k\"") "," MOUNT("/b", "tmpfs", "tmpfs",
										    "\"size=64k\"") "," MOUNT("/b",
													      "none",
													      "none",
													      "\"remount\",\"bind\",\"ro\""),
	       SHOW("/[ab]") "; mount | grep -o 'on /a .*size=128k'| grep -c a",
	       "/a rw,nosuid,noexec,relatime\n/b ro,relatime\n1\n");
}

/* --- binds */

static void nest(const char *path)
{
	char deep[PATH_MAX];

	snprintf(deep, sizeof(deep), "%s/deep", path);
	make_dir(path);
	assert_int_equal(mount("outer", path, "tmpfs", 0, "size=64k"), 0);
	make_dir(deep);
	assert_int_equal(mount("inner", deep, "tmpfs", MS_NOSUID, "size=64k"), 0);
}

static void a_bind_is_shallow_or_deep_and_so_are_its_options(void **state)
{
	need_root();
	nest("src");
	expect("", "",
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
	need_root();
	put("one", "1\n");
	expect("", "",
	       MOUNT("/etc/deep/one", "bind", "one", "\"bind\",\"ro\"") "," MOUNT("/proc/uptime", "bind",
										  "one", "\"bind\""),
	       "cat /etc/deep/one /proc/uptime; (echo > /etc/deep/one) 2>&1 | grep -c Read-only",
	       "1\n1\n1\n");
	expect_refusal("", MOUNT("/bin", "bind", "one", "\"bind\""), "mounts[2]: ");
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

	need_root();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autofree char *mounts = str_printf(
			"{\"destination\":\"/vol\",\"type\":\"bind\",\"source\":\"vol\",\"options\":["
			"\"rbind\",\"%s\"]}",
			rows[i].option);
		autofree char *config = config_text("", rows[i].root, mounts);
		AUTO(outcome_done) struct outcome o = { 0 };

		make_dir("vol");
		assert_int_equal(mount("vol", "vol", "tmpfs", 0, "size=64k"), 0);
		assert_int_equal(mount(NULL, "vol", NULL, MS_SHARED, NULL), 0);
		make_dir("vol/late");
		make_dir("vol/out");
		assert_int_equal(mkfifo("vol/ready", 0600) | mkfifo("vol/go", 0600), 0);
		run_as(config,
		       "mount -t tmpfs x /vol/out; echo x > /vol/ready; cat /vol/go; grep -c ' /vol/late ' "
		       "/proc/self/mountinfo",
		       &plain, mount_outside, &o);
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

		expect("", lnx, "",
		       "grep ' /rootfs / ' /proc/self/mountinfo | cut -d ' ' -f 7 | sed 's/:.*/:/'; ls "
		       "/rootfs "
		       "2>/dev/null",
		       out);
	}
}

/* --- places */

static void a_missing_source_is_named(void **state)
{
	expect_refusal("", MOUNT("/a", "bind", "/no/such", "\"rbind\""),
		       "mounts[2].source: \"/no/such\": no such file or directory");
	expect_refusal("", MOUNT("/a", "nosuchfs", "x", ""),
		       "mounts[2]: cannot mount \"nosuchfs\" on \"/a\": no such device");
	expect_refusal("", MOUNT("/a", "tmpfs", "x", "\"size=many\""),
		       "mounts[2]: cannot mount \"tmpfs\" on \"/a\"");
}

static void links_of_the_image_stay_in_the_root(void **state)
{
	need_root();
	make_dir("rootfs/inside");
	make_dir("rootfs/proc");
	assert_int_equal(symlink("/inside", "rootfs/absolute"), 0);
	assert_int_equal(symlink("../../../../../../inside", "rootfs/relative"), 0);
	assert_int_equal(symlink("/proc/self", "rootfs/into-proc"), 0);
	assert_int_equal(symlink("/", "rootfs/whole"), 0);
	expect("", "", MOUNT("/absolute/a", "tmpfs", "x", "") "," MOUNT("/relative/r", "tmpfs", "x", ""),
	       SHOW("/inside"), "/inside/a rw,relatime\n/inside/r rw,relatime\n");
	expect_refusal("", MOUNT("/into-proc/attr", "tmpfs", "x", ""), "mounts[2]: cannot mount on");
	expect_refusal("", MOUNT("/into-proc/attr", "bind", "/tmp", "\"bind\""),
		       "mounts[2]: cannot mount on");
	expect_refusal("", MOUNT("/whole", "tmpfs", "x", ""),
		       "mounts[2]: cannot mount on /whole: it is the root");
	expect_refusal("", MOUNT("/proc", "bind", "/tmp", "\"bind\""), "mounts[2]: only a proc");
}

static void places_of_the_kernels_file_systems_are_no_links(void **state)
{
	static const char *const places[] = { "proc", "dev", "sys" };

	need_root();
	make_dir("rootfs/inside");
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		char path[64];

		snprintf(path, sizeof(path), "rootfs/%s", places[i]);
		rmdir(path);
		assert_int_equal(symlink("/inside", path), 0);
		expect_refusal("", MOUNT("/sys", "sysfs", "sysfs", ""),
			       i == 0	? "mounts[0]: "
			       : i == 1 ? "mounts[1]: "
					: "mounts[2]: ");
		assert_int_equal(unlink(path), 0);
	}
}

/* --- devices */

static void devices_are_made_as_listed_and_the_default_ones(void **state)
{
	expect("",
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
	need_root();
	make_dir("hostdev");
	assert_int_equal(mknod("hostdev/null", S_IFCHR | 0666, makedev(1, 3)), 0);
	expect("", "", MOUNT("/dev", "bind", "hostdev", "\"bind\""), "ls /dev; echo > /dev/null && echo ok",
	       "null\nok\n");
}

/* Without a /dev of its own: what the image has there is taken only if it is the right thing. */
static void a_dev_of_the_root_is_checked(void **state)
{
	static const char config[] = "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\"},\"linux\":{"
				     "\"namespaces\":[{\"type\":\"mount\"}"
				     ",{\"type\":\"pid\"}]}}";
	AUTO(outcome_done) struct outcome good = { 0 }, bad = { 0 };

	run_as(config, "ls -l /dev/null | cut -c 1-10; ls /proc 2>/dev/null", &plain, NULL, &good);
	assert_string_equal(good.out.data, "crw-rw-rw-\n");
	assert_int_equal(unlink("rootfs/dev/null"), 0);
	assert_int_equal(mknod("rootfs/dev/null", S_IFCHR | 0666, makedev(1, 5)), 0);
	run_as(config, "echo up", &plain, NULL, &bad);
	assert_non_null(strstr(bad.e.msg, "/dev/null"));
}

/* --- what is hidden, read-only or set */

static void paths_are_masked_and_read_only(void **state)
{
	need_root();
	make_dir("rootfs/secret");
	put("rootfs/secret/file", "secret");
	put("rootfs/secret.txt", "secret");
	expect("\"hostname\":\"box\",\"domainname\":\"example.org\",",
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

	expect("", "\"sysctl\":{\"net.ipv4.ip_forward\":\"1\",\"net/ipv4/ip_default_ttl\":\"77\"},", "",
	       "cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/ip_default_ttl", "1\n77\n");
	expect_refusal("\"sysctl\":{\"net.ipv4.nosuch\":\"1\"},", "",
		       "linux.sysctl.net.ipv4.nosuch: cannot open");
	/* no /proc in the container: the setting is made, and nothing of a procfs is left */
	put("rootfs/proc-was-here", "");
	run_as(config, "ls /proc 2>/dev/null; mount -t proc p /etc && cat /etc/sys/net/ipv4/ip_forward",
	       &plain, NULL, &o);
	assert_string_equal(o.out.data ? o.out.data : o.e.msg, "1\n");
}

/* --- the root */

static void the_root_is_entered_one_way_or_the_other(void **state)
{
	struct oci_request no_pivot = plain;
	autofree char *config = config_text("", "", "");
	AUTO(outcome_done) struct outcome o = { 0 };

	need_root();
	no_pivot.no_pivot = true;
	run_as(config, "cd /../..; ls -d bin; ls /tmp 2>/dev/null", &no_pivot, NULL, &o);
	assert_string_equal(o.out.data ? o.out.data : o.e.msg, "bin\n");
	expect("", "", "", "cd /..; ls -d bin; grep -c ' /rootfs / ' /proc/self/mountinfo", "bin\n1\n");
}

static void a_read_only_root_stays_so(void **state)
{
	AUTO(outcome_done) struct outcome o = { 0 };

	run_as("{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\",\"readonly\":true},\"mounts\":"
	       "[" BASICS "," MOUNT("/new/place", "tmpfs", "x",
				    "") "],\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":"
					"\"pid\"}]}}",
	       "touch /x 2>&1 | grep -c Read-only; touch /new/place/x && echo ok", &plain, NULL, &o);
	assert_string_equal(o.out.data ? o.out.data : o.e.msg, "1\nok\n");
}

/* --- user namespaces */

#define MAPS "{\"containerID\":0,\"hostID\":200000,\"size\":65536}"

static void in_a_user_namespace_the_hosts_devices_are_bound(void **state)
{
	need_root();
	assert_int_equal(chown("rootfs", 200000, 200000), 0);
	expect("", "\"uidMappings\":[" MAPS "],\"gidMappings\":[" MAPS "],",
	       MOUNT("/vol", "bind", "rootfs", "\"ro\""),
	       "stat -c '%t:%T %u' /dev/null; echo x > /dev/null && echo ok; chmod 777 /dev/null "
	       "2>/dev/null; "
	       "touch /made && stat -c %u /made; touch /vol/x 2>&1 | grep -c Read-only",
	       "1:3 65534\nok\n0\n1\n");
}

static void an_idmapped_bind_shows_other_owners(void **state)
{
	autofree char *config =
		config_text("", "\"uidMappings\":[" MAPS "],\"gidMappings\":[" MAPS "],",
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

	need_root();
	make_dir("vol");
	put("vol/f", "");
	assert_int_equal(chown("vol/f", 7, 7), 0);
	assert_int_equal(chown("rootfs", 200000, 200000), 0);
	run_as(config, "stat -c %u:%g /plain/f /mapped/f /own/f", &plain, NULL, &o);
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

	need_root();
	snprintf(lnx, sizeof(lnx), "\"cgroupsPath\":\"/ketch-oci-mounts-%d\",", (int)getpid());
	config = config_text("", lnx,
			     MOUNT("/sys", "sysfs", "sysfs", "") "," MOUNT("/sys/fs/cgroup", "cgroup",
									   "cgroup", "\"ro\",\"nosuid\""));
	cgroup_detect(&facts);
	if (facts.cgroup_mode == CGROUP_NONE || access("/sys/fs/cgroup", W_OK) < 0) {
		print_message("skipped: no cgroups here\n");
		skip();
	}
	run_as(config,
	       "cd /sys/fs/cgroup; test -d memory && cd memory; grep -x $$ cgroup.procs >/dev/null && echo "
	       "mine; "
	       "mkdir x 2>&1 | grep -c Read-only; mkdir /sys/fs/cgroup/x 2>&1 | grep -c Read-only; "
	       "cut -d : -f 3 /proc/self/cgroup | sort | head -n 1",
	       &rq, NULL, &o);
	strv_done(&facts.cgroups);
	assert_string_equal(o.e.no ? o.e.msg : o.out.data, "mine\n1\n1\n/\n");
}

#define ROW(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(options_reach_the_mount),
		ROW(a_tmpfs_keeps_the_mode_of_what_it_covers_and_can_begin_with_it),
		ROW(a_read_only_tmpfs_is_sealed_last),
		ROW(long_options_go_another_way),
		ROW(a_remount_changes_what_is_there),
		ROW(a_bind_is_shallow_or_deep_and_so_are_its_options),
		ROW(a_file_is_bound_on_a_file),
		ROW(propagation_goes_the_ways_that_were_asked),
		ROW(the_root_propagates_as_asked),
		ROW(a_missing_source_is_named),
		ROW(links_of_the_image_stay_in_the_root),
		ROW(places_of_the_kernels_file_systems_are_no_links),
		ROW(devices_are_made_as_listed_and_the_default_ones),
		ROW(the_hosts_dev_is_left_as_it_is),
		ROW(a_dev_of_the_root_is_checked),
		ROW(paths_are_masked_and_read_only),
		ROW(sysctls_reach_the_kernel_whatever_lies_at_proc),
		ROW(the_root_is_entered_one_way_or_the_other),
		ROW(a_read_only_root_stays_so),
		ROW(in_a_user_namespace_the_hosts_devices_are_bound),
		ROW(an_idmapped_bind_shows_other_owners),
		ROW(cgroups_show_only_their_own),
	};

	/* nothing that is mounted here is seen by the machine */
	if (geteuid() == 0 &&
	    (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
