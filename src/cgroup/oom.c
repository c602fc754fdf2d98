/* oom.c - hearing of memory that ran out */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/parse.h"
#include "cgroup/ops.h"

/* v2: "oom_kill N" of memory.events. */
static int read_kills(const char *events, uint64_t *ret)
{
	AUTO(buf_done) struct buf b = { 0 };
	AUTO(strv_done) struct strv lines = { 0 };
	int r = read_file(AT_FDCWD, events, 4096, &b);

	if (r == 0)
		r = strv_split(&lines, b.data ? b.data : "", "\n");
	for (size_t i = 0; i < lines.n && r == 0; i++)
		if (!strncmp(lines.v[i], "oom_kill ", 9))
			return parse_u64(lines.v[i] + 9, ret);
	return r < 0 ? r : -ENOENT;
}

/* v1: "EVENTFD FILE" in cgroup.event_control (cgroup-v1/memory.rst, section 10). */
static int register_v1(const char *dir, const char *events)
{
	autofree char *control = str_printf("%s/cgroup.event_control", dir), *line = NULL;
	autoclose int efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), fd = -1;
	int r;

	if (efd < 0)
		return -errno;
	fd = open(events, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	line = str_printf("%d %d", efd, fd);
	r = control && line ? write_existing(AT_FDCWD, control, line) : -ENOMEM;
	return r < 0 ? r : take_fd(&efd);
}

static int watch_v2(const char *events)
{
	autoclose int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd < 0 || inotify_add_watch(fd, events, IN_MODIFY | IN_DELETE_SELF) < 0)
		return -errno;
	return take_fd(&fd);
}

int cgroup_oom_open(const struct strv *record, struct cgroup_oom *ret, struct err *e)
{
	AUTO(cgroup_oom_done) struct cgroup_oom o = { .fd = -1 };
	const char *dir = cgroup_record_dir(record, "memory", &o.v2);
	int r;

	if (!dir)
		return err_set(e, ENOTSUP, "the container has no memory cgroup");
	o.events = str_printf("%s/%s", dir, o.v2 ? "memory.events" : "memory.oom_control");
	if (!o.events)
		return err_set(e, ENOMEM, "out of memory");
	r = o.v2 ? watch_v2(o.events) : register_v1(dir, o.events);
	if (r >= 0) {
		o.fd = r;
		r = o.v2 ? read_kills(o.events, &o.kills) : 0;
	}
	if (r < 0)
		return err_sys(e, -r, "cannot watch %s", o.events);
	*ret = o;
	o = (struct cgroup_oom){ .fd = -1 };
	return 0;
}

static int oom_read_v2(struct cgroup_oom *o)
{
	uint64_t kills;

	if (read_kills(o->events, &kills) < 0)
		return -ENODEV;
	if (kills <= o->kills)
		return 0;
	o->kills = kills;
	return 1;
}

int cgroup_oom_read(struct cgroup_oom *o)
{
	char events[4096]; /* an eventfd gives 8 bytes of it */
	ssize_t n = read(o->fd, events, sizeof(events));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (o->v2)
		return oom_read_v2(o);
	return access(o->events, F_OK) < 0 ? -ENODEV : 1; /* the removal is announced, too */
}

void cgroup_oom_done(struct cgroup_oom *o)
{
	if (o->fd >= 0)
		close(o->fd);
	free(o->events);
	*o = (struct cgroup_oom){ .fd = -1 };
}
