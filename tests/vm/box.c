/* box.c - a virtual machine under test */
#include "box.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit/cm.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/path.h"
#include "kernel/initramfs.h"
#include "kernel/kernel.h"
#include "sys/run.h"
#include "vm/disk.h"
#include "vm/vm.h"

#define QEMU	  "/usr/bin/qemu-system-x86_64"
#define VIRTIOFSD "/usr/lib/qemu/virtiofsd"
#define WAIT_S	  100

/* A store with a kernel, named by test.sh, so that the machine needs none of its own in /boot. */
static const char *kernel_store(const char *otherwise)
{
	const char *store = getenv("KETCH_TEST_STORE");

	return store ? store : otherwise;
}

const char *box_missing(void)
{
	const char *const files[] = { QEMU, VIRTIOFSD, test_busybox(), "/usr/bin/mkfs.erofs" };
	struct kernel k = { 0 };

	if (geteuid() != 0)
		return "needs root";
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (access(files[i], X_OK) < 0)
			return files[i];
	if (kernel_find(kernel_store("/nonexistent"), NULL, &k, NULL) < 0)
		return "needs a kernel (linux-image-cloud-amd64)";
	kernel_done(&k);
	return NULL;
}

/* --- making */

static void run_tool(const char *const argv[])
{
	AUTO(buf_done) struct buf said = { 0 };
	int status, r = run_program(argv, -1, 60000, &said, &status);

	if (r < 0 || status)
		fail_msg("%s: %s", argv[0], r < 0 ? strerror(-r) : said.data);
}

static void give(struct box *b, const char *name, int fd)
{
	if (fd < 0)
		fail_msg("%s: %s", name, strerror(errno));
	assert_int_equal(boot_add_fd(&b->boot, name, fd), 0);
}

/* A root with busybox under all names that the tests use, as EROFS. */
static void make_root(struct box *b)
{
	static const char *const dirs[] = { "bin", "dev", "proc", "sys", "tmp", "etc", "root" };
	autofree char *tree = str_printf("%s/tree", b->dir), *image = str_printf("%s/root.erofs", b->dir);
	autofree char *box = str_printf("%s/bin/busybox", tree), *applets = str_printf("%s/bin", tree);
	const char *const copy[] = { "cp", test_busybox(), box, NULL };
	const char *const install[] = { box, "--install", applets, NULL };
	const char *const erofs[] = { "mkfs.erofs", "-Enoinline_data", image, tree, NULL };
	autoclose int fd = mkdir_open(AT_FDCWD, tree, 0755);

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		assert_int_equal(mkdirat(fd, dirs[i], 0755), 0);
	assert_int_equal(write_file_atomic(fd, "etc/passwd", 0644,
					   "root:x:0:0::/root:/bin/sh\nu:x:1000:1000::/:/bin/sh\n", 49),
			 0);
	run_tool(copy);
	run_tool(install);
	run_tool(erofs);
	give(b, "root", open(image, O_RDONLY | O_CLOEXEC));
}

static void make_kernel(struct box *b)
{
	struct kernel k = { 0 };
	struct err e;

	if (kernel_find(kernel_store(b->dir), NULL, &k, &e) < 0)
		fail_msg("%s", e.msg);
	b->boot.spec.vm.kernel = strdup(k.version);
	give(b, "kernel",
	     b->boot.spec.vm.accel_kvm && b->boot.spec.vm.driver == VM_DRIVER_QEMU
		     ? kernel_image_open(&k, &e)
		     : kernel_unpacked_open(b->dir, &k, &e));
	give(b, "initramfs", initramfs_open(b->dir, &k, KETCH_GUEST, &e));
	kernel_done(&k);
}

static void make_facts(struct host_facts *h)
{
	static const char *const controllers[] = { "unified", "memory", "cpu", "cpuacct", "pids" };
	bool v2 = access("/sys/fs/cgroup/cgroup.controllers", R_OK) == 0;

	*h = (struct host_facts){ .cgroup_mode = v2 ? CGROUP_V2 : CGROUP_V1,
				  .cpus = 2,
				  .ram_bytes = UINT64_C(4) << 30 };
	h->qemu = strdup(QEMU);
	h->virtiofsd = strdup(VIRTIOFSD);
	h->vmm = strdup(KETCH_VMM);
	h->arch = strdup("amd64");
	for (size_t i = 0; i < ARRAY_LEN(controllers); i++) {
		autofree char *dir = str_printf("/sys/fs/cgroup/%s", controllers[i]);

		if (v2 && strcmp(controllers[i], "cpuacct"))
			strv_addf(&h->cgroups, "%s=/sys/fs/cgroup", controllers[i]);
		else if (!v2 && strcmp(controllers[i], "unified") && access(dir, W_OK) == 0)
			strv_addf(&h->cgroups, "%s=%s", controllers[i], dir);
	}
}

