/* rig.c - drives container_backend through a loop, on a tiny root made of busybox */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"

#define DEADLINE_S 20

static struct rig *live; /* of the running test */

static const char defaults[] =
	"{\"id\":\"%s\",\"name\":\"t\",\"hostname\":\"inside\",\"layers\":[\"sha256:a\",\"sha256:b\"],"
	"\"network\":\"none\",\"stopSignal\":15,\"process\":{\"args\":[\"/bin/true\"],\"env\":[\"PATH=/"
	"bin\"],"
	"\"cwd\":\"/"
	"\",\"caps\":[\"CAP_CHOWN\",\"CAP_DAC_OVERRIDE\",\"CAP_FSETID\",\"CAP_FOWNER\",\"CAP_SETGID\","
	"\"CAP_SETUID\",\"CAP_SETPCAP\",\"CAP_NET_BIND_SERVICE\",\"CAP_SYS_CHROOT\",\"CAP_KILL\",\"CAP_"
	"SETFCAP\"]}}";

void rig_need_root(void)
{
	if (geteuid() == 0 && access(test_busybox(), X_OK) == 0 && access("/sys/fs/cgroup", R_OK) == 0)
		return;
	print_message("skipped: needs root, a static busybox and cgroups\n");
	skip();
}

/* --- the host's facts, as far as the back end looks at them */

static void add_cgroup(struct host_facts *f, const char *dir, const char *type, const char *options)
{
	AUTO(strv_done) struct strv opts = { 0 };

	if (!strcmp(type, "cgroup2")) {
		f->cgroup_mode = f->cgroups.n ? CGROUP_HYBRID : CGROUP_V2;
		assert_int_equal(strv_addf(&f->cgroups, "unified=%s", dir), 0);
		if (f->cgroup_mode == CGROUP_V2)
			for (const char *const *c = (const char *const[]){ "memory", "cpu", "pids", NULL };
			     *c; c++)
				assert_int_equal(strv_addf(&f->cgroups, "%s=%s", *c, dir), 0);
		return;
	}
	f->cgroup_mode = CGROUP_V1;
	assert_int_equal(strv_split(&opts, options, ","), 0);
	for (size_t i = 0; i < opts.n; i++)
		if (strv_has(&(struct strv){ (char *[]){ (char *)"memory", (char *)"cpu", (char *)"cpuacct",
							 (char *)"pids", (char *)"devices",
							 (char *)"freezer" },
					     6 },
			     opts.v[i]))
			assert_int_equal(strv_addf(&f->cgroups, "%s=%s", opts.v[i], dir), 0);
}

static void read_facts(struct host_facts *f)
{
	FILE *in = fopen("/proc/self/mounts", "re");
	char line[1024], dir[512], type[64], options[512];

	assert_non_null(in);
	while (fgets(line, sizeof(line), in))
		if (sscanf(line, "%*s %511s %63s %511s", dir, type, options) == 3 &&
		    !strncmp(type, "cgroup", 6) && !strncmp(dir, "/sys/fs/cgroup", 14))
			add_cgroup(f, dir, type, options);
	fclose(in);
}

/* --- the root */

static void add_fd(struct rig *r, const char *name, const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(boot_add_fd(&r->boot, name, fd), 0);
}

