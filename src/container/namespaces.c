/* namespaces.c - steps that say which namespaces a container gets: new ones, and those of others */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"
#include "container/container_int.h"
#include "container/plan_int.h"
#include "sys/mount.h"
#include "sys/ns.h"
#include "sys/pidfd.h"

#define SHM_MS 5000

const struct ns_kind ns_kinds[OCI_NS_N] = {
	[OCI_NS_PID] = { "pid", CLONE_NEWPID },		 [OCI_NS_NETWORK] = { "net", CLONE_NEWNET },
	[OCI_NS_MOUNT] = { "mnt", CLONE_NEWNS },	 [OCI_NS_IPC] = { "ipc", CLONE_NEWIPC },
	[OCI_NS_UTS] = { "uts", CLONE_NEWUTS },		 [OCI_NS_USER] = { "user", CLONE_NEWUSER },
	[OCI_NS_CGROUP] = { "cgroup", CLONE_NEWCGROUP }, [OCI_NS_TIME] = { "time", CLONE_NEWTIME },
};

static uint64_t flag_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(ns_kinds); i++)
		if (!strcmp(ns_kinds[i].name, name))
			return ns_kinds[i].flag;
	return 0;
}

const char *ns_name(uint64_t flag)
{
	for (size_t i = 0; i < ARRAY_LEN(ns_kinds); i++)
		if (ns_kinds[i].flag == flag)
			return ns_kinds[i].name;
	return NULL;
}

static int apply_namespaces(void *ctx, const struct step *s, struct err *e)
{
	AUTO(strv_done) struct strv names = { 0 };
	struct container *c = ctx;

	if (strv_split(&names, s->data, " ") < 0)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < names.n; i++)
		c->clone_flags |= flag_of(names.v[i]);
	/* its root is the cgroup of the process at that moment: so it comes after joining */
	c->own_cgroupns = c->clone_flags & CLONE_NEWCGROUP;
	c->clone_flags &= ~(uint64_t)CLONE_NEWCGROUP;
	return 0;
}
const struct step_op op_namespaces = { "namespaces", STAGE_HOST, apply_namespaces };

static int add_join(struct container *c, int fd, uint64_t flag, struct err *e)
{
	if (ioctl(fd, NS_GET_NSTYPE) != (int)flag) {
		close(fd);
		return err_set(e, EINVAL, "it is not a namespace of this type");
	}
	if (c->n_joins >= MAX_JOINS) {
		close(fd);
		return err_set(e, E2BIG, "too many namespaces");
	}
	c->joins[c->n_joins++] = (struct ns_join){ fd, (int)flag };
	return 0;
}

/* That of another instance, which the engine has opened. */
static int apply_ns_open(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;
	int fd = fcntl(source_fd(c, s->from), F_DUPFD_CLOEXEC, 3);

	return fd < 0 ? err_set(e, EBADF, "the namespace is missing") : add_join(c, fd, flag_of(s->what), e);
}
const struct step_op op_ns_open = { "namespace-open", STAGE_HOST, apply_ns_open };

bool container_has_namespace(const struct container *c, int flag)
{
	for (size_t i = 0; i < c->n_joins; i++)
		if (c->joins[i].flag == flag)
			return true;
	return c->clone_flags & (uint64_t)flag;
}

/* In the child, which shares our descriptors and closes all it opens: the mount is left in `result`.  A copy can be made
 * only in the mount namespace that has the original.  Without any link on the way: one of procfs could lead from there to
 * descriptors of ours. */
static int copy_shm(int mnt_ns, int result)
{
	int r = ns_join(mnt_ns, CLONE_NEWNS);
	autoclose int root = r < 0 ? r : open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	autoclose int shm = root < 0 ? root : open_in_root_nolinks(root, "/dev/shm", O_PATH | O_DIRECTORY, 0);
	autoclose int mnt = shm < 0 ? shm : mount_clone(shm, false);

	if (r < 0 || mnt < 0)
		return r < 0 ? r : mnt;
	return dup3(mnt, result, O_CLOEXEC) < 0 ? -errno : 0;
}

