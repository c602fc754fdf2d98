/* volume_open.c - the directory of a volume for an instance that starts; its first one fills it
 *
 * Who uses a volume first takes what its image has in its place, as Docker does it.  The copy is made beside the
 * volume's directory and becomes it in one step, under a lock of the volume that nobody needs any more once the record
 * says that it has been used: so a kill leaves a volume that is as new, and of two that start at the same time the
 * second waits.
 *
 * The lock is also that of what keeps and exchanges a volume (volume_snapshot.h): who opens one waits for it.
 *
 * The image's tree is a mount that is attached nowhere; a child copies, so that there can be a deadline.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"
#include "container/copy_up.h"
#include "engine/volume_state.h"
#include "sys/mount_stack.h"
#include "sys/ns.h"
#include "sys/patience.h"
#include "sys/pidfd.h"

#define DATA	"_data"
#define FILL	".fill"
#define FILL_S	600 /* at most, for a directory of an image */
#define NOTHING 200 /* exit status of the child; above that of any errno */

struct fill {
	const struct instance_spec *spec;
	const char *target; /* path in the image */
	int *layers; /* lowest first; owned */
	size_t n_layers;
	int merged; /* what they are together */
	int stage; /* the directory FILL: with "data" in it */
};

static void fill_done(struct fill *f)
{
	for (size_t i = 0; i < f->n_layers; i++)
		close(f->layers[i]);
	free(f->layers);
	auto_close(&f->merged);
	auto_close(&f->stage);
}

/* --- in the child */

/* Exit status: 0 copied, NOTHING, or an errno. */
static int fill_in_child(const struct fill *f)
{
	autoclose int from = open_in_root(f->merged, f->target, O_RDONLY | O_DIRECTORY, 0), to = -1;
	struct err e = { 0 };
	int r;

	if (from == -ENOENT || from == -ENOTDIR)
		return NOTHING;
	to = openat(f->stage, "data", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (from < 0 || to < 0)
		return from < 0 ? -from : errno;
	r = copy_up(from, to, &e);
	if (r == 0 && syncfs(to) < 0)
		r = -errno;
	return -r;
}

/* --- here */

/* 1: `data` of the stage is whole; 0: there is nothing to be copied; -errno. */
static int run_child(const struct fill *f)
{
	autoclose int pidfd = -1;
	int status, r;
	pid_t pid = ns_clone(0, -1, &pidfd);

	if (pid < 0)
		return pid;
	if (pid == 0)
		_exit(fill_in_child(f));
	r = pidfd_wait_end(pidfd, FILL_S * 1000);
	if (r < 0)
		pidfd_signal(pidfd, SIGKILL);
	if (r == 0)
		r = pidfd_reap(pidfd, &status);
	if (r < 0)
		return r;
	return status == NOTHING ? 0 : status > 128 ? -EIO : status ? -status : 1;
}

static int open_layers(struct engine *en, struct fill *f, struct err *e)
{
	const struct strv *ids = &f->spec->layers;

	f->layers = calloc(ids->n + 1, sizeof(*f->layers));
	if (!f->layers)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < ids->n; i++) {
		int fd = image_layer_open(en->images, ids->v[i], e);

		if (fd < 0)
			return fd;
		f->layers[f->n_layers++] = fd;
	}
	f->merged = mount_stack(f->layers, f->n_layers);
	return f->merged < 0 ? err_sys(e, -f->merged, "stack the layers of the image") : 0;
}

static int open_stage(int dir, int *ret)
{
	int r = remove_tree(dir, FILL); /* of one that was killed */

	if (r < 0)
		return r;
	if (mkdirat(dir, FILL, 0700) < 0)
		return -errno;
	*ret = openat(dir, FILL, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*ret < 0 || mkdirat(*ret, "data", 0755) < 0)
		return -errno;
	return 0;
}

/* What somebody has put there by hand stays. */
static int put_in_place(int dir, const struct fill *f)
{
	if (renameat(f->stage, "data", dir, DATA) < 0 && errno != ENOTEMPTY && errno != EEXIST)
		return -errno;
	return 0;
}

static int fill(struct engine *en, const struct instance_spec *s, const struct mount_spec *m, int dir,
		struct err *e)
{
	AUTO(fill_done) struct fill f = { .spec = s, .target = m->target, .merged = -1, .stage = -1 };
	int r = open_layers(en, &f, e);

	if (r < 0)
		return r;
	r = open_stage(dir, &f.stage);
	if (r == 0)
		r = run_child(&f);
	if (r > 0)
		r = put_in_place(dir, &f);
	remove_tree(dir, FILL);
	return r < 0 ? err_sys(e, -r, "cannot fill the volume %.80s with what the image has in %.200s",
			       m->source, m->target)
		     : 0;
}