void rig_file(struct rig *r, const char *path, unsigned mode, const char *content)
{
	int root = boot_fd(&r->boot, "layer/0"), fd;
	char dir[256];

	snprintf(dir, sizeof(dir), "%s", path);
	*strrchr(dir, '/') = '\0';
	close(mkdir_open(root, *dir ? dir : ".", 0755));
	fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	assert_int_equal(write_full(fd, content, strlen(content)), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void make_busybox(int root)
{
	static const char *const names[] = { "sh",	 "true", "cat",	     "id",   "echo",  "sleep",
					     "ls",	 "stat", "head",     "grep", "mount", "tty",
					     "stty",	 "ps",	 "touch",    "dd",   "mknod", "md5sum",
					     "hostname", "ip",	 "readlink", "kill", "wc",    "env",
					     "chmod",	 "seq" };
	autoclose int in = open(test_busybox(), O_RDONLY | O_CLOEXEC);
	autoclose int bin = mkdir_open(root, "bin", 0755);
	autoclose int out = openat(bin, "busybox", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);

	assert_int_equal(copy_fd(in, out), 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_int_equal(symlinkat("busybox", bin, names[i]), 0);
	close(mkdir_open(root, "tmp", 0755));
	assert_int_equal(fchmodat(root, "tmp", 01777, 0), 0);
}

static void make_dirs(struct rig *r)
{
	static const char *const dirs[] = { "layer0", "layer1", "upper", "work" };
	static const char *const names[] = { "layer/0", "layer/1", "upper", "work" };
	char path[128];

	const char *tmp = getenv("TMPDIR");

	snprintf(r->dir, sizeof(r->dir), "%s/ketch-rig-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(r->dir));
	assert_int_equal(chmod(r->dir, 0755), 0); /* a user namespace must be able to pass */
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		snprintf(path, sizeof(path), "%s/%s", r->dir, dirs[i]);
		assert_int_equal(mkdir(path, 0755), 0);
		add_fd(r, names[i], path, O_RDONLY | O_DIRECTORY);
	}
	make_busybox(boot_fd(&r->boot, "layer/0"));
	rig_file(r, "etc/passwd", 0644,
		 "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1001:Ann:/home/ann:/bin/sh\n");
	rig_file(r, "etc/group", 0644, "root:x:0:\nann:x:1001:\nwheel:x:10:ann\naudio:x:29:bob,ann\n");
}

void rig_layer(struct rig *r, size_t index)
{
	char path[128], name[32];
	autoclose int l = -1;

	snprintf(path, sizeof(path), "%s/layer%zu", r->dir, index);
	snprintf(name, sizeof(name), "layer/%zu", index);
	assert_int_equal(mkdir(path, 0755), 0);
	add_fd(r, name, path, O_RDONLY | O_DIRECTORY);
	l = mkdir_open(boot_fd(&r->boot, name), "l", 0755);
	snprintf(name, sizeof(name), "%zu", index);
	assert_int_equal(mknodat(l, name, S_IFREG | 0644, 0), 0);
	assert_int_equal(strv_addf(&r->boot.spec.layers, "sha256:%zu", index), 0);
}

void rig_mount_fd(struct rig *r, size_t index, const char *name)
{
	char path[256], fd_name[32];

	snprintf(path, sizeof(path), "%s/%s", r->dir, name);
	snprintf(fd_name, sizeof(fd_name), "mount/%zu", index);
	if (access(path, F_OK))
		assert_int_equal(mkdir(path, 0755), 0);
	add_fd(r, fd_name, path, O_PATH);
}

void rig_add_file(struct rig *r, const char *name, const void *data, size_t n)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/file", r->dir);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write_full(fd, data, n), 0);
	assert_int_equal(boot_add_fd(&r->boot, name, fd), 0);
}

/* --- messages */

static void keep_text(struct rig_stream *s, const struct msg *m, size_t skip)
{
	s->text.len = 0;
	buf_add(&s->text, (const char *)m->data + skip, m->len - skip);
}

static void on_message(void *arg, const struct msg *m)
{
	struct rig *r = arg;
	struct rig_stream *s = &r->s[m->stream];

	assert_true(m->stream < RIG_STREAMS);
	assert_false(s->exited || s->failed);
	switch ((int)m->type) {
	case MSG_STDOUT:
	case MSG_STDERR:
		assert_true(s->started);
		buf_add(m->type == MSG_STDOUT ? &s->out : &s->err, m->data, m->len);
		if (!s->hold_credit)
			rig_send2(r, MSG_CREDIT, m->stream, m->type == MSG_STDOUT ? 1 : 2, (uint32_t)m->len);
		break;
	case MSG_STARTED:
		s->started = true;
		s->pid = msg_u32(m, 0);
		break;
	case MSG_FAILED:
		s->failed = true;
		s->status = msg_u32(m, 0);
		keep_text(s, m, 4);
		break;
	case MSG_EXIT:
		assert_true(s->started);
		s->exited = true;
		s->status = msg_u32(m, 0);
		s->flags = msg_u32(m, 1);
		break;
	case MSG_CREDIT:
		assert_int_equal(msg_u32(m, 0), 0);
		s->credit += msg_u32(m, 1);
		break;
	case MSG_ERROR:
		s->errors++;
		keep_text(s, m, 4);
		break;
	case MSG_STATS_REPLY:
		keep_text(s, m, 0);
		break;
	default:
		fail_msg("unexpected message %s", msg_name(m->type));
	}
}

static void on_ready(void *arg)
{
	((struct rig *)arg)->ready = true;
}

static void on_ended(void *arg, const struct err *why)
{
	struct rig *r = arg;

	assert_false(r->ended);
	assert_int_equal(why->no, 0);
	r->ended = true;
}

void rig_send(struct rig *r, enum msg_type t, unsigned stream, const void *data, size_t n)
{
	struct msg m = { t, stream, data, n };

	container_backend.send(r->running, &m);
}

void rig_send2(struct rig *r, enum msg_type t, unsigned stream, uint32_t v, uint32_t w)
{
	uint32_t both[2] = { v, w };

	rig_send(r, t, stream, both, t == MSG_SIGNAL ? 4 : 8);
}

void rig_until(struct rig *r, const bool *flag)
{
	int64_t end = clock_mono_ns() + DEADLINE_S * NS_PER_S;

	while (!*flag) {
		assert_true(loop_once(r->loop, 1000) >= 0);
		if (clock_mono_ns() > end)
			fail_msg("nothing happened for %d seconds; out: %s err: %s text: %s", DEADLINE_S,
				 rig_out(r, 0), rig_err(r, 0), rig_text(r, 0));
	}
}

void rig_until_output(struct rig *r, unsigned stream, const char *text)
{
	int64_t end = clock_mono_ns() + DEADLINE_S * NS_PER_S;

	while (!strstr(rig_out(r, stream), text)) {
		assert_true(loop_once(r->loop, 1000) >= 0);
		if (clock_mono_ns() > end || r->s[stream].exited || r->s[stream].failed)
			fail_msg("no \"%s\" in: %s err: %s text: %s", text, rig_out(r, stream),
				 rig_err(r, stream), rig_text(r, stream));
	}
}

static const char *text_of(const struct buf *b)
{
	return b->data ? b->data : "";
}

const char *rig_out(struct rig *r, unsigned stream)
{
	return text_of(&r->s[stream].out);
}

const char *rig_err(struct rig *r, unsigned stream)
{
	return text_of(&r->s[stream].err);
}

const char *rig_text(struct rig *r, unsigned stream)
{
	return text_of(&r->s[stream].text);
}

/* --- life */

struct rig *rig_new(const char *spec)
{
	struct rig *r = calloc(1, sizeof(*r));
	char text[sizeof(defaults) + 64], id[65];
	struct err e = { 0 };

	rig_need_root();
	live = r;
	snprintf(id, sizeof(id), "%032llx%032x", (unsigned long long)clock_mono_ns(), (unsigned)getpid());
	snprintf(text, sizeof(text), defaults, id);
	assert_int_equal(json_parse(&instance_spec_table, text, strlen(text), 0, &r->boot.spec, &e), 0);
	if (json_parse(&instance_spec_table, spec, strlen(spec), JSON_STRICT, &r->boot.spec, &e) < 0)
		fail_msg("%s", e.msg);
	read_facts(&r->boot.facts);
	make_dirs(r);
	r->loop = loop_new();
	r->events = (struct backend_events){ on_message, on_ready, on_ended, r };
	return r;
}

int rig_start(struct rig *r)
{
	int k = container_backend.plan(&r->boot.spec, &r->boot.facts, &r->plan, &r->err);

	if (k == 0)
		k = container_backend.start(&r->boot, &r->plan, r->loop, &r->events, &r->state, &r->running,
					    &r->err);
	return k;
}

void rig_main(struct rig *r)
{
	AUTO(buf_done) struct buf b = { 0 };

	rig_until(r, &r->ready);
	assert_int_equal(json_print(&process_table, &r->boot.spec.process, 0, &b), 0);
	rig_send(r, MSG_START, 0, b.data, b.len);
}

void rig_exec(struct rig *r, unsigned stream, const char *process)
{
	rig_send(r, MSG_START, stream, process, strlen(process));
}

struct rig *rig_run(const char *spec)
{
	struct rig *r = rig_new(spec);

	if (rig_start(r) < 0)
		fail_msg("start: %s", r->err.msg);
	rig_main(r);
	rig_until(r, &r->ended);
	return r;
}

static void nothing_is_left(struct rig *r, const struct strv *cgroups)
{
	for (size_t i = 0; i < cgroups->n; i++)
		if (access(cgroups->v[i], F_OK) == 0)
			fail_msg("left: %s", cgroups->v[i]);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

void rig_done(struct rig *r)
{
	AUTO(strv_done) struct strv cgroups = { 0 };
	struct running *running = r->running;

	assert_int_equal(strv_copy(&cgroups, &r->state.cgroups), 0);
	r->running = NULL;
	container_backend.release(running);
	nothing_is_left(r, &cgroups);
	for (size_t i = 0; i < r->boot.n_fds; i++)
		close(r->boot.fds[i].fd);
	remove_tree(AT_FDCWD, r->dir);
	for (size_t i = 0; i < RIG_STREAMS; i++) {
		buf_done(&r->s[i].out);
		buf_done(&r->s[i].err);
		buf_done(&r->s[i].text);
	}
	live = NULL;
	plan_done(&r->plan);
	json_done(&boot_table, &r->boot);
	json_done(&instance_state_table, &r->state);
	loop_free(r->loop);
	free(r);
}

int rig_teardown(void **state)
{
	if (live) {
		container_backend.release(live->running);
		remove_tree(AT_FDCWD, live->dir);
	}
	live = NULL;
	return 0;
}