static int apply_shm_of(void *ctx, const struct step *s, struct err *e)
{
	autoclose int result = open("/dev/null", O_RDONLY | O_CLOEXEC), pidfd = -1;
	struct container *c = ctx;
	int mnt_ns = source_fd(c, s->from), status = 0, r;
	pid_t pid = ns_clone(CLONE_FILES, -1, &pidfd);

	if (pid == 0)
		_exit(-copy_shm(mnt_ns, result));
	r = pid < 0 ? pid : pidfd_wait_end(pidfd, SHM_MS);
	if (r == 0)
		r = pidfd_reap(pidfd, &status);
	if (r == 0)
		r = -status; /* the errno, which is below 128 */
	if (r < 0)
		return err_sys(e, -r, "cannot share /dev/shm of the other container");
	return tree_add(c, s->what, take_fd(&result)) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}
const struct step_op op_shm_of = { "shm-of", STAGE_HOST, apply_shm_of };

/* A path of the caller's: anything but a namespace of that kind is refused before setns could be fooled. */
static int apply_ns_join(void *ctx, const struct step *s, struct err *e)
{
	autoclose int fd = open(s->from, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	uint64_t flag = flag_of(s->what);
	struct container *c = ctx;
	struct statfs fs;

	if (fd < 0)
		return err_sys(e, errno, "\"%s\"", s->from);
	if (fstatfs(fd, &fs) < 0 || fs.f_type != NSFS_MAGIC || ioctl(fd, NS_GET_NSTYPE) != (int)flag)
		return err_set(e, EINVAL, "\"%s\" is not a namespace of this type", s->from);
	return add_join(c, take_fd(&fd), flag, e);
}
const struct step_op op_ns_join = { "namespace-join", STAGE_HOST, apply_ns_join };

static int keep_text(char **ret, const struct step *s, struct err *e)
{
	free(*ret);
	*ret = strdup(s->data);
	return *ret ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int apply_id_maps(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;

	return keep_text(strcmp(s->what, "uid") ? &c->gid_map : &c->uid_map, s, e);
}
const struct step_op op_id_maps = { "id-map", STAGE_HOST, apply_id_maps };

static int apply_time(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;

	return keep_text(&c->time_offsets, s, e);
}
const struct step_op op_time = { "time-offsets", STAGE_HOST, apply_time };

/* --- the planner's part for an OCI config */

static void plan_id_map(struct planner *pl, const char *what, const struct oci_id_mapping *m, size_t n)
{
	AUTO(buf_done) struct buf lines = { 0 };

	for (size_t i = 0; i < n; i++)
		buf_addf(&lines, "%u %u %u\n", m[i].container_id, m[i].host_id, m[i].size);
	if (n)
		plan_step(pl, &op_id_maps, what, NULL, lines.data, 0);
	if (!n && oci_namespace_is_new(&pl->oci->spec->lnx, OCI_NS_USER)) {
		pl->place = *what == 'u' ? "linux.uidMappings" : "linux.gidMappings";
		plan_refuse(pl, "a new user namespace needs them");
	}
}

static void plan_time(struct planner *pl, const struct oci_linux *l)
{
	AUTO(buf_done) struct buf lines = { 0 };

	buf_addf(&lines, "monotonic %lld %lld\nboottime %lld %lld\n", (long long)l->monotonic.secs,
		 (long long)l->monotonic.nanosecs, (long long)l->boottime.secs,
		 (long long)l->boottime.nanosecs);
	plan_step(pl, &op_time, "time", NULL, lines.data, 0);
}

void plan_oci_namespaces(struct planner *pl, const struct oci_linux *l)
{
	AUTO(buf_done) struct buf fresh = { 0 };

	for (size_t i = 0; i < l->n_namespaces; i++) {
		const struct oci_namespace *ns = &l->namespaces[i];

		autofree char *place = str_printf("linux.namespaces[%zu].path", i);

		pl->place = place;
		if (ns->path && *ns->path)
			plan_step(pl, &op_ns_join, ns_kinds[ns->type].name, ns->path, NULL, 0);
		else
			buf_addf(&fresh, "%s%s", fresh.len ? " " : "", ns_kinds[ns->type].name);
	}
	pl->place = NULL;
	if (fresh.len)
		plan_step(pl, &op_namespaces, "new", NULL, fresh.data, 0);
	plan_id_map(pl, "uid", l->uid_mappings, l->n_uid_mappings);
	plan_id_map(pl, "gid", l->gid_mappings, l->n_gid_mappings);
	if (oci_namespace_is_new(l, OCI_NS_TIME))
		plan_time(pl, l);
}
