/* erofs.c - an image as one read-only EROFS file: what a virtual machine mounts that cannot have each layer as a device
 *
 * overlayfs shows what all layers are together, ketch-image copies it into the form of a layer (JOB_MERGE).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "image/job.h"
#include "sys/mount_stack.h"

/* --- all layers as one directory */

struct layers {
	int *fds;
	size_t n;
};

static void layers_done(struct layers *l)
{
	for (size_t i = 0; i < l->n; i++)
		close(l->fds[i]);
	free(l->fds);
}

static int open_layers(struct image_store *s, const struct strv *ids, struct layers *ret, struct err *e)
{
	ret->fds = calloc(ids->n + 1, sizeof(int));
	if (!ret->fds)
		return err_set(e, ENOMEM, "out of memory");
	for (; ret->n < ids->n; ret->n++) {
		int fd = image_layer_open(s, ids->v[ret->n], e);

		if (fd < 0)
			return fd;
		ret->fds[ret->n] = fd;
	}
	return 0;
}

static int open_merged(struct image_store *s, const struct strv *ids, struct err *e)
{
	AUTO(layers_done) struct layers l = { 0 };
	int r = open_layers(s, ids, &l, e), mnt;

	if (r < 0)
		return r;
	mnt = mount_stack(l.fds, l.n);
	return mnt < 0 ? err_sys(e, -mnt, "stack the layers with overlayfs") : mnt;
}

/* --- the file */

static void message_done(struct job_message *m)
{
	json_done(&job_message_table, m);
}

int store_merge(struct image_store *s, const struct stage *st, const struct strv *layers,
		char ret_hex[DIGEST_HEX], struct err *e)
{
	AUTO(message_done) struct job_message m = { 0 };
	const struct job_request rq = { .verb = JOB_MERGE, .erofs = true };
	autoclose int merged = open_merged(s, layers, e);
	struct digest d;
	int r = merged;

	if (r >= 0)
		r = job_run(
			&(const struct job_run){
				.store = s, .stage = st, .request = &rq, .input_fd = merged },
			&m, e);
	if (r < 0)
		return r;
	if (m.n_layers != 1 || !m.layers[0].diff_id || digest_parse(m.layers[0].diff_id, &d) < 0)
		return err_set(e, EPROTO, "the answer of ketch-image names no layer");
	digest_hex(&d, ret_hex);
	return 0;
}

/* Durable first, then under its name: what has the name is whole. */
static int keep_file(struct image_store *s, const struct stage *st, const char *from, const char *name,
		     struct err *e)
{
	autoclose int fd = openat(st->fd, from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 || fchmod(fd, 0600) < 0 || fsync(fd) < 0)
		return err_sys(e, errno, "keep %s", name);
	if (renameat(st->fd, from, s->roots_fd, name) < 0 || fsync(s->roots_fd) < 0)
		return err_sys(e, errno, "keep %s", name);
	return take_fd(&fd);
}

static int make_and_keep(struct image_store *s, const struct image *im, const char *name, struct err *e)
{
	AUTO(stage_done) struct stage st = { .fd = -1 };
	AUTO(strv_done) struct strv layers = { 0 };
	char hex[DIGEST_HEX], made[sizeof("layers/") + LAYER_NAME_BYTES];
	int r = stage_open(s, &st, e);

	if (r == 0 && image_config_stack(&im->config, &layers) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	if (r == 0)
		r = store_merge(s, &st, &layers, hex, e);
	if (r == -ENOSPC || r == -EDQUOT)
		return err_set(e, -r, "no room left on the disk of the store %s", s->root);
	if (r < 0)
		return err_wrap(e, r, "make an EROFS file of the image");
	snprintf(made, sizeof(made), "layers/%s" LAYER_ENDING, hex);
	return keep_file(s, &st, made, name, e);
}

int image_erofs_open(struct image_store *s, const struct image *im, image_progress progress, void *arg,
		     struct err *e)
{
	char name[LAYER_NAME_BYTES], hex[DIGEST_HEX];
	autoclose int lock = -1;
	struct digest id;
	int fd;

	if (digest_parse(im->id, &id) < 0)
		return err_set(e, EINVAL, "\"%.80s\" is no image id", im->id);
	digest_hex(&id, hex);
	snprintf(name, sizeof(name), "%s" LAYER_ENDING, hex);
	fd = openat(s->roots_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? err_sys(e, errno, "open %s/roots/%s", s->root, name) : fd;
	lock = image_store_lock(s, "erofs", EROFS_LOCK_WAIT_S, "ketch (making an EROFS file)", e);
	if (lock < 0)
		return lock;
	fd = openat(s->roots_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0)
		return fd;
	if (progress)
		progress(arg, "making the image's root for virtual machines, once");
	return make_and_keep(s, im, name, e);
}
