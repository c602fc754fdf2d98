/* checkpoint.c - a running container becomes images of its processes, written by CRIU */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/io.h"
#include "cgroup/ops.h"
#include "runtime/criu.h"

/* --- standard streams: on restore they are the caller's, and have to be known by the names that the images have */

static int mount_id(pid_t pid, int fd, unsigned *ret)
{
	AUTO(buf_done) struct buf b = { 0 };
	char path[48];
	const char *line;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)pid, fd);
	if (read_file(AT_FDCWD, path, 4096, &b) < 0 || !b.data)
		return -errno;
	line = strstr(b.data, "mnt_id:");
	return line && sscanf(line, "mnt_id: %u", ret) == 1 ? 0 : -EINVAL;
}

/* Is there a line of the process's mountinfo that begins with this number? */
static bool is_mounted_inside(pid_t pid, unsigned id)
{
	char path[32], *line = NULL;
	bool found = false;
	size_t cap = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	f = fopen(path, "re");
	while (f && !found && getline(&line, &cap, f) > 0)
		found = strtoul(line, NULL, 10) == id;
	free(line);
	if (f)
		fclose(f);
	return found;
}

/* A file of the host, or its null device, that only the descriptor leads to. */
static bool is_outside(pid_t pid, int fd, char ret_name[64])
{
	char path[48];
	struct stat st;
	unsigned id;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
	if (stat(path, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode)) ||
	    mount_id(pid, fd, &id) < 0)
		return false;
	if (is_mounted_inside(pid, id))
		return false;
	snprintf(ret_name, 64, "file[%x:%" PRIx64 "]", id, (uint64_t)st.st_ino);
	return true;
}

static int add_stream(struct criu *c, pid_t pid, int fd, struct buf *names)
{
	char path[48], target[PATH_MAX + 1] = "";
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
	n = readlink(path, target, PATH_MAX);
	target[n < 0 ? 0 : n] = '\0';
	if (is_outside(pid, fd, target)) {
		int r = criu_add(c, "--external=%s", target);

		if (r < 0)
			return r;
	}
	buf_adds(names, fd ? "," : "[");
	json_add_str(names, target);
	return 0;
}

static int add_streams(struct criu *c, pid_t pid, struct err *e)
{
	AUTO(buf_done) struct buf names = { 0 };
	int r = 0;

	for (int fd = 0; fd < 3 && r == 0; fd++)
		r = add_stream(c, pid, fd, &names);
	buf_adds(&names, "]");
	if (r < 0 || !buf_ok(&names))
		return err_set(e, ENOMEM, "out of memory");
	r = write_file_swap(c->images, CRIU_STREAMS, 0600, names.data, names.len);
	return r < 0 ? err_sys(e, -r, "cannot write " CRIU_STREAMS) : 0;
}

/* --- namespaces of others are not written down, but named */

static int add_namespace(struct criu *c, const struct oci_spec *s, pid_t pid, enum oci_namespace_type type)
{
	const char *file = type == OCI_NS_NETWORK ? "net" : "pid";
	char path[32];
	struct stat st;

	if (!oci_namespace_find(&s->lnx, type) || oci_namespace_is_new(&s->lnx, type))
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, file);
	if (stat(path, &st) < 0)
		return -errno;
	return criu_add(c, "--external=%s[%" PRIu64 "]:%s", file, (uint64_t)st.st_ino,
			type == OCI_NS_NETWORK ? CRIU_NETNS : CRIU_PIDNS);
}

/* --- all of it */

static int add_freezer(struct criu *c, const struct record *r)
{
	bool v2;
	const char *dir = cgroup_record_dir(&r->cgroups, "freezer", &v2);

	return dir ? criu_add(c, "--freeze-cgroup=%s", dir) : 0;
}

static int add_dump(struct criu *c, const struct container_ref *ref, const struct oci_spec *s,
		    const struct checkpoint_args *a)
{
	int r = criu_add(c, "--tree=%d", ref->record.pid);

	if (r == 0)
		r = add_freezer(c, &ref->record);
	if (r == 0)
		r = criu_add(c, "--evasive-devices");
	if (r == 0)
		r = criu_add(c, "--link-remap");
	if (r == 0 && a->leave_running)
		r = criu_add(c, "--leave-running");
	if (r == 0 && (a->pre_dump || a->parent_path))
		r = criu_add(c, "--track-mem");
	if (r == 0 && a->parent_path)
		r = criu_add(c, "--prev-images-dir=%s", a->parent_path);
	if (r == 0)
		r = add_namespace(c, s, ref->record.pid, OCI_NS_NETWORK);
	return r < 0 ? r : add_namespace(c, s, ref->record.pid, OCI_NS_PID);
}

static int check(const struct runtime *rt, const struct container_ref *ref, const struct checkpoint_args *a,
		 struct oci_spec *s, struct err *e)
{
	int r;

	if (ref->status != CONTAINER_RUNNING && ref->status != CONTAINER_PAUSED)
		return err_set(e, ESRCH, "container not running: %s", container_status_names[ref->status]);
	r = container_ref_config(ref, s, e);
	return r < 0 ? r : criu_check_spec(s, rt, e);
}

static int dump(const struct runtime *rt, const struct container_ref *ref, const struct oci_spec *s,
		const struct checkpoint_args *a, struct err *e)
{
	AUTO(criu_done) struct criu c;
	int r = criu_begin(&c, rt, a->pre_dump ? "pre-dump" : "dump", &a->criu, e);

	if (r < 0)
		return r;
	c.terminal = s->process.terminal && !a->pre_dump; /* which is of memory alone */
	r = add_dump(&c, ref, s, a);
	if (r < 0)
		return err_sys(e, -r, "cannot tell CRIU of the container");
	r = criu_add_pages(&c, a, e);
	if (r == 0)
		r = criu_add_mounts_of(&c, s, ref->record.pid, e);
	if (r == 0 && !a->pre_dump)
		r = add_streams(&c, ref->record.pid, e);
	return r < 0 ? r : criu_run(&c, NULL, e);
}

int runtime_checkpoint(const struct runtime *rt, const char *id, const struct checkpoint_args *a,
		       struct err *e)
{
	AUTO(container_ref_done) struct container_ref ref;
	AUTO(oci_spec_done) struct oci_spec s = { 0 };
	int r = container_ref_open(rt, id, &ref, e);

	if (r == 0)
		r = check(rt, &ref, a, &s, e);
	if (r == 0)
		r = dump(rt, &ref, &s, a, e);
	/* a paused one whose processes are gone stays frozen otherwise */
	if (r == 0 && !a->leave_running && !a->pre_dump)
		cgroup_thaw(&ref.record.cgroups, NULL);
	return r;
}
