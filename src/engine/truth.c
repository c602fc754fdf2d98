/* truth.c - what is so, from the lock and the files that the monitor leaves
 *
 * How it works: a monitor holds the lock of its instance from before its first effect until it has put
 * everything back and written exit.json.  So the lock alone tells whether an instance runs; a lock that is
 * free while the run directory is still there means that the monitor was killed, and whoever sees it first
 * takes the lock and clears up: processes and cgroups (found by the instance's id), the run directory, and an
 * exit.json that says so.  Mounts are in the instance's own mount namespace and go with its processes.
 *
 * States on disk: neither exit.json nor `started`: created; run directory + lock: starting or running (state.json);
 * exit.json: exited; `started` alone: it was lost, without a run directory together with the host.  A monitor that is
 * there for the files of an instance alone (state.json says so, from before it is started) holds the lock, too, but
 * changes neither: the instance is created or exited as before.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "cgroup/cgroup.h"
#include "engine/engine_int.h"
#include "engine/net_int.h"
#include "instance/exit_record.h"

#define MAX_STATE    (1 << 20)
#define IDLE_WAIT_S  40 /* a virtual machine has 30 to power off */
#define IDLE_POLL_MS 2

int truth_dir_open(struct engine *en, const char *id)
{
	int fd = openat(en->instances_fd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

static int lock_open(int dir)
{
	int fd = dir < 0 ? dir : openat(dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	return fd < 0 && dir >= 0 ? -errno : fd;
}

static bool can_write(const struct engine *en)
{
	return image_store_state(en->images) == STORE_WHOLE;
}

/* To ask for it alone. */
static int lock_look(int dir)
{
	int fd = dir < 0 ? dir : openat(dir, "lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 && dir >= 0 ? -errno : fd;
}

/* Is what was locked still the lock?  A removal may have come between our open and our lock. */
static bool lock_is_current(struct engine *en, const char *id, int fd)
{
	autoclose int dir = truth_dir_open(en, id);
	struct stat mine, now;

	return dir >= 0 && fstat(fd, &mine) == 0 && fstatat(dir, "lock", &now, AT_SYMLINK_NOFOLLOW) == 0 &&
	       mine.st_ino == now.st_ino && mine.st_dev == now.st_dev;
}

int truth_lock(struct engine *en, const char *id, int *ret_fd, struct err *e)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	autoclose int dir = truth_dir_open(en, id);
	autoclose int fd = lock_open(dir);

	if (fd < 0)
		return err_sys(e, -fd, "instance %.12s", id);
	if (fcntl(fd, F_OFD_SETLK, &fl) < 0)
		return errno == EAGAIN || errno == EACCES ? err_set(e, EBUSY, "instance %.12s is running", id)
							  : err_sys(e, errno, "lock of instance %.12s", id);
	if (!lock_is_current(en, id, fd))
		return err_set(e, ENOENT, "instance %.12s has been removed", id);
	*ret_fd = take_fd(&fd);
	return 0;
}

int truth_take_lock(struct engine *en, const char *id, int fd, struct err *e)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fd_set_cloexec(fd, true) < 0 || !lock_is_current(en, id, fd) || fcntl(fd, F_OFD_SETLK, &fl) < 0)
		return err_set(e, EBADF, "descriptor %d is not the lock of instance %.12s", fd, id);
	return 0;
}

static int read_state(int dirfd, const char *name, struct instance_state *ret)
{
	AUTO(buf_done) struct buf b = { 0 };
	struct instance_state st = { 0 };
	int r = read_file(dirfd, name, MAX_STATE, &b);

	if (r == 0)
		r = json_parse(&instance_state_table, b.data ? b.data : "", b.len, 0, &st, NULL);
	if (r < 0)
		return r;
	json_done(&instance_state_table, ret);
	*ret = st;
	return 0;
}

static int run_dir_open(struct engine *en, const char *id)
{
	int fd = openat(en->run_fd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

static bool has_run_dir(struct engine *en, const char *id)
{
	struct stat st;

	return fstatat(en->run_fd, id, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

int truth_record_end(struct engine *en, struct instance *in, const char *why, struct err *e)
{
	autoclose int dir = truth_dir_open(en, in->spec.id);
	struct instance_state *st = &in->state;
	int r;

	st->status = STATUS_EXITED;
	st->finished_ns = clock_real_ns();
	st->pid = st->monitor_pid = 0;
	strv_done(&st->cgroups);
	free(st->error);
	st->error = strdup(why);
	r = dir < 0 ? dir : exit_record_write(dir, st, true);
	if (r < 0)
		return err_sys(e, -r, "exit record of instance %.12s", in->spec.id);
	engine_tell(en, &in->spec, "die", (const char *const[]){ "exitCode=137", NULL });
	return 0;
}

int truth_note_start(int dir)
{
	autoclose int fd =
		openat(dir, START_RECORD, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -errno;
	return unlinkat(dir, EXIT_RECORD, 0) < 0 && errno != ENOENT ? -errno : 0;
}

void truth_forget_start(int dir)
{
	unlinkat(dir, START_RECORD, 0);
}

/* Started, and no word of its end?  Then *ret_ns is when. */
static bool has_no_end(int dir, int64_t *ret_ns)
{
	struct stat st;

	if (dir < 0 || fstatat(dir, EXIT_RECORD, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
	    fstatat(dir, START_RECORD, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	*ret_ns = st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec;
	return true;
}

/* Its monitor was killed, or with the host: ends what is left and writes what it would have written. */
static int clear_lost(struct engine *en, struct instance *in, bool with_host, struct err *e)
{
	int r = cgroup_clear(engine_facts(en), in->spec.sandbox.cgroup_parent, in->spec.id, e);

	if (r < 0)
		return r;
	in->state.exit_code = 137;
	return truth_record_end(en, in, with_host ? "the host went down" : "its monitor was killed", e);
}

/* Was the monitor that has left this run directory there for files alone? */
static bool is_for_files(int run)
{
	struct instance_state st = { 0 };
	bool yes = read_state(run, "state.json", &st) == 0 && st.files_only;

	json_done(&instance_state_table, &st);
	return yes;
}

int truth_settle(struct engine *en, struct instance *in, struct err *e)
{
	autoclose int dir = truth_dir_open(en, in->spec.id), run = run_dir_open(en, in->spec.id);
	int64_t started_ns;
	int r = 0;

	if (run >= 0 && is_for_files(run))
		r = cgroup_clear(engine_facts(en), in->spec.sandbox.cgroup_parent, in->spec.id, e);
	else if (has_no_end(dir, &started_ns)) {
		in->state.started_ns = started_ns;
		if (run >= 0)
			read_state(run, "state.json", &in->state);
		r = clear_lost(en, in, run < 0, e);
		if (r == -ENOSPC) /* it is so all the same; the next who looks finds it out again */
			return 0;
	}
	/* also of a start that was killed before its monitor was there */
	if (r == 0 && run >= 0)
		r = net_release_held(en, in->spec.id, true, e);
	if (r == 0 && run >= 0)
		r = remove_tree(en->run_fd, in->spec.id);
	if (r < 0)
		return r;
	r = dir < 0 ? dir : read_state(dir, EXIT_RECORD, &in->state);
	if (r < 0) /* never started, or its record is unreadable: what is certain is that nothing runs */
		in->state.status = STATUS_CREATED;
	return 0;
}

/* Does a monitor, or a command that starts, removes or settles it, hold the lock?  Asked without taking it: of two
 * that look at the same time neither must take the other for a monitor.  dir: of the instance, or -errno.  0 no, -EBUSY yes,
 * or -errno. */
static int lock_probe_in(struct engine *en, int dir)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	autoclose int fd = can_write(en) ? lock_open(dir) : lock_look(dir);

	if (fd < 0)
		return fd;
	if (fcntl(fd, F_OFD_GETLK, &fl) < 0)
		return -errno;
	return fl.l_type == F_UNLCK ? 0 : -EBUSY;
}

static int lock_probe(struct engine *en, const char *id)
{
	autoclose int dir = truth_dir_open(en, id);

	return lock_probe_in(en, dir);
}

bool truth_is_locked(struct engine *en, const char *id)
{
	return lock_probe(en, id) == -EBUSY;
}

/* exit.json is the last that a monitor writes, and the first that goes when one is started. */
static void read_running(struct engine *en, int dir, struct instance *in)
{
	autoclose int run = run_dir_open(en, in->spec.id);

	in->state.status = STATUS_STARTING;
	if (read_state(dir, EXIT_RECORD, &in->state) < 0 && run >= 0)
		read_state(run, "state.json", &in->state);
}

static bool is_lost(int dir)
{
	int64_t unused;

	return has_no_end(dir, &unused);
}

/* What truth_settle would find, where nothing can be cleared up. */
static void look_at_lost(struct engine *en, struct instance *in)
{
	autoclose int run = run_dir_open(en, in->spec.id);

	if (run >= 0 && !is_for_files(run))
		read_state(run, "state.json", &in->state);
	in->state.status = STATUS_EXITED;
	in->state.exit_code = 137;
	in->state.pid = in->state.monitor_pid = 0;
}

int truth_refresh(struct engine *en, struct instance *in, struct err *e)
{
	autoclose int dir = truth_dir_open(en, in->spec.id), lock = -1;
	int r = lock_probe_in(en, dir);

	if (r == 0 && !can_write(en) && is_lost(dir)) {
		look_at_lost(en, in);
		return 0;
	}
	if (r == 0 && can_write(en) && (has_run_dir(en, in->spec.id) || is_lost(dir))) {
		r = truth_lock(en, in->spec.id, &lock, NULL);
		if (r == 0)
			return truth_settle(en, in, e);
	}
	if (r == -EBUSY) {
		read_running(en, dir, in);
		return 0;
	}
	if (r < 0 && r != -ENOENT)
		return err_sys(e, -r, "instance %.12s", in->spec.id);
	/* -ENOENT: killed between record and directory, an instance that never was */
	if (r < 0 || read_state(dir, EXIT_RECORD, &in->state) < 0)
		in->state.status = STATUS_CREATED;
	return 0;
}

int truth_wait_idle(struct engine *en, const struct instance_spec *spec, struct err *e)
{
	int64_t end = clock_mono_ns() + IDLE_WAIT_S * NS_PER_S;
	struct instance now = { .spec = *spec };
	int r;

	while ((r = lock_probe(en, spec->id)) == -EBUSY && clock_mono_ns() < end) {
		r = truth_refresh(en, &now, e);
		if (r < 0 || (instance_is_live(&now.state) && now.state.status != STATUS_STARTING))
			break;
		poll(NULL, 0, IDLE_POLL_MS);
	}
	json_done(&instance_state_table, &now.state);
	if (r == -EBUSY)
		err_set(e, EBUSY, "another command is busy with the files of %s", spec->name);
	return r;
}

static bool is_locked_for_files(struct engine *en, const char *id)
{
	autoclose int run = run_dir_open(en, id);

	return run >= 0 && is_for_files(run);
}

bool truth_has_begun(struct engine *en, const struct instance_spec *spec)
{
	int64_t end = clock_mono_ns() + IDLE_WAIT_S * NS_PER_S;
	struct instance now = { .spec = *spec };
	bool live = false;

	while (!live && lock_probe(en, spec->id) == -EBUSY && !is_locked_for_files(en, spec->id) &&
	       clock_mono_ns() < end) {
		live = truth_refresh(en, &now, NULL) == 0 && instance_is_live(&now.state);
		poll(NULL, 0, live ? 0 : IDLE_POLL_MS);
	}
	json_done(&instance_state_table, &now.state);
	return live;
}