int volume_lock(int dir, const char *name, int how, struct err *e)
{
	int r = flock_within_ms(dir, how, FILL_S * 1000L);

	if (r == -EBUSY)
		return err_set(e, EBUSY, "the volume %s is being filled or copied by another command", name);
	if (r == -EINTR)
		return err_set(e, EINTR, "interrupted while another command fills or copies the volume %s",
			       name);
	return r < 0 ? err_sys(e, -r, "lock of the volume %s", name) : 0;
}

static int use_first(struct engine *en, const struct instance_spec *s, const struct mount_spec *m, int dir,
		     struct err *e)
{
	AUTO(volume_done) struct volume v = { 0 };
	int r = volume_record_find(en->db, m->source, &v, e);

	if (r < 0 || !v.fresh)
		return r;
	if (m->copy_up)
		r = fill(en, s, m, dir, e);
	return r < 0 ? r : volume_record_used(en->db, m->source, e);
}

/* Looked at under the lock: is there something to be done before it can be opened? */
static int is_ready(struct engine *en, const struct mount_spec *m, bool use, bool *ret, struct err *e)
{
	AUTO(volume_done) struct volume v = { 0 };
	autofree char *swap = NULL;
	int r = use ? volume_record_find(en->db, m->source, &v, e) : 0;

	if (r == 0)
		r = volume_swap_record_find(en->db, m->source, &swap, e);
	*ret = !v.fresh && !swap;
	return r;
}

/* use: what is opened is written to; then the first one fills it. */
static int make_ready(struct engine *en, const struct instance_spec *s, const struct mount_spec *m, bool use,
		      int dir, struct err *e)
{
	bool ready = false;
	int r = volume_lock(dir, m->source, LOCK_SH, e);

	if (r == 0)
		r = is_ready(en, m, use, &ready, e);
	if (r < 0 || ready)
		return r;
	r = volume_lock(dir, m->source, LOCK_EX, e);
	if (r == 0)
		r = volume_swap_finish(en, m->source, dir, e);
	return r == 0 && use ? use_first(en, s, m, dir, e) : r;
}

static int open_data(struct engine *en, const struct instance_spec *s, const struct mount_spec *m, bool use,
		     struct err *e)
{
	autoclose int dir = mkdir_open(en->volumes_fd, m->source, 0700);
	int r, fd;

	if (dir < 0)
		return err_sys(e, -dir, "volume %s", m->source);
	r = make_ready(en, s, m, use, dir, e);
	if (r < 0)
		return r;
	fd = mkdir_open(dir, DATA, 0755);
	return fd < 0 ? err_sys(e, -fd, "volume %s", m->source) : fd;
}

static int open_device(const struct volume *v, struct err *e)
{
	const char *device = strv_env_get(&v->options, "device");
	int fd = open(device, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, errno, "volume %s: device %.200s", v->name, device) : fd;
}

int volume_open(struct engine *en, const struct instance_spec *s, const struct mount_spec *m, struct err *e)
{
	AUTO(volume_done) struct volume v = { 0 };
	enum volume_kind kind;
	autoclose int whole = -1;
	int fd, r = volume_record_find(en->db, m->source, &v, e);

	if (r == 0)
		r = volume_kind_of(&v.options, &kind, e);
	if (r < 0)
		return r;
	whole = kind == VOLUME_BIND ? open_device(&v, e) : open_data(en, s, m, true, e);
	if (whole < 0 || !m->subpath)
		return take_fd(&whole);
	fd = open_in_root(whole, m->subpath, O_PATH, 0);
	return fd < 0 ? err_sys(e, -fd, "volume-subpath %.200s of the volume %s", m->subpath, m->source) : fd;
}

int volume_open_files(struct engine *en, const char *name, bool to_fill, struct err *e)
{
	const struct mount_spec whole = { .source = (char *)(uintptr_t)name }; /* only read */
	AUTO(volume_done) struct volume v = { 0 };
	enum volume_kind kind;
	int r = volume_record_find(en->db, name, &v, e);

	if (r == 0)
		r = volume_kind_of(&v.options, &kind, e);
	if (r < 0)
		return r;
	if (kind == VOLUME_TMPFS)
		return err_set(e, ENOTSUP, "the volume %s is a tmpfs: its files are where it is mounted",
			       name);
	return kind == VOLUME_BIND ? open_device(&v, e) : open_data(en, NULL, &whole, to_fill, e);
}
