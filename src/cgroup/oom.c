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

/* The number behind the line's first word. */
static int read_number(const char *file, const char *key, uint64_t *ret)
{
	AUTO(buf_done) struct buf b = { 0 };
	AUTO(strv_done) struct strv lines = { 0 };
	int r = read_file(AT_FDCWD, file, 4096, &b);
	size_t n = strlen(key);

	if (r == 0)
		r = strv_split(&lines, b.data ? b.data : "", "\n");
	for (size_t i = 0; i < lines.n && r == 0; i++)
		if (!strncmp(lines.v[i], key, n) && lines.v[i][n] == ' ')
			return parse_u64(lines.v[i] + n + 1, ret);
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

/* The removal of a cgroup is not announced to inotify, but before it is removed nobody is in it any more. */
static int watch_v2(struct cgroup_oom *o, const char *dir)
{
	autoclose int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	o->members = str_printf("%s/cgroup.events", dir);
	if (!o->members)
		return -ENOMEM;
	if (fd < 0)
		return -errno;
	if (inotify_add_watch(fd, o->members, IN_MODIFY) < 0 ||
	    inotify_add_watch(fd, o->events, IN_MODIFY) < 0)
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
	r = o.v2 ? watch_v2(&o, dir) : register_v1(dir, o.events);
	if (r >= 0) {
		o.fd = r;
		r = o.v2 ? read_number(o.events, "oom_kill", &o.kills) : 0;
	}
	if (r < 0)
		return err_sys(e, -r, "cannot watch %s", o.events);
	*ret = o;
	o = (struct cgroup_oom){ .fd = -1 };
	return 0;
}

/* What the events were does not matter: the files tell, and the kernel may announce them in any order. */
static int oom_read_v2(struct cgroup_oom *o)
{
	char events[4096];
	uint64_t n;
	int r = 0;

	if (read(o->fd, events, sizeof(events)) < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (read_number(o->members, "populated", &n) < 0 || !n)
		r |= CGROUP_OOM_END;
	if (read_number(o->events, "oom_kill", &n) == 0 && n > o->kills) {
		o->kills = n;
		r |= CGROUP_OOM_KILL;
	}
	return r;
}

static int oom_read_v1(struct cgroup_oom *o)
{
	uint64_t n;

	if (read(o->fd, &n, sizeof(n)) < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	/* the removal is announced, too */
	return access(o->events, F_OK) < 0 ? CGROUP_OOM_END : CGROUP_OOM_KILL;
}

int cgroup_oom_read(struct cgroup_oom *o)
{
	return o->v2 ? oom_read_v2(o) : oom_read_v1(o);
}

void cgroup_oom_done(struct cgroup_oom *o)
{
	if (o->fd >= 0)
		close(o->fd);
	free(o->events);
	free(o->members);
	*o = (struct cgroup_oom){ .fd = -1 };
}
