/* criu.c - one run of the program criu: its command line, its surroundings, and what it complains of */
#include "criu/criu.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "criu/call.h"
#include "sys/mount.h"
#include "sys/ns.h"
#include "sys/pidfd.h"

#define LOG_TAIL 65536 /* bytes at the end of a log in which its last error is looked for */
#define NOT_RUN	 127

/* --- what it is told */

int criu_add(struct criu *c, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vasprintf(&text, fmt, ap);
	va_end(ap);
	return r < 0 ? -ENOMEM : strv_add_take(&c->argv, text);
}

int criu_add_fd(struct criu *c, int fd)
{
	if (c->n_fds == CRIU_FDS_MAX)
		return -E2BIG;
	c->fds[c->n_fds] = fd;
	return CRIU_FD + (int)c->n_fds++;
}

int criu_init_take(struct criu *c, const char *verb, int images, int work, struct err *e)
{
	autofree char *path = fd_path(images);
	bool restore = !strcmp(verb, "restore");
	int r;

	*c = (struct criu){ .images = images, .fds = { 0, 1, 2 }, .n_fds = 3, .master = -1 };
	c->work = fd_path(work);
	c->log = str_printf("%s.log", restore ? verb : "dump");
	r = path && c->work && c->log ? criu_add(c, "criu") : -ENOMEM;
	if (r == 0)
		r = criu_add(c, "%s", verb);
	if (r == 0)
		r = criu_add(c, "--images-dir=%s", path);
	if (r == 0)
		r = criu_add(c, "--work-dir=%s", c->work);
	if (r == 0)
		r = criu_add(c, "--log-file=%s", c->log);
	/* the cgroups are made by us, as the config has them */
	if (r == 0)
		r = criu_add(c, "--manage-cgroups=ignore");
	if (r == 0)
		r = criu_add(c, "--verbosity=4");
	return r < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

void criu_done(struct criu *c)
{
	strv_done(&c->argv);
	free(c->work);
	free(c->log);
	if (c->images >= 0)
		close(c->images);
	if (c->terminal && c->master >= 0)
		close(c->master);
	if (c->passed > 0)
		close(c->passed);
}

/* --- its surroundings */

/* By path: what was opened before is a mount of the namespace that is left. */
static int mount_root(const char *path)
{
	autoclose int root = mount_clone_path(path, true);
	autoclose int place = root < 0 ? root : open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return root;
	return place < 0 ? -errno : mount_attach(root, place);
}

static int enter_place(const struct criu_place *p)
{
	int r = cgroup_enter(p->cgroups);

	if (r == 0)
		r = ns_unshare(CLONE_NEWNS | (p->own_cgroupns ? CLONE_NEWCGROUP : 0));
	if (r == 0)
		r = mount_set_all(MS_SLAVE);
	if (r == 0 && p->rootfs)
		r = mount_root(p->rootfs);
	if (r == 0 && p->enter)
		r = p->enter(p->arg);
	if (r == 0 && p->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	return r;
}

/* Out of the way first: any of them may have a number that another one is to have. */
static int set_fds(const struct criu *c, int said)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), copies[CRIU_FDS_MAX];

	if (null < 0 || close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return -errno;
	for (size_t i = 0; i < c->n_fds; i++) {
		copies[i] = fcntl(c->fds[i], F_DUPFD_CLOEXEC, CRIU_FD + CRIU_FDS_MAX);
		if (copies[i] < 0 && errno != EBADF) /* one that was closed stays closed */
			return -errno;
	}
	if (dup2(null, 0) < 0 || dup2(said, 1) < 0 || dup2(said, 2) < 0)
		return -errno;
	for (size_t i = 0; i < c->n_fds; i++)
		if (copies[i] >= 0 && dup2(copies[i], CRIU_FD + (int)i) < 0)
			return -errno;
	return 0;
}

static void become_criu(const struct criu *c, char *const *argv, const struct criu_place *place, int said)
{
	int r = place ? enter_place(place) : 0;

	if (c->own_session)
		setsid();
	if (r == 0)
		r = set_fds(c, said);
	if (r == 0) {
		execvp(argv[0], argv);
		r = -errno;
	}
	dprintf(said, "%s: %s\n", argv[0], strerror(-r));
	_exit(NOT_RUN);
}

/* --- what it says */

/* "(00.251) Error (criu/mount.c:753): mnt: 69:./x doesn't ...": what is behind the place, or NULL. */
static char *error_of_line(char *line)
{
	char *at = strstr(line, "Error (");

	at = at ? strstr(at, "): ") : NULL;
	return at ? at + 3 : NULL;
}

/* The first error in the text: those behind it are of the functions that had asked. */
static char *first_error(const char *text)
{
	AUTO(strv_done) struct strv lines = { 0 };

	if (strv_split(&lines, text, "\n") < 0)
		return NULL;
	for (size_t i = 0; i < lines.n; i++) {
		char *error = error_of_line(lines.v[i]);

		if (error)
			return strdup(error);
	}
	return NULL;
}

static void read_tail(int fd, struct buf *ret)
{
	struct stat st;
	char *room;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return;
	room = buf_room(ret, LOG_TAIL);
	n = room ? pread(fd, room, LOG_TAIL, st.st_size > LOG_TAIL ? st.st_size - LOG_TAIL : 0) : -1;
	if (n <= 0)
		return;
	ret->len += (size_t)n;
	room[n] = '\0';
}

static int complain(const struct criu *c, int said, int status, struct err *e)
{
	AUTO(buf_done) struct buf log = { 0 }, words = { 0 };
	autofree char *path = c->log ? str_printf("%s/%s", c->work, c->log) : NULL, *error = NULL;
	autoclose int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;

	read_tail(said, &words);
	if (status == NOT_RUN)
		return err_set(e, ENOENT, "cannot run CRIU: %s",
			       words.len ? strtok(words.data, "\n") : "it is not installed");
	if (fd >= 0)
		read_tail(fd, &log);
	error = first_error(log.data ? log.data : "");
	if (!error)
		error = first_error(words.data ? words.data : "");
	return err_set(e, EIO, "criu %s failed: %s%s%s%s", c->argv.v[1],
		       error ? error : "it does not say why", path ? " (" : "", path ? path : "",
		       path ? ")" : "");
}

/* --- its run */

static int start(const struct criu *c, char *const *argv, const struct criu_place *place,
		 struct criu_job *ret, struct err *e)
{
	struct criu_job j = { -1, memfd_create("criu", MFD_CLOEXEC) };
	int cgroup = place ? place->cgroups->unified : -1;
	autofree char *log = c->log ? str_printf("%s/%s", c->work, c->log) : NULL;
	pid_t pid;

	if (j.said < 0)
		return err_sys(e, errno, "cannot run CRIU");
	if (log)
		unlink(log); /* an error in it would be of an earlier run */
	pid = ns_clone(0, cgroup, &j.pidfd);
	if (pid == 0)
		become_criu(c, argv, place, j.said);
	if (pid < 0) {
		criu_job_done(&j);
		return err_sys(e, -pid, "cannot run CRIU");
	}
	*ret = j;
	return 0;
}

int criu_start(const struct criu *c, const struct criu_place *place, struct criu_job *ret, struct err *e)
{
	return start(c, c->argv.v, place, ret, e);
}

/* r: of the wait for it; called: of the call, where there is one (criu/call.h), whose own failure is the first. */
static int end(const struct criu *c, struct criu_job *j, int r, int called, struct err *e)
{
	int status = 0;

	if (r == 0)
		r = pidfd_reap(j->pidfd, &status);
	if (called < 0)
		r = called;
	else if (r < 0)
		r = err_sys(e, -r, "cannot wait for CRIU");
	else
		r = status || called ? complain(c, j->said, status, e) : 0;
	criu_job_done(j);
	return r;
}

int criu_end(const struct criu *c, struct criu_job *j, struct err *e)
{
	return end(c, j, 0, 0, e);
}

void criu_job_done(struct criu_job *j)
{
	auto_close(&j->pidfd);
	auto_close(&j->said);
	*j = CRIU_JOB_INIT;
}

int criu_run(struct criu *c, const struct criu_place *place, struct err *e)
{
	AUTO(call_done) struct call call = CALL_NONE;
	struct criu_job j;
	int r = c->terminal ? call_open(&call, c, e) : 0, called;

	if (r == 0)
		r = start(c, c->terminal ? call.argv : c->argv.v, place, &j, e);
	if (r < 0)
		return r;
	if (c->passed > 0)
		close(c->passed);
	c->passed = 0;
	called = c->terminal ? call_make(&call, c, e) : 0;
	r = pidfd_wait_end(j.pidfd, -1);
	return end(c, &j, r, called, e);
}

int criu_check(struct err *e)
{
	AUTO(criu_done) struct criu c = { .images = -1 };
	int r = strv_add(&c.argv, "criu");

	if (r == 0)
		r = strv_add(&c.argv, "check");
	if (r < 0)
		return err_set(e, ENOMEM, "out of memory");
	return criu_run(&c, NULL, e);
}
