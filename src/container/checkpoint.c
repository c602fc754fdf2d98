/* checkpoint.c - a container that stands still becomes images of its processes */
#include "container/checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "container/checkpoint_int.h"
#include "container/container_int.h"
#include "container/plan_int.h"
#include "criu/criu.h"
#include "sys/mountinfo.h"

#define MOUNTINFO_MAX (16 * 1024 * 1024)

/* --- what cannot be */

static int refuse(struct err *e, const char *flag, const char *why)
{
	return err_set(e, ENOTSUP, "the processes of a container with %s cannot be kept: %s", flag, why);
}

static int check_namespaces(const struct instance_spec *s, struct err *e)
{
	const struct sandbox *b = &s->sandbox;
	static const char others[] = "what it shares with others would not go back with it";

	if (s->network == NETWORK_HOST)
		return refuse(e, "--network host", others);
	if (s->network == NETWORK_CONTAINER)
		return refuse(e, "--network container:NAME", others);
	if (ns_is_shared(&b->pid))
		return refuse(e, "--pid", others);
	if (ns_is_shared(&b->ipc))
		return refuse(e, "--ipc", others);
	if (ns_is_shared(&b->uts))
		return refuse(e, "--uts", others);
	return ns_is_shared(&b->cgroup) ? refuse(e, "--cgroupns", others) : 0;
}

static int check_mounts(const struct instance_spec *s, struct err *e)
{
	for (size_t i = 0; i < s->n_mounts; i++) {
		const char *p = s->mounts[i].propagation;

		if (p && strcmp(p, "private") != 0 && strcmp(p, "rprivate") != 0)
			return refuse(e, "a mount that is shared or slave", "CRIU cannot mount it again");
	}
	return 0;
}

int container_checkpoint_check(const struct instance_spec *s, struct err *e)
{
	if (s->sandbox.system) /* which has its own terminal: that was nobody's flag */
		return refuse(e, "--system", "the cgroups that it makes are not in it");
	if (s->process.tty)
		return refuse(e, "-t", "nothing would be at the other end of its terminal");
	if (s->init)
		return refuse(e, "--init", "its process 1 is a program of the host");
	if (s->userns)
		return refuse(e, "--userns", "CRIU cannot make its users again");
	if (s->privileged)
		return refuse(e, "--privileged", "what it may do to the host cannot be taken back");
	if (check_namespaces(s, e) < 0)
		return -e->no;
	return check_mounts(s, e);
}

/* --- its standard streams */

static const struct jfield streams_fields[] = { J(J_STRV, struct checkpoint_streams, names),
						J(J_I64, struct checkpoint_streams, uid),
						{ 0 } };
const struct jtable checkpoint_streams_table = { sizeof(struct checkpoint_streams), streams_fields };

static ssize_t link_of(int pid, const char *fd, char ret[PATH_MAX])
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%s", pid, fd);
	n = readlink(path, ret, PATH_MAX - 1);
	ret[n < 0 ? 0 : n] = '\0';
	return n;
}

/* A pipe of which the monitor has the other end, and not one that processes inside have made for themselves. */
static bool is_of_monitor(int monitor, const char *name)
{
	char dir[32], other[PATH_MAX];
	bool found = false;
	struct dirent *de;
	DIR *d;

	if (strncmp(name, "pipe:[", 6) != 0)
		return false;
	snprintf(dir, sizeof(dir), "/proc/%d/fd", monitor);
	d = opendir(dir);
	while (d && !found && (de = readdir(d)))
		found = link_of(monitor, de->d_name, other) > 0 && !strcmp(other, name);
	if (d)
		closedir(d);
	return found;
}

static int note_streams(const struct checkpoint *cp, struct err *e)
{
	struct checkpoint_streams s = { 0 };
	AUTO(buf_done) struct buf text = { 0 };
	char name[PATH_MAX], path[64];
	struct stat st;
	int r = 0;

	for (int fd = 0; fd < 3 && r == 0; fd++) {
		snprintf(path, sizeof(path), "%d", fd);
		link_of(cp->state->pid, path, name);
		if (!is_of_monitor(cp->state->monitor_pid, name))
			*name = '\0';
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", cp->state->pid, fd);
		if (*name && stat(path, &st) == 0)
			s.uid = st.st_uid;
		r = strv_add(&s.names, name);
	}
	if (r == 0)
		r = json_print(&checkpoint_streams_table, &s, 0, &text);
	if (r == 0)
		r = write_file_swap(cp->images, STREAMS_FILE, 0600, text.data, text.len);
	json_done(&checkpoint_streams_table, &s);
	return r < 0 ? err_sys(e, -r, "cannot write " STREAMS_FILE) : 0;
}

/* --- what comes from outside */

struct mounts {
	struct mount_line *v;
	size_t n;
};

static void mounts_done(struct mounts *m)
{
	for (size_t i = 0; i < m->n; i++)
		mount_line_done(&m->v[i]);
	free(m->v);
}

