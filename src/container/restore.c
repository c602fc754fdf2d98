/* restore.c - images that CRIU wrote become the first process of a container, and all that are below it
 *
 * How it works: the host's steps of the plan are done as for any start.  The child that becomes CRIU is in the container's
 * cgroups and in a mount namespace of its own; there it mounts the stage over a directory of the instance's run directory:
 *
 *	root	the container's root
 *	mN	what step N of the plan mounts from outside
 *	NAME	files that are made for its /etc
 *	cover	the empty directory behind masks
 *
 * CRIU makes the container's mounts out of these and of its images, and what it forks first is our child, not its own
 * (--restore-sibling): so that ends with us, as any first process does.
 */
#include "container/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/path.h"
#include "container/checkpoint_int.h"
#include "sys/keyring.h"
#include "sys/mount.h"
#include "sys/ns.h"
#include "sys/pidfd.h"

#define STAGE	   "stage"
#define WORK	   "criu" /* in the instance's directory: the log, which stays when it fails */
#define PID_FILE   "criu.pid" /* in its run directory */
#define NETWORK_MS 10000

bool restore_is_asked(const struct container *c)
{
	return boot_fd(c->boot, "processes") >= 0;
}

void restore_done(struct restoring *r)
{
	criu_done(&r->criu);
	criu_job_done(&r->job);
	if (r->net >= 0)
		close(r->net);
	free(r->stage);
	*r = RESTORING_INIT;
}

/* --- the stage: in the child that becomes CRIU */

static bool is_staged(const struct step *s)
{
	return s->op == &op_bind || s->op == &op_host_bind;
}

static int open_place(int stage, const char *name, bool dir)
{
	if (!dir)
		return place_in(stage, name, 0600);
	return mkdir_open(stage, name, 0700);
}

static int attach(int stage, const char *name, int mnt)
{
	autoclose int place = -1;
	struct stat st;

	if (mnt < 0 || fstat(mnt, &st) < 0)
		return mnt < 0 ? mnt : -errno;
	place = open_place(stage, name, S_ISDIR(st.st_mode));
	return place < 0 ? place : mount_attach(mnt, place);
}

static int attach_host(int stage, const char *name, const struct step *s)
{
	autoclose int mnt = mount_clone_path(s->from, false);
	int r = mnt < 0 ? mnt : mount_change(mnt, s->flags, 0, false);

	return r < 0 ? r : attach(stage, name, mnt);
}

static int attach_steps(const struct container *c, int stage)
{
	char name[32];
	int r = 0;

	for (size_t i = 0; i < c->plan->n && r == 0; i++) {
		const struct step *s = &c->plan->steps[i];

		snprintf(name, sizeof(name), "m%zu", i);
		if (is_staged(s))
			r = s->op == &op_bind ? attach(stage, name, tree_get(c, s->from))
					      : attach_host(stage, name, s);
		else if (s->op == &op_etc_file)
			r = etc_file_write(stage, s);
	}
	return r;
}

static int attach_root(const struct container *c, int stage)
{
	int root = tree_get(c, "root"), r = root < 0 ? root : attach(stage, "root", root);

	return r == 0 && c->boot->spec.read_only ? mount_change(root, MOUNT_ATTR_RDONLY, 0, false) : r;
}

static int attach_cover(int stage)
{
	autoclose int empty = mkdir_open(stage, "empty", 0555);
	autoclose int mnt = empty < 0 ? empty : mount_clone(empty, false);
	int r = mnt < 0 ? mnt
			: mount_change(mnt,
				       MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
					       MOUNT_ATTR_NOEXEC,
				       0, false);

	return r < 0 ? r : attach(stage, "cover", mnt);
}

