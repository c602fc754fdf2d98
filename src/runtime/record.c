/* record.c - what ketch-oci remembers of a container */
#include "runtime/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/parse.h"
#include "cgroup/ops.h"
#include "sys/patience.h"
#include "sys/pidfd.h"

#define RECORD_MAX (4 * 1024 * 1024)

const char *const container_status_names[] = { "creating", "created", "running", "paused", "stopped", NULL };

static const struct jfield record_fields[] = {
	J(J_STR, struct record, id),
	J(J_STR, struct record, bundle),
	J(J_STR, struct record, rootfs),
	JK(J_STR, struct record, oci_version, "ociVersion"),
	JK(J_I64, struct record, created_ns, "created"),
	J(J_INT, struct record, pid),
	JK(J_U64, struct record, pid_start, "pidStart"),
	J(J_MAP, struct record, cgroups),
	J(J_MAP, struct record, annotations),
	J(J_STR, struct record, keyring),
	J(J_STR, struct record, personality),
	JK(J_U64, struct record, filter_flags, "filterFlags"),
	J(J_STR, struct record, listener),
	JK(J_STR, struct record, listener_metadata, "listenerMetadata"),
	JK(J_BOOL, struct record, shared_mounts, "sharedMounts"),
	JK(J_BOOL, struct record, user_namespace, "userNamespace"),
	JK(J_BOOL, struct record, own_pids, "ownPids"),
	J(J_BOOL, struct record, restoring),
	J(J_BOOL, struct record, poststart),
	J(J_BOOL, struct record, poststop),
	{ 0 },
};
static const struct jtable record_table = { sizeof(struct record), record_fields };

bool record_id_is_valid(const char *id)
{
	size_t n = strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+.-");

	return n && !id[n] && n <= 255 && strcmp(id, ".") && strcmp(id, "..") && strcmp(id, RECORD_FILTERS);
}

int record_write(int dir, const struct record *r, struct err *e)
{
	AUTO(buf_done) struct buf b = { 0 };
	int k = json_print(&record_table, r, 0, &b);

	if (k == 0)
		k = write_file_swap(dir, "state.json", 0600, b.data, b.len);
	return k < 0 ? err_sys(e, -k, "cannot write the state of the container") : 0;
}

int record_read(int dir, struct record *ret, struct err *e)
{
	AUTO(buf_done) struct buf b = { 0 };
	int k = read_file(dir, "state.json", RECORD_MAX, &b);

	*ret = (struct record){ 0 };
	if (k < 0)
		return err_sys(e, -k, "cannot read the state of the container");
	k = json_parse(&record_table, b.data, b.len, 0, ret, e);
	return k < 0 ? err_wrap(e, k, "state.json") : 0;
}

int record_lock(int dir, int wait_ms)
{
	return flock_within_ms(dir, LOCK_EX, wait_ms);
}

void record_done(struct record *r)
{
	json_done(&record_table, r);
}

/* "PID (NAME) STATE PPID ...": the name may hold anything, so the last ')' ends it. */
static int read_stat(pid_t pid, char *ret_state, uint64_t *ret_start)
{
	AUTO(buf_done) struct buf b = { 0 };
	AUTO(strv_done) struct strv f = { 0 };
	char path[32];
	const char *rest;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (read_file(AT_FDCWD, path, 4096, &b) < 0 || !b.data)
		return -ESRCH;
	rest = strrchr(b.data, ')');
	if (!rest || strv_split(&f, rest, " \n") < 0 || f.n < 21)
		return -ESRCH;
	*ret_state = *f.v[1];
	return parse_u64(f.v[20], ret_start) < 0 ? -ESRCH : 0;
}

int record_pid_start(pid_t pid, uint64_t *ret)
{
	char state;

	return read_stat(pid, &state, ret);
}

int record_open_process(const struct record *r)
{
	autoclose int fd = r->pid > 0 ? pidfd_open_pid(r->pid) : -ESRCH;
	uint64_t start;
	char state;

	if (fd < 0)
		return fd;
	if (read_stat(r->pid, &state, &start) < 0 || state == 'Z' || state == 'X' || start != r->pid_start)
		return -ESRCH;
	return take_fd(&fd);
}

void record_unmount(const struct record *r)
{
	if (r->shared_mounts && r->rootfs)
		umount2(r->rootfs,
			MNT_DETACH | UMOUNT_NOFOLLOW); /* with all below; EINVAL: it was never mounted */
}

/* Another container may have its cgroups by now, or just take them.  Without a first process there are none of ours but those
 * that die with their maker; behind the end of the first one there are none, if it had a pid namespace.  CRIU, whose first one
 * nobody knows yet, does not die with us. */
int record_remove_cgroups(const struct record *r, struct err *e)
{
	bool scope = strv_env_get(&r->cgroups, "scope") || strv_env_get(&r->cgroups, "user-scope");
	int k;

	if (r->restoring || (r->pid && (scope || !r->own_pids)))
		return cgroup_record_remove(&r->cgroups, e);
	k = cgroup_record_leave(&r->cgroups);
	return k < 0 && k != -EBUSY ? err_sys(e, -k, "cannot remove the cgroups of the container") : 0;
}

enum container_status record_status(int dir, const struct record *r)
{
	autoclose int fd = record_open_process(r);

	if (!r->pid)
		return CONTAINER_CREATING;
	if (fd < 0)
		return CONTAINER_STOPPED;
	if (cgroup_is_frozen(&r->cgroups) > 0)
		return CONTAINER_PAUSED;
	return faccessat(dir, "start", F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? CONTAINER_CREATED
								       : CONTAINER_RUNNING;
}