static int read_mounts(int pid, struct mounts *ret)
{
	AUTO(buf_done) struct buf b = { 0 };
	AUTO(strv_done) struct strv lines = { 0 };
	char path[32];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	r = read_file(AT_FDCWD, path, MOUNTINFO_MAX, &b);
	if (r == 0)
		r = strv_split(&lines, b.data ? b.data : "", "\n");
	if (r < 0)
		return r;
	ret->v = calloc(lines.n + 1, sizeof(*ret->v));
	if (!ret->v)
		return -ENOMEM;
	for (size_t i = 0; i < lines.n; i++)
		if (mount_line_parse(lines.v[i], &ret->v[ret->n]) == 0)
			ret->n++;
	return 0;
}

/* The uppermost one there; NULL: none. */
static const struct mount_line *mount_at_place(const struct mounts *m, const char *place)
{
	for (size_t i = m->n; i-- > 0;)
		if (!strcmp(m->v[i].mount_point, place))
			return &m->v[i];
	return NULL;
}

/* A directory is masked by one of the small file system of the start, which is mounted nowhere else any more; a file by the
 * container's own null device. */
static bool is_outside(const struct step *s, const struct mount_line *m)
{
	if (s->op == &op_mask)
		return !strcmp(m->fs_type, "tmpfs") && !strcmp(m->root, "/empty");
	return s->op == &op_bind || s->op == &op_etc_file || s->op == &op_host_bind;
}

static int add_mounts(struct criu *c, const struct checkpoint *cp, const struct plan *p)
{
	AUTO(mounts_done) struct mounts mounts = { 0 };
	autoclose int root = -1;
	char path[32];
	int r = read_mounts(cp->state->pid, &mounts);

	snprintf(path, sizeof(path), "/proc/%d/root", cp->state->pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r == 0 && root < 0)
		r = -errno;
	for (size_t i = 0; i < p->n && r == 0; i++) {
		autofree char *place =
			*p->steps[i].what == '/' ? criu_true_place(root, p->steps[i].what) : NULL;
		const struct mount_line *m = place ? mount_at_place(&mounts, place) : NULL;

		if (m && is_outside(&p->steps[i], m))
			r = criu_add(c, "--external=mnt[%s]:%s", place, p->steps[i].what);
	}
	return r;
}

static int add_network(struct criu *c, int pid)
{
	struct stat st;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	if (stat(path, &st) < 0)
		return -errno;
	return criu_add(c, "--external=net[%" PRIu64 "]:" CHECKPOINT_NET, (uint64_t)st.st_ino);
}

/* v2, or the directory of the freezer. */
static int add_freezer(struct criu *c, const struct strv *dirs)
{
	for (size_t i = 0; i < dirs->n; i++) {
		autofree char *v2 = str_printf("%s/cgroup.freeze", dirs->v[i]);
		autofree char *v1 = str_printf("%s/freezer.state", dirs->v[i]);

		if (!v1 || !v2)
			return -ENOMEM;
		if (access(v1, F_OK) == 0 || access(v2, F_OK) == 0)
			return criu_add(c, "--freeze-cgroup=%s", dirs->v[i]);
	}
	return -ENOENT;
}

/* --- all of it */

static int tell(struct criu *c, const struct checkpoint *cp, const struct plan *p)
{
	static const char *const flags[] = {
		"--leave-running",	     "--evasive-devices", "--file-locks",
		"--tcp-established", /* they are in the images, and closed when they are restored */
		"--enable-external-masters", /* binds of what the host shares */
	};
	int r = criu_add(c, "--tree=%d", cp->state->pid);

	for (size_t i = 0; i < ARRAY_LEN(flags) && r == 0; i++)
		r = criu_add(c, "%s", flags[i]);
	if (r == 0)
		r = add_freezer(c, &cp->state->cgroups);
	if (r == 0)
		r = add_network(c, cp->state->pid);
	if (r == 0)
		r = add_mounts(c, cp, p);
	return r < 0 ? r : criu_add_fd(c, cp->hold);
}

static int run(const struct checkpoint *cp, const struct plan *p, struct err *e)
{
	int images = fcntl(cp->images, F_DUPFD_CLOEXEC, 3), r;
	AUTO(criu_done) struct criu c = { .images = -1 };

	if (images < 0)
		return err_sys(e, errno, "cannot run CRIU");
	r = criu_init_take(&c, "dump", images, cp->work, e);
	if (r < 0)
		return r;
	c.own_session = true;
	r = tell(&c, cp, p);
	return r < 0 ? err_sys(e, -r, "cannot tell CRIU of the container") : criu_run(&c, NULL, e);
}

int container_checkpoint(const struct checkpoint *cp, struct err *e)
{
	AUTO(plan_done) struct plan p = { 0 };
	int r = container_checkpoint_check(cp->spec, e);

	if (r == 0)
		r = container_plan(cp->spec, cp->facts, &p, e);
	if (r == 0)
		r = run(cp, &p, e);
	if (r == 0)
		r = note_streams(cp, e);
	if (r == 0 && syncfs(cp->images) < 0)
		r = err_sys(e, errno, "cannot make the images durable");
	return r;
}
