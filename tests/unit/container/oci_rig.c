/* oci_rig.c - OCI containers of a tiny root made of busybox, for tests as root, in a mount namespace of their own */
#include "oci_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "cgroup/cgroup.h"
#include "container/container_int.h"
#include "sys/pidfd.h"

char oci_bundle[PATH_MAX];

void outcome_done(struct outcome *o)
{
	buf_done(&o->out);
}

/* --- the bundle */

void oci_put(const char *path, const char *text)
{
	autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write_full(fd, text, strlen(text)), 0);
}

void oci_make_dir(const char *path)
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

	oci_make_dir("rootfs/bin");
	oci_make_dir("rootfs/etc");
	out = open("rootfs/bin/busybox", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	assert_int_equal(copy_fd(in, out), 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char path[64];

		snprintf(path, sizeof(path), "rootfs/bin/%s", names[i]);
		assert_int_equal(symlink("busybox", path), 0);
	}
}

int oci_setup(void **state)
{
	char template[] = "/tmp/ketch-oci-mounts.XXXXXX";

	if (geteuid() || access(test_busybox(), X_OK) < 0)
		return 0;
	assert_non_null(mkdtemp(template));
	assert_int_equal(mount("bundle", template, "tmpfs", 0, "mode=755,size=64m"), 0);
	strcpy(oci_bundle, template);
	assert_int_equal(chdir(oci_bundle), 0);
	make_root();
	return 0;
}

int oci_teardown(void **state)
{
	if (!*oci_bundle)
		return 0;
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(umount2(oci_bundle, MNT_DETACH), 0);
	assert_int_equal(rmdir(oci_bundle), 0);
	*oci_bundle = '\0';
	return 0;
}

void oci_need_root(void)
{
	if (*oci_bundle)
		return;
	print_message("skipped: needs root and a static busybox\n");
	skip();
}

/* --- one container */

char *oci_config(const char *more, const char *lnx, const char *mounts)
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
	assert_int_equal(write_full(go[1], "", 1), 0); /* the IDs are mapped */
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

void oci_run(const char *config, const char *script, const struct oci_request *like, void (*meanwhile)(void),
	     struct outcome *o)
{
	struct oci_spec spec;

	oci_need_root();
	if (oci_spec_parse(config, strlen(config), &spec, &o->e) < 0)
		return;
	apply(&spec, script, like, meanwhile, o);
	oci_spec_done(&spec);
}

static const struct host_facts no_facts;
const struct oci_request oci_plain = { .facts = &no_facts };

void oci_expect(const char *more, const char *lnx, const char *mounts, const char *script, const char *out)
{
	autofree char *config = oci_config(more, lnx, mounts);
	AUTO(outcome_done) struct outcome o = { 0 };

	oci_run(config, script, &oci_plain, NULL, &o);
	if (o.e.no || strcmp(o.out.data ? o.out.data : "", out))
		fail_msg("%s\ngave: %s%s", script, o.out.data ? o.out.data : "", o.e.msg);
}

void oci_expect_refusal(const char *lnx, const char *mounts, const char *text)
{
	autofree char *config = oci_config("", lnx, mounts);
	AUTO(outcome_done) struct outcome o = { 0 };

	oci_run(config, "echo up", &oci_plain, NULL, &o);
	if (!o.e.no || strncmp(o.e.msg, text, strlen(text)))
		fail_msg("%s\ngave: %s%s", mounts, o.out.data ? o.out.data : "", o.e.msg);
}

/* --- the program */

int oci_unshare(void)
{
	if (geteuid())
		return 0;
	return unshare(CLONE_NEWNS) < 0 ? -1 : mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}
