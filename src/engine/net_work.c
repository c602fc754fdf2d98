/* net_work.c - changes of networks: one at a time, and rows of instances that do not run give way */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "engine/net_int.h"
#include "network/port.h"
#include "sys/patience.h"

#define LOCK_WAIT_S 20 /* for one holder */
#define LOCK_MOST_S 600 /* for all who come before */
#define BOOT_ID_MAX 64

static int read_boot_id(char **ret, struct err *e)
{
	AUTO(buf_done) struct buf b = { 0 };
	int r = read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", BOOT_ID_MAX, &b);

	if (r < 0)
		return err_sys(e, -r, "boot id of this host");
	*ret = strndup(b.data, strcspn(b.data, "\n"));
	return *ret ? 0 : err_set(e, ENOMEM, "out of memory");
}

/* When the lock was taken last. */
static int64_t taken_at(int fd)
{
	int64_t ns = 0;

	return pread(fd, &ns, sizeof(ns), 0) == sizeof(ns) ? ns : 0;
}

/* As long as others get their turn, one waits for one's own: of hundreds that start at once the last waits long. */
static int wait_lock(int fd)
{
	const int64_t last = clock_mono_ns() + LOCK_MOST_S * NS_PER_S;
	struct patience p = { 0 };
	int64_t now, seen = -1;
	int r = 0;

	while (r == 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int64_t taken;

		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		taken = taken_at(fd);
		now = clock_mono_ns();
		if (taken != seen)
			p.end_ns = now + LOCK_WAIT_S * NS_PER_S;
		seen = taken;
		r = now > last ? -EBUSY : patience_pause(&p);
	}
	if (r < 0)
		return r;
	now = clock_mono_ns();
	return pwrite(fd, &now, sizeof(now), 0) < 0 ? -errno : 0;
}

static int open_dir(struct engine *en, struct err *e)
{
	int dir = mkdir_open(en->run_fd, "networks", 0700);

	if (dir < 0 && image_store_state(en->images) == STORE_ABSENT)
		return err_set(e, ENOENT, "there is no store in %s", en->root);
	return dir < 0 ? err_sys(e, -dir, "%s/networks", en->run_root) : dir;
}

static int take_lock(struct engine *en, int dir, struct err *e)
{
	autoclose int fd = openat(dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r = fd < 0 ? -errno : wait_lock(fd);

	if (r == -EBUSY)
		return err_set(e, EBUSY, "%s/networks/lock is held by another command that does not end",
			       en->run_root);
	if (r == -EINTR)
		return err_set(e, EINTR, "interrupted while it waited for the lock of networks");
	return r < 0 ? err_sys(e, -r, "%s/networks/lock", en->run_root) : take_fd(&fd);
}

static bool is_live(void *arg, const char *instance)
{
	struct net_work *w = arg;

	return truth_is_locked(w->en, instance);
}

/* The row is the caller's: what is kept of it is a copy. */
static void note_gone(void *arg, const struct lease *l)
{
	struct net_work *w = arg;
	struct lease *more = reallocarray(w->gone, w->n_gone + 1, sizeof(*more));

	if (!more || lease_copy(l, &more[w->n_gone]) < 0)
		w->oom = true;
	else
		w->n_gone++;
	if (more)
		w->gone = more;
}

int net_begin(struct engine *en, struct net_work *w, struct err *e)
{
	char *boot = NULL;
	int r = read_boot_id(&boot, e);

	*w = (struct net_work){ .en = en, .dir = -1, .lock = -1, .rt = -1, .wall = net_firewall(en) };
	w->world = (struct lease_world){ .boot = boot, .is_live = is_live, .gone = note_gone, .arg = w };
	if (r == 0)
		r = w->dir = open_dir(en, e);
	if (r >= 0)
		r = w->lock = take_lock(en, w->dir, e);
	if (r >= 0)
		r = w->rt = port_open_host(e);
	if (r < 0)
		return r;
	firewall_recall(&w->wall, w->dir);
	return 0;
}

void net_end(struct net_work *w)
{
	free((char *)w->world.boot);
	leases_free(w->gone, w->n_gone);
	if (w->rt >= 0)
		close(w->rt);
	firewall_note(&w->wall, w->dir);
	if (w->dir >= 0)
		close(w->dir);
	if (w->lock >= 0)
		close(w->lock);
	firewall_close(&w->wall); /* may wait for the kernel, without the lock */
}

/* While the lock of networks was waited for, it may have ended, or its monitor begun to start it again. */
int net_begin_for(struct engine *en, struct instance *in, int *ret_lock, struct net_work *w, struct err *e)
{
	const int *is = &in->state.status;

	for (;;) {
		int r = start_hold_off(en, in, ret_lock, e);

		if (r == 0)
			r = net_begin(en, w, e);
		if (r < 0 || *ret_lock >= 0)
			return r;
		r = truth_refresh(en, in, e);
		if (r < 0 || *is == STATUS_RUNNING || *is == STATUS_PAUSED || *is == STATUS_RESTARTING)
			return r;
		net_end(w);
		*w = (struct net_work)NET_WORK_NONE;
	}
}

int net_close_gone(struct net_work *w, struct err *e)
{
	if (w->oom)
		return err_set(e, ENOMEM, "out of memory");
	net_close_ports(w, w->gone, w->n_gone);
	return 0;
}

int net_commit_closed(struct net_work *w, struct db_tx *tx, bool links, struct err *e)
{
	int r = db_commit(tx, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < w->n_gone && links; i++)
		port_remove(w->rt, w->gone[i].port.link);
	if (w->n_gone)
		net_renew_named(w, NULL);
	leases_free(w->gone, w->n_gone);
	w->gone = NULL;
	w->n_gone = 0;
	return 0;
}

int net_commit(struct net_work *w, struct db_tx *tx, bool links, struct err *e)
{
	int r = net_close_gone(w, e);

	return r < 0 ? r : net_commit_closed(w, tx, links, e);
}
