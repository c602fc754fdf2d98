/* net_work.c - changes of networks: one at a time, and rows of instances that do not run give way */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

#define LOCK_WAIT_S  20
#define LOCK_POLL_MS 1
#define BOOT_ID_MAX  64

static int read_boot_id(char **ret, struct err *e)
{
	AUTO(buf_done) struct buf b = { 0 };
	int r = read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", BOOT_ID_MAX, &b);

	if (r < 0)
		return err_sys(e, -r, "boot id of this host");
	*ret = strndup(b.data, strcspn(b.data, "\n"));
	return *ret ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int take_lock(struct engine *en, struct err *e)
{
	int64_t end = clock_mono_ns() + LOCK_WAIT_S * NS_PER_S;
	autoclose int dir = mkdir_open(en->run_fd, "networks", 0700), fd = -1;

	fd = dir < 0 ? dir : openat(dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(e, dir < 0 ? -dir : errno, "%s/networks/lock", en->run_root);
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK || clock_mono_ns() > end)
			return err_sys(e, errno, "%s/networks/lock", en->run_root);
		poll(NULL, 0, LOCK_POLL_MS);
	}
	return take_fd(&fd);
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

	*w = (struct net_work){ .en = en, .lock = -1, .rt = -1 };
	w->world = (struct lease_world){ .boot = boot, .is_live = is_live, .gone = note_gone, .arg = w };
	if (r == 0)
		r = w->lock = take_lock(en, e);
	if (r >= 0)
		r = w->rt = port_open_host(e);
	return r < 0 ? r : 0;
}

void net_end(struct net_work *w)
{
	free((char *)w->world.boot);
	leases_free(w->gone, w->n_gone);
	if (w->rt >= 0)
		close(w->rt);
	if (w->lock >= 0)
		close(w->lock);
}

int net_clear_gone(struct net_work *w, bool links, struct err *e)
{
	if (w->oom)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < w->n_gone && links; i++)
		port_remove(w->rt, w->gone[i].port.link);
	net_forget_ports(w, w->gone, w->n_gone);
	leases_free(w->gone, w->n_gone);
	w->gone = NULL;
	w->n_gone = 0;
	return 0;
}
