/* erofs.c - an image as one read-only EROFS file, which virtual machines mount as their root
 *
 * A child in a mount namespace of its own stacks the layers with overlayfs, which applies all deletions, and becomes
 * mkfs.erofs.  The same image gives the same bytes: fixed UUID and time of making, times of files as they are.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "image/store_int.h"
#include "sys/pidfd.h"

#define FILE_NAME  "root.erofs" /* in the stage */
#define LAST_TIME  "4294967295" /* the time of making; no file's time is taken down to it */
#define SAID_BYTES 300

/* What the child needs. */
struct making {
	struct image_store *store;
	const struct strv *layers; /* lowest first, each once */
	int *layer_fds; /* of each a mount of it that is attached nowhere */
	char *program, *mountpoint, *output;
	char uuid[37];
};

static void making_done(struct making *m)
{
	for (size_t i = 0; m->layer_fds && i < m->layers->n; i++)
		auto_close(&m->layer_fds[i]);
	free(m->layer_fds);
	free(m->program);
	free(m->mountpoint);
	free(m->output);
}

static char *find_program(void)
{
	static const char *const places[] = { "/usr/local/bin/", "/usr/bin/", "/usr/sbin/" };

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		char *path = str_printf("%smkfs.erofs", places[i]);

		if (!path || access(path, X_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}

/* --- in the child */

/* One layer as directory NUMBER of a tmpfs: names short enough for mount(2)'s one page of options. */
static int place_layer(int layer_fd, size_t number, struct buf *lower, struct err *e)
{
	char name[24];

	snprintf(name, sizeof(name), "%zu", number);
	if (mkdir(name, 0700) < 0 || move_mount(layer_fd, "", AT_FDCWD, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, errno, "mount layer %zu", number);
	buf_addf(lower, "%s:", name);
	return 0;
}

/* Leaves the working directory in a tmpfs in which "root" is the image. */
static int stack_layers(const struct making *m, struct err *e)
{
	AUTO(buf_done) struct buf lower = { 0 };
	int r = 0;

	if (mount("tmpfs", m->mountpoint, "tmpfs", 0, "mode=0700") < 0 || chdir(m->mountpoint) < 0)
		return err_sys(e, errno, "mount a tmpfs");
	buf_adds(&lower, "lowerdir=");
	for (size_t i = m->layers->n; r == 0 && i > 0; i--) /* overlay wants the uppermost first */
		r = place_layer(m->layer_fds[i - 1], i, &lower, e);
	if (r < 0)
		return r;
	/* an empty one below all: overlay wants two, and whiteouts of the lowest must go, too */
	buf_adds(&lower, "empty");
	if (!buf_ok(&lower) || mkdir("empty", 0755) < 0 || mkdir("root", 0755) < 0)
		return err_sys(e, errno, "make directories");
	if (mount("overlay", "root", "overlay", MS_RDONLY, lower.data) < 0)
		return err_sys(e, errno, "stack the layers with overlayfs");
	return 0;
}

/* Reading any file is all that it may do with root's name. */
static int shed_rights(struct err *e)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { 0 };

	d[0].permitted = d[0].effective = CAP_TO_MASK(CAP_DAC_READ_SEARCH) | CAP_TO_MASK(CAP_DAC_OVERRIDE);
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (cap != CAP_DAC_READ_SEARCH && cap != CAP_DAC_OVERRIDE)
			prctl(PR_CAPBSET_DROP, cap);
	if (syscall(SYS_capset, &h, d) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, errno, "drop rights");
	return 0;
}

static int become_mkfs(const struct making *m, int output_fd, struct err *e)
{
	const char *const argv[] = { m->program, "--quiet", "-U", m->uuid, m->output, "root", NULL };
	const char *const env[] = { "SOURCE_DATE_EPOCH=" LAST_TIME, "LC_ALL=C", NULL };
	int r;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(e, errno, "make a mount namespace");
	r = stack_layers(m, e);
	if (r == 0)
		r = shed_rights(e);
	if (r < 0)
		return r;
	if (dup2(output_fd, 1) < 0 || dup2(output_fd, 2) < 0)
		return err_sys(e, errno, "dup2");
	execve(m->program, (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)env);
	return err_sys(e, errno, "execute %s", m->program);
}

/* --- in the parent */

/* What it said, one line of it, and how it ended. */
static int wait_for(int pidfd, int said_fd, struct err *e)
{
	AUTO(buf_done) struct buf said = { 0 };
	siginfo_t si = { 0 };
	int r = read_to_end(said_fd, 1 << 20, &said);

	if (r < 0)
		pidfd_signal(pidfd, SIGKILL);
	while (waitid(P_PIDFD, (id_t)pidfd, &si, WEXITED) < 0)
		if (errno != EINTR)
			return err_sys(e, errno, "wait for mkfs.erofs");
	if (r == 0 && si.si_code == CLD_EXITED && si.si_status == 0)
		return 0;
	if (strstr(said.data ? said.data : "", "No space left"))
		return err_set(e, ENOSPC, "no room left on the disk");
	return err_set(e, EIO, "mkfs.erofs failed: %.*s", SAID_BYTES,
		       said.len ? said.data : "it said nothing");
}

/* It speaks through one pipe: before exec our own line, after it what mkfs.erofs says. */
static int run_child(const struct making *m, struct err *e)
{
	autoclose int out = -1, in = -1, pidfd = -1;
	struct err child_err = { 0 };
	int pair[2];
	pid_t pid;

	if (pipe_cloexec(pair) < 0)
		return err_sys(e, errno, "make a pipe");
	out = pair[0];
	in = pair[1];
	pid = fork();
	if (pid < 0)
		return err_sys(e, errno, "start mkfs.erofs");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		become_mkfs(m, in, &child_err);
		write_full(in, child_err.msg, strlen(child_err.msg));
		_exit(1);
	}
	auto_close(&in);
	in = -1;
	pidfd = pidfd_open_pid(pid);
	return pidfd < 0 ? err_sys(e, -pidfd, "start mkfs.erofs") : wait_for(pidfd, out, e);
}

static int open_layers(struct making *m, struct err *e)
{
	m->layer_fds = calloc(m->layers->n + 1, sizeof(int));
	if (!m->layer_fds)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < m->layers->n; i++)
		m->layer_fds[i] = -1;
	for (size_t i = 0; i < m->layers->n; i++) {
		autoclose int dir = image_layer_open(m->store, m->layers->v[i], e);

		if (dir < 0)
			return dir;
		m->layer_fds[i] = open_tree(dir, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
		if (m->layer_fds[i] < 0)
			return err_sys(e, errno, "mount layer %.19s", m->layers->v[i]);
	}
	return 0;
}

/* Makes root.erofs in the stage. */
static int make_file(struct image_store *s, const struct stage *st, const struct strv *layers,
		     const char *hex, struct err *e)
{
	AUTO(making_done)
	struct making m = { .store = s,
			    .layers = layers,
			    .program = find_program(),
			    .mountpoint = str_printf("%s/tmp/%s/mount", s->root, st->name),
			    .output = str_printf("%s/tmp/%s/" FILE_NAME, s->root, st->name) };
	int r;

	if (!m.program)
		return err_set(e, ENOENT, "mkfs.erofs is missing: install the package erofs-utils");
	if (!m.mountpoint || !m.output)
		return err_set(e, ENOMEM, "out of memory");
	snprintf(m.uuid, sizeof(m.uuid), "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
		 hex + 20);
	if (mkdirat(st->fd, "mount", 0700) < 0)
		return err_sys(e, errno, "make a directory");
	r = open_layers(&m, e);
	return r < 0 ? r : run_child(&m, e);
}

/* Durable first, then under its name: what has the name is whole. */
static int keep_file(struct image_store *s, const struct stage *st, const char *name, struct err *e)
{
	autoclose int fd = openat(st->fd, FILE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 || fchmod(fd, 0600) < 0 || fsync(fd) < 0)
		return err_sys(e, errno, "keep %s", name);
	if (renameat(st->fd, FILE_NAME, s->roots_fd, name) < 0 || fsync(s->roots_fd) < 0)
		return err_sys(e, errno, "keep %s", name);
	return take_fd(&fd);
}

static int make_and_keep(struct image_store *s, const struct image *im, const char *hex, const char *name,
			 struct err *e)
{
	AUTO(stage_done) struct stage st = { .fd = -1 };
	AUTO(strv_done) struct strv layers = { 0 };
	int r = stage_open(s, &st, e);

	if (r == 0 && image_config_stack(&im->config, &layers) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	if (r == 0)
		r = make_file(s, &st, &layers, hex, e);
	return r < 0 ? err_wrap(e, r, "make an EROFS file of the image") : keep_file(s, &st, name, e);
}

int image_erofs_open(struct image_store *s, const struct image *im, image_progress progress, void *arg,
		     struct err *e)
{
	char hex[DIGEST_HEX], name[DIGEST_HEX + sizeof(".erofs")];
	autoclose int lock = -1;
	struct digest id;
	int fd;

	if (digest_parse(im->id, &id) < 0)
		return err_set(e, EINVAL, "\"%.80s\" is no image id", im->id);
	digest_hex(&id, hex);
	snprintf(name, sizeof(name), "%s.erofs", hex);
	fd = openat(s->roots_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? err_sys(e, errno, "open %s/roots/%s", s->root, name) : fd;
	lock = store_lock(s, "erofs", EROFS_LOCK_WAIT_S, "ketch (making an EROFS file)", e);
	if (lock < 0)
		return lock;
	fd = openat(s->roots_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0)
		return fd;
	if (progress)
		progress(arg, "making the image's root for virtual machines, once");
	return make_and_keep(s, im, hex, name, e);
}