static void make_spec(struct instance_spec *s)
{
	char id[65];
	uint64_t r[4];
	int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);

	assert_int_equal(read(fd, r, sizeof(r)), sizeof(r));
	close(fd);
	hex_encode(r, sizeof(r), id);
	s->id = strdup(id);
	s->name = strdup("box");
	s->isolation = ISOLATION_VM;
	s->hostname = strdup("box");
	s->stop_signal = SIGTERM;
	s->stop_timeout_s = 10;
	s->vm.ram_bytes = 256 << 20;
	s->vm.vcpus = 1;
	s->vm.accel_kvm = getenv("KETCH_BOX_KVM");
	s->vm.driver =
		s->vm.accel_kvm && !strcmp(getenv("KETCH_BOX_KVM"), "kvm") ? VM_DRIVER_KVM : VM_DRIVER_QEMU;
	strv_add(&s->process.args, "/bin/true");
	strv_add(&s->process.env, "PATH=/bin");
}

struct box *box_new(void)
{
	struct box *b = calloc(1, sizeof(*b));
	const char *tmp = getenv("TMPDIR");
	autofree char *run = NULL;
	struct err e;

	b->dir = str_printf("%s/ketch-box-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(b->dir));
	b->shared = str_printf("%s/shared", b->dir);
	run = str_printf("%s/run", b->dir);
	make_facts(&b->boot.facts);
	make_spec(&b->boot.spec);
	give(b, "dir", open(b->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	give(b, "run", mkdir_open(AT_FDCWD, run, 0700));
	make_root(b);
	give(b, "disk", vm_disk_open(boot_fd(&b->boot, "dir"), 0, &e));
	make_kernel(b);
	return b;
}

void box_mount(struct box *b, const char *source, const char *target, bool read_only)
{
	struct instance_spec *s = &b->boot.spec;
	struct stat st;
	char name[32];

	assert_int_equal(stat(source, &st), 0);
	s->mounts = reallocarray(s->mounts, s->n_mounts + 1, sizeof(*s->mounts));
	s->mounts[s->n_mounts] = (struct mount_spec){ .type = MOUNT_BIND,
						      .source = strdup(source),
						      .target = strdup(target),
						      .read_only = read_only,
						      .is_file = !S_ISDIR(st.st_mode) };
	snprintf(name, sizeof(name), "mount/%zu", s->n_mounts++);
	give(b, name, open(source, O_PATH | O_CLOEXEC));
}

/* --- what comes back */

static void credit(struct box *b, const struct msg *m, uint32_t which)
{
	AUTO(buf_done) struct buf f = { 0 };
	struct msg c;

	msg_put_u32x2(&f, MSG_CREDIT, m->stream, which, (uint32_t)m->len);
	assert_int_equal(msg_peek(&f, PEER_MONITOR, &c, NULL), 1);
	vm_backend.send(b->running, &c);
}

static void on_output(struct box *b, struct box_stream *s, const struct msg *m)
{
	buf_add(m->type == MSG_STDOUT ? &s->out : &s->err, m->data, m->len);
	credit(b, m, m->type == MSG_STDOUT ? 1 : 2);
}

static void on_message(void *arg, const struct msg *m)
{
	struct box *b = arg;
	struct box_stream *s = &b->streams[m->stream];

	assert_true(m->stream < BOX_STREAMS);
	switch ((int)m->type) {
	case MSG_STARTED:
		s->pid = (int)msg_u32(m, 0);
		break;
	case MSG_STDOUT:
	case MSG_STDERR:
		on_output(b, s, m);
		break;
	case MSG_FAILED:
	case MSG_EXIT:
		s->over = true;
		s->status = (int)msg_u32(m, 0);
		s->flags = m->type == MSG_EXIT ? msg_u32(m, 1) : 0;
		s->failed = m->type == MSG_FAILED ? msg_text(m) : NULL;
		if (s->failed)
			print_message("%s\n", s->failed);
		break;
	case MSG_NETWORK_REPLY:
		b->network_errno = (int)msg_u32(m, 0);
		b->network_reply = msg_text(m);
		break;
	case MSG_STATS_REPLY:
		buf_add(&b->stats, m->data, m->len);
		break;
	}
}

static void on_ready(void *arg)
{
	((struct box *)arg)->ready = true;
}

static void on_ended(void *arg, const struct err *why)
{
	struct box *b = arg;

	b->ended = true;
	b->why = *why;
}

/* --- doing */

static void turn(struct box *b, const char *for_what)
{
	if (b->ended)
		fail_msg("the machine ended: %s", b->why.msg);
	if (loop_once(b->loop, WAIT_S * 1000) <= 0)
		fail_msg("no %s in %d seconds", for_what, WAIT_S);
}

void box_wait(struct box *b, const bool *flag)
{
	int64_t end = clock_mono_ns() + WAIT_S * NS_PER_S;

	while (!*flag) {
		if (b->ended && flag != &b->ended)
			fail_msg("the machine ended: %s", b->why.msg);
		if (clock_mono_ns() > end)
			fail_msg("nothing happened in %d seconds", WAIT_S);
		assert_true(loop_once(b->loop, 1000) >= 0);
	}
}

void box_start(struct box *b)
{
	struct err e = { 0 };

	b->events = (struct backend_events){ on_message, on_ready, on_ended, b };
	b->loop = loop_new();
	if (vm_backend.plan(&b->boot.spec, &b->boot.facts, &b->plan, &e) < 0)
		fail_msg("plan: %s", e.msg);
	if (vm_backend.start(&b->boot, &b->plan, b->loop, &b->events, &b->state, &b->running, &e) < 0)
		fail_msg("start: %s", e.msg);
	box_wait(b, &b->ready);
}

void box_send(struct box *b, enum msg_type t, uint32_t id, const void *data, size_t n)
{
	vm_backend.send(b->running, &(struct msg){ t, id, data, n });
}

void box_run(struct box *b, uint32_t id, const char *const argv[], void (*opt)(struct process *p))
{
	AUTO(buf_done) struct buf json = { 0 };
	struct process p = { 0 };

	for (; *argv; argv++)
		strv_add(&p.args, *argv);
	strv_add(&p.env, "PATH=/bin");
	if (opt)
		opt(&p);
	assert_int_equal(json_print(&process_table, &p, 0, &json), 0);
	json_done(&process_table, &p);
	box_send(b, MSG_START, id, json.data, json.len);
	while (!b->streams[id].pid && !b->streams[id].over)
		turn(b, "answer to START");
}

int box_wait_exit(struct box *b, uint32_t id)
{
	box_wait(b, &b->streams[id].over);
	return b->streams[id].status;
}

void box_shut_down(struct box *b)
{
	box_send(b, MSG_SHUTDOWN, 0, NULL, 0);
	box_wait(b, &b->ended);
	if (b->why.no)
		fail_msg("it did not end in order: %s", b->why.msg);
}

int box_once(struct box *b, const char *const argv[], void (*opt)(struct process *p))
{
	int status;

	box_start(b);
	box_run(b, 0, argv, opt);
	status = box_wait_exit(b, 0);
	box_shut_down(b);
	return status;
}

void box_wait_stats(struct box *b)
{
	while (!b->stats.len)
		turn(b, "statistics");
}

void box_with_seccomp(struct process *p)
{
	p->seccomp = true;
}

static void forget_streams(struct box *b)
{
	for (int i = 0; i < BOX_STREAMS; i++) {
		buf_done(&b->streams[i].out);
		buf_done(&b->streams[i].err);
		free(b->streams[i].failed);
		b->streams[i] = (struct box_stream){ 0 };
	}
}

void box_kill(struct box *b)
{
	vm_backend.kill(b->running);
	box_wait(b, &b->ended);
}

static void check_nothing_is_left(const struct box *b, int pid)
{
	for (size_t i = 0; i < b->state.cgroups.n; i++)
		if (access(b->state.cgroups.v[i], F_OK) == 0)
			fail_msg("the cgroup %s is still there", b->state.cgroups.v[i]);
	if (pid && kill(pid, 0) == 0)
		fail_msg("the VMM (pid %d) still runs", pid);
}

void box_free(struct box *b)
{
	int pid = b->state.pid;

	vm_backend.release(b->running);
	check_nothing_is_left(b, pid);
	plan_done(&b->plan);
	loop_free(b->loop);
	forget_streams(b);
	for (size_t i = 0; i < b->boot.n_fds; i++)
		close(b->boot.fds[i].fd);
	json_done(&boot_table, &b->boot);
	json_done(&instance_state_table, &b->state);
	buf_done(&b->stats);
	free(b->network_reply);
	remove_tree(AT_FDCWD, b->dir);
	free(b->dir);
	free(b->shared);
	free(b);
}
