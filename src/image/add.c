/* add.c - import and load: a job in the sandbox makes layers and configs, then they become part of the store */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/path.h"
#include "image/add.h"
#include "image/job.h"
#include "oci/reference.h"

#define TRIES 3 /* when a layer that was there at the beginning is removed before the end */

/* One call of image_import or image_load. */
struct addition {
	struct image_store *store;
	const char *what; /* "ketch load" */
	const char *path; /* of the input, for messages */
	int input_fd;
	struct job_request request;
	image_progress progress;
	void *progress_arg;
	struct strv *refs; /* what was added, as the user may call it */
	char *id; /* of the last image */
	const struct pulled *pulled; /* NULL: it comes from no registry */
};

static void message_done(struct job_message *m)
{
	json_done(&job_message_table, m);
}

/* --- publishing, under the lock */

/* Moves DIR/HEX (with an ending) of the stage to its place; an orphan that is there goes into the stage, and with it.
 * What two images share was moved for the first. */
static int move_in(int stage_dir, int to_dir, const struct digest *d, const char *ending, struct err *e)
{
	char hex[LAYER_NAME_BYTES];

	digest_hex(d, hex);
	strcat(hex, ending);
	if (renameat2(stage_dir, hex, to_dir, hex, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EEXIST && renameat2(stage_dir, hex, to_dir, hex, RENAME_EXCHANGE) == 0)
		return 0;
	if (errno == ENOENT && faccessat(to_dir, hex, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return err_sys(e, errno, "move %.12s into the store", hex);
}

static int open_stage_dir(const struct stage *st, const char *name, struct err *e)
{
	int fd;

	if (mkdirat(st->fd, name, 0700) < 0 && errno != EEXIST)
		return err_sys(e, errno, "make a directory");
	fd = openat(st->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(e, errno, "open what was made") : fd;
}

/* Where the layers of a job are, open. */
struct made {
	int layers, skeletons;
};

static int publish_layer(struct image_store *s, const struct made *made, const struct job_layer *l,
			 struct err *e)
{
	const struct layer_record rec = { l->diff_id, l->verity, l->size_bytes, l->tar_bytes };
	struct digest d;
	int r = digest_parse(l->diff_id, &d);

	if (r == 0)
		r = move_in(made->layers, s->layers_fd, &d, l->verity ? LAYER_ENDING : "", e);
	if (r == 0 && l->tar_bytes)
		r = move_in(made->skeletons, s->skeletons_fd, &d, "", e);
	return r < 0 ? r : record_add_layer(s, &rec, e);
}

static int publish_layers(struct image_store *s, const struct stage *st, const struct job_message *m,
			  struct err *e)
{
	autoclose int dir = open_stage_dir(st, "layers", e);
	autoclose int skeletons = dir < 0 ? dir : open_stage_dir(st, "skeletons", e);
	int r = skeletons < 0 ? skeletons : 0;

	for (size_t i = 0; r == 0 && i < m->n_layers; i++) {
		const struct job_layer *l = &m->layers[i];
		struct digest d, verity;
		bool have = false;

		if (!l->diff_id || digest_parse(l->diff_id, &d) < 0 ||
		    (l->verity && digest_parse(l->verity, &verity) < 0) || l->tar_bytes > INT64_MAX)
			return err_set(e, EPROTO, "the answer of ketch-image names no layer");
		r = record_has_layer(s, l->diff_id, &have, e);
		if (r < 0 || have)
			continue;
		r = publish_layer(s, &(const struct made){ dir, skeletons }, l, e);
	}
	return r;
}

static int check_layers(struct image_store *s, const struct strv *diff_ids, struct err *e)
{
	for (size_t i = 0; i < diff_ids->n; i++) {
		bool have = false;
		int r = record_has_layer(s, diff_ids->v[i], &have, e);

		if (r < 0)
			return r;
		if (!have)
			return err_set(e, ESTALE, "layer %.19s was removed meanwhile: try again",
				       diff_ids->v[i]);
	}
	return 0;
}

static int publish_blobs(struct image_store *s, const struct job_image *im, struct err *e)
{
	int r = 0;

	if (im->blobs.n != im->diff_ids.n)
		return im->blobs.n ? err_set(e, EPROTO, "the answer of ketch-image does not fit") : 0;
	for (size_t i = 0; r == 0 && i < im->blobs.n; i++)
		r = record_add_blob(s, im->blobs.v[i], im->diff_ids.v[i], e);
	return r;
}

/* What the registry calls it.  ad->pulled->manifest is what the digest says: the answer, which was checked, names it. */
static int publish_pulled(struct addition *ad, const struct job_image *im, struct err *e)
{
	const struct pulled *p = ad->pulled;
	int r;

	if (!im->manifest || strcmp(im->manifest, p->manifest_digest) != 0)
		return err_set(e, EPROTO, "the answer of ketch-image names another manifest");
	r = record_add_digest(ad->store, im->id, p->name, p->digest, e);
	return r < 0 ? r : record_add_manifest(ad->store, im->id, p->manifest_digest, p->manifest, e);
}

static int publish_image(struct addition *ad, int configs, const struct job_image *im, struct err *e)
{
	struct image_record rec = { .diff_ids = &im->diff_ids, .refs = &im->refs };
	int r;

	if (!im->id || digest_parse(im->id, &rec.id) < 0 || im->diff_ids.n > IMAGE_LAYERS_MAX)
		return err_set(e, EPROTO, "the answer of ketch-image names no image");
	rec.has_manifest = im->manifest && digest_parse(im->manifest, &rec.manifest) == 0;
	if (!im->created || rfc3339_parse(im->created, &rec.created_ns) < 0)
		rec.created_ns = clock_real_ns();
	r = check_layers(ad->store, &im->diff_ids, e);
	if (r == 0)
		r = move_in(configs, ad->store->configs_fd, &rec.id, "", e);
	if (r == 0)
		r = record_add_image(ad->store, &rec, e);
	if (r == 0)
		r = publish_blobs(ad->store, im, e);
	return r == 0 && ad->pulled ? publish_pulled(ad, im, e) : r;
}

static int publish_images(struct addition *ad, const struct stage *st, const struct job_message *m,
			  struct err *e)
{
	autoclose int dir = open_stage_dir(st, "configs", e);
	int r = dir < 0 ? dir : 0;

	for (size_t i = 0; r == 0 && i < m->n_images; i++)
		r = publish_image(ad, dir, &m->images[i], e);
	return r;
}

static int publish(struct addition *ad, const struct stage *st, const struct job_message *m, struct err *e)
{
	struct image_store *s = ad->store;
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	autoclose int lock = -1;
	int r;

	if (syncfs(st->fd) < 0)
		return err_sys(e, errno, "write to the disk");
	lock = store_lock(s, STORE_LOCK, STORE_LOCK_WAIT_S, ad->what, e);
	r = lock < 0 ? lock : db_begin(s->db, &tx, e);
	if (r == 0)
		r = publish_layers(s, st, m, e);
	if (r == 0)
		r = publish_images(ad, st, m, e);
	if (r == 0 && (fsync(s->layers_fd) < 0 || fsync(s->skeletons_fd) < 0 || fsync(s->configs_fd) < 0))
		r = err_sys(e, errno, "write to the disk");
	return r < 0 ? r : db_commit(&tx, e);
}

/* --- the job */

static int note_names(struct addition *ad, const struct job_message *m, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < m->n_images; i++)
		r = m->images[i].refs.n ? strv_add_all(ad->refs, &m->images[i].refs)
					: strv_add(ad->refs, m->images[i].id);
	if (r == 0 && m->n_images) {
		free(ad->id);
		ad->id = strdup(m->images[m->n_images - 1].id);
	}
	return r < 0 || !ad->id ? err_set(e, ENOMEM, "out of memory") : 0;
}

static const char *event_of(const struct addition *ad)
{
	return ad->pulled ? "pull" : ad->request.verb == JOB_IMPORT ? "import" : "load";
}

static int add_once(struct addition *ad, const struct strv *extra_refs, struct err *e)
{
	AUTO(message_done) struct job_message m = { 0 };
	AUTO(stage_done) struct stage st = { .fd = -1 };
	struct job_run run = { .store = ad->store,
			       .stage = &st,
			       .request = &ad->request,
			       .input_fd = ad->input_fd,
			       .progress = ad->progress,
			       .progress_arg = ad->progress_arg,
			       .beside = ad->pulled ? ad->pulled->beside : NULL };
	int r = stage_open(ad->store, &st, e);

	strv_done(&ad->request.known);
	if (r == 0)
		r = record_list_layers(ad->store, &ad->request.known, e);
	if (r == 0)
		ad->request.erofs = !(ad->pulled && ad->pulled->all_here) && store_takes_erofs(&st);
	if (r == 0) {
		r = job_run(&run, &m, e);
		if (r < 0 && !ad->pulled) /* a pull says itself what it is about */
			err_wrap(e, r, "%.200s", ad->path);
	}
	if (r == 0 && !m.n_images)
		r = err_set(e, EPROTO, "ketch-image made no image");
	for (size_t i = 0; r == 0 && i < extra_refs->n; i++)
		r = strv_add(&m.images[0].refs, extra_refs->v[i]);
	if (r == 0)
		r = publish(ad, &st, &m, e);
	for (size_t i = 0; r == 0 && i < m.n_images; i++)
		store_tell(ad->store, event_of(ad), m.images[i].id,
			   m.images[i].refs.n ? m.images[i].refs.v[0] : NULL);
	return r < 0 ? r : note_names(ad, &m, e);
}

static int add(struct addition *ad, const struct strv *extra_refs, struct err *e)
{
	int r = store_sweep(ad->store, e);

	if (r < 0)
		return r;
	for (int i = 0; i < TRIES; i++) {
		r = add_once(ad, extra_refs, e);
		/* a pipe cannot be read again, and what is pulled must be fetched again */
		if (r != -ESTALE || ad->pulled || lseek(ad->input_fd, 0, SEEK_SET) < 0)
			break;
	}
	if (r == -ENOSPC || r == -EDQUOT)
		return err_set(e, -r, "no room left on the disk of the store %s", ad->store->root);
	return r;
}

static int open_input(const char *path, struct err *e)
{
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
				   : fcntl(0, F_DUPFD_CLOEXEC, 3);

	return fd < 0 ? err_sys(e, errno, "open %.200s", path) : fd;
}

static void addition_done(struct addition *ad)
{
	auto_close(&ad->input_fd);
	strv_done(&ad->request.known);
	free(ad->request.name_hint);
	free(ad->id);
}

/* The name that a new image is to have; NULL: none. */
static int new_ref(const char *ref, struct strv *ret, struct err *e)
{
	AUTO(reference_done) struct reference name = { 0 };
	int r = ref ? reference_parse(ref, &name, e) : 0;

	if (!ref || r < 0)
		return r;
	if (name.has_digest)
		return err_set(e, EINVAL, "a new image may not be named by a digest: %s", ref);
	return strv_add_take(ret, reference_text(&name)) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

int image_import(struct image_store *s, const char *path, const char *ref,
		 const struct image_run_config *config, image_progress progress, void *arg, char **ret_id,
		 struct err *e)
{
	AUTO(strv_done) struct strv refs = { 0 }, names = { 0 };
	AUTO(addition_done)
	struct addition ad = { .store = s,
			       .what = "ketch import",
			       .path = path,
			       .input_fd = -1,
			       .request = { .verb = JOB_IMPORT },
			       .progress = progress,
			       .progress_arg = arg,
			       .refs = &names };
	int r = new_ref(ref, &refs, e);

	if (r < 0)
		return r;
	if (config)
		ad.request.config = *config; /* borrowed: addition_done leaves it */
	ad.input_fd = open_input(path, e);
	r = ad.input_fd < 0 ? ad.input_fd : add(&ad, &refs, e);
	if (r == 0)
		*ret_id = take_ptr(ad.id);
	return r;
}

int image_check_new_ref(const char *ref, struct err *e)
{
	AUTO(strv_done) struct strv refs = { 0 };

	return new_ref(ref, &refs, e);
}

int image_commit(struct image_store *s, int layer_fd, const struct image_commit *commit, char **ret_id,
		 struct err *e)
{
	AUTO(strv_done) struct strv refs = { 0 }, names = { 0 };
	AUTO(addition_done)
	struct addition ad = { .store = s,
			       .what = "ketch commit",
			       .path = "the new layer",
			       .input_fd = fcntl(layer_fd, F_DUPFD_CLOEXEC, 3),
			       /* borrowed: addition_done leaves them */
			       .request = { .verb = JOB_IMPORT,
					    .config = commit->config->config,
					    .base = commit->config->rootfs.diff_ids,
					    .author = commit->config->author,
					    .comment = commit->comment,
					    .created_by = commit->created_by,
					    .history = commit->config->history },
			       .progress = commit->progress,
			       .refs = &names };
	int r = ad.input_fd < 0 ? err_sys(e, errno, "the new layer") : new_ref(commit->ref, &refs, e);

	if (r == 0)
		r = add(&ad, &refs, e);
	if (r == 0)
		*ret_id = take_ptr(ad.id);
	return r;
}

/* "/x/redis-7.tar.gz" -> "redis-7", if that can be a name. */
static char *name_from_path(const char *path)
{
	static const char *const endings[] = { ".gz", ".tgz", ".zst", ".xz", ".bz2", ".tar", ".oci" };
	autofree char *copy = strdup(path);
	char *base;
	size_t n;

	if (!copy || !strcmp(path, "-"))
		return NULL;
	for (n = strlen(copy); n > 1 && copy[n - 1] == '/'; n--)
		copy[n - 1] = '\0';
	base = strrchr(copy, '/');
	base = base ? base + 1 : copy;
	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		size_t k = strlen(endings[i]);

		n = strlen(base);
		if (n > k && !strcmp(base + n - k, endings[i])) {
			base[n - k] = '\0';
			i = (size_t)-1; /* again from the first: ".tar.gz" */
		}
	}
	return is_reference_component(base) ? strdup(base) : NULL;
}

int image_load(struct image_store *s, const char *path, image_progress progress, void *arg,
	       struct strv *ret_refs, struct err *e)
{
	static const struct strv none;
	AUTO(strv_done) struct strv names = { 0 };
	AUTO(addition_done)
	struct addition ad = { .store = s,
			       .what = "ketch load",
			       .path = path,
			       .input_fd = open_input(path, e),
			       .request = { .verb = JOB_LOAD, .name_hint = name_from_path(path) },
			       .progress = progress,
			       .progress_arg = arg,
			       .refs = &names };
	int r = ad.input_fd < 0 ? ad.input_fd : add(&ad, &none, e);

	if (r < 0)
		return r;
	*ret_refs = names;
	names = (struct strv){ 0 };
	return 0;
}

int add_pulled(struct image_store *s, const struct pulled *p, image_progress progress, void *arg,
	       char **ret_id, struct err *e)
{
	AUTO(strv_done) struct strv names = { 0 };
	AUTO(addition_done)
	struct addition ad = { .store = s,
			       .what = "ketch pull",
			       .path = p->name,
			       .input_fd = fcntl(p->layout_fd, F_DUPFD_CLOEXEC, 3),
			       .request = { .verb = JOB_LOAD,
					    /* borrowed: addition_done leaves them */
					    .have = p->have,
					    .arrives = p->beside,
					    .signers = p->signers,
					    .n_signers = p->n_signers,
					    .signatures = p->signatures },
			       .progress = progress,
			       .progress_arg = arg,
			       .refs = &names,
			       .pulled = p };
	int r = ad.input_fd < 0 ? err_sys(e, errno, "open what was pulled") : add(&ad, p->refs, e);

	if (r == 0)
		*ret_id = take_ptr(ad.id);
	return r;
}