/* By path: what was opened before is a mount of the namespace that is left. */
static int mount_stage(const char *path)
{
	autoclose int mnt = mount_new("tmpfs", "mode=0755,size=1m", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	autoclose int place = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = mnt < 0 ? mnt : place < 0 ? -errno : mount_attach(mnt, place);

	if (r < 0)
		return r;
	r = openat(mnt, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return r < 0 ? -errno : r;
}

static int enter_stage(void *arg)
{
	const struct restoring *r = arg;
	autoclose int stage = -1;
	int k = keyring_join_session(NULL, false); /* they inherit CRIU's: not one of whoever started us */

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	umask(0);
	if (k == 0)
		k = stage = mount_stage(r->stage);
	if (k >= 0)
		k = attach_root(r->c, stage);
	if (k == 0)
		k = attach_cover(stage);
	return k < 0 ? k : attach_steps(r->c, stage);
}

/* --- its network: a new one for --network none; what is set in it is not in the images */

struct network {
	const struct container *c;
	int fd; /* the namespace; or where one that is made goes */
	bool make;
};

static bool is_of_network(const struct step *s)
{
	return s->op == &op_loopback || (s->op == &op_sysctl && !strncmp(s->what, "/proc/sys/net/", 14)) ||
	       (s->op == &op_kernel_set && !strncmp(s->what, "net/", 4));
}

/* In a child: what it changes of the container is its own copy. */
static int set_up_network(const void *arg)
{
	const struct network *n = arg;
	struct container c = *n->c;
	struct err e = { 0 };
	int r = n->make ? ns_unshare(CLONE_NEWNET) : ns_join(n->fd, CLONE_NEWNET);

	if (r == 0 && n->make) {
		autoclose int own = ns_open(0, "net");

		r = own < 0 || dup3(own, n->fd, O_CLOEXEC) < 0 ? -errno : 0;
	}
	c.proc = -1;
	c.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < c.plan->n && r == 0; i++)
		if (is_of_network(&c.plan->steps[i]))
			r = c.plan->steps[i].op->apply(&c, &c.plan->steps[i], &e);
	close(c.root);
	if (c.proc >= 0)
		close(c.proc);
	return r;
}

static int network_of(const struct container *c)
{
	for (size_t i = 0; i < c->n_joins; i++)
		if (c->joins[i].flag == CLONE_NEWNET)
			return c->joins[i].fd;
	return -1;
}

static int add_network(struct restoring *r, struct err *e)
{
	struct network n = { r->c, network_of(r->c), false };
	int k;

	if (n.fd < 0) {
		r->net = n.fd = open("/dev/null", O_RDONLY | O_CLOEXEC); /* its number, for another file */
		n.make = true;
	}
	k = n.fd < 0 ? -errno : ns_run_apart(set_up_network, &n, NETWORK_MS);
	if (k == 0)
		k = criu_add_fd(&r->criu, n.fd);
	if (k >= 0)
		k = criu_add(&r->criu, "--inherit-fd=fd[%d]:" CHECKPOINT_NET, k);
	return k < 0 ? err_sys(e, -k, "cannot make its network") : 0;
}

/* --- what CRIU is told */

static int add_streams(struct restoring *r, const int stdio[3], struct err *e)
{
	struct checkpoint_streams s = { 0 };
	AUTO(buf_done) struct buf b = { 0 };
	int k = read_file(r->criu.images, STREAMS_FILE, STREAMS_MAX, &b);

	k = k < 0 ? err_sys(e, -k, "cannot read " STREAMS_FILE)
		  : json_parse(&checkpoint_streams_table, b.data, b.len, JSON_STRICT, &s, e);
	for (size_t i = 0; i < s.names.n && i < 3 && k >= 0; i++) {
		if (!*s.names.v[i] || stdio[i] < 0)
			continue;
		k = fchown(stdio[i], (uid_t)s.uid, (gid_t)-1) < 0 ? -errno : 0;
		if (k == 0)
			k = criu_add_fd(&r->criu, stdio[i]);
		if (k >= 0)
			k = criu_add(&r->criu, "--inherit-fd=fd[%d]:%s", k, s.names.v[i]);
		if (k < 0)
			err_sys(e, -k, "cannot hand over its standard streams");
	}
	json_done(&checkpoint_streams_table, &s);
	return k < 0 ? k : 0;
}

static int add_mounts(struct restoring *r)
{
	const struct plan *p = r->c->plan;
	int k = 0;

	for (size_t i = 0; i < p->n && k == 0; i++) {
		const struct step *s = &p->steps[i];

		if (s->op == &op_mask)
			k = criu_add(&r->criu, "--external=mnt[%s]:%s/cover", s->what, r->stage);
		else if (is_staged(s))
			k = criu_add(&r->criu, "--external=mnt[%s]:%s/m%zu", s->what, r->stage, i);
		else if (s->op == &op_etc_file)
			k = criu_add(&r->criu, "--external=mnt[%s]:%s/%s", s->what, r->stage,
				     strrchr(s->what, '/') + 1);
	}
	return k;
}

static int add_flags(struct restoring *r, const char *run)
{
	static const char *const flags[] = { "--restore-detached", "--restore-sibling", "--file-locks",
					     "--tcp-close", "--enable-external-masters" };
	int k = criu_add(&r->criu, "--root=%s/root", r->stage);

	for (size_t i = 0; i < ARRAY_LEN(flags) && k == 0; i++)
		k = criu_add(&r->criu, "%s", flags[i]);
	return k < 0 ? k : criu_add(&r->criu, "--pidfile=%s/" PID_FILE, run);
}

static int tell(struct restoring *r, const int stdio[3], struct err *e)
{
	int run_fd = boot_fd(r->c->boot, "run"), k = 0;
	autofree char *run = fd_path(run_fd);
	autoclose int stage = mkdir_open(run_fd, STAGE, 0700);

	if (stage < 0)
		return err_sys(e, -stage, "the run directory");
	r->stage = run ? str_printf("%s/" STAGE, run) : NULL;
	k = r->stage ? add_flags(r, run) : -ENOMEM;
	if (k == 0)
		k = add_mounts(r);
	if (k < 0)
		return err_set(e, ENOMEM, "out of memory");
	k = add_streams(r, stdio, e);
	return k < 0 ? k : add_network(r, e);
}

/* --- its run */

int restore_begin(struct container *c, const int stdio[3], struct restoring *ret, struct err *e)
{
	const struct criu_place place = {
		.cgroups = &c->cgroups,
		.own_cgroupns = c->own_cgroupns,
		.no_new_privs = c->boot->spec.process.no_new_privs,
		.enter = enter_stage,
		.arg = ret,
	};
	autoclose int work = mkdir_open(boot_fd(c->boot, "dir"), WORK, 0700);
	int images = fcntl(boot_fd(c->boot, "processes"), F_DUPFD_CLOEXEC, 3), r;

	if (work < 0 || images < 0)
		return err_sys(e, work < 0 ? -work : errno, "cannot open the saved processes");
	ret->c = c;
	r = criu_init_take(&ret->criu, "restore", images, work, e);
	ret->criu.own_session = true;
	if (r == 0)
		r = tell(ret, stdio, e);
	return r < 0 ? r : criu_start(&ret->criu, &place, &ret->job, e);
}

static pid_t read_pid(int run)
{
	AUTO(buf_done) struct buf b = { 0 };
	uint32_t pid;

	return read_file(run, PID_FILE, 32, &b) < 0 || !b.data || parse_u32(b.data, &pid) < 0 ? -EPROTO
											      : (pid_t)pid;
}

pid_t restore_end(struct restoring *r, int *ret_pidfd, struct err *e)
{
	const struct boot *b = r->c->boot;
	int k = criu_end(&r->criu, &r->job, e);
	pid_t pid;

	if (k < 0)
		return err_wrap(e, k, "its processes cannot be restored");
	pid = read_pid(boot_fd(b, "run"));
	*ret_pidfd = pid < 0 ? pid : pidfd_open_pid(pid); /* our own child: the number is still its */
	if (*ret_pidfd < 0)
		return err_sys(e, -*ret_pidfd, "CRIU does not say which process it has restored");
	remove_tree(boot_fd(b, "dir"), WORK);
	return pid;
}
