/* add.c - import, commit, load and what was pulled: a job in the sandbox makes layers and configs, then they become part of
 * the store (add_publish.c) */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "image/add_int.h"
#include "oci/reference.h"

#define TRIES 3 /* when a layer that was there at the beginning is removed before the end */

static void message_done(struct job_message *m)
{
	json_done(&job_message_table, m);
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
	if (r == 0 && ad->watch)
		r = add_look(ad, &st, &m, e);
	if (r == 0)
		r = add_publish(ad, &st, &m, e);
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

int image_import(struct image_store *s, const struct image_import *im, char **ret_id, struct err *e)
{
	AUTO(strv_done) struct strv refs = { 0 }, names = { 0 };
	AUTO(addition_done)
	struct addition ad = { .store = s,
			       .what = "ketch import",
			       .path = im->path,
			       .input_fd = -1,
			       /* borrowed: addition_done leaves it */
			       .request = { .verb = JOB_IMPORT, .comment = (char *)(uintptr_t)im->comment },
			       .progress = im->progress,
			       .progress_arg = im->progress_arg,
			       .refs = &names };
	int r = new_ref(im->ref, &refs, e);

	if (r < 0)
		return r;
	if (im->config)
		ad.request.config = *im->config; /* borrowed: addition_done leaves it */
	ad.input_fd = open_input(im->path, e);
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
					    .history = commit->config->history,
					    .memory = commit->memory },
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

int image_load_watched(struct image_store *s, const char *path, const struct image_watch *watch,
		       image_progress progress, void *arg, struct err *e)
{
	static const struct strv none;
	AUTO(strv_done) struct strv names = { 0 };
	AUTO(addition_done)
	struct addition ad = { .store = s,
			       .what = "ketch import",
			       .path = path,
			       .input_fd = open_input(path, e),
			       .request = { .verb = JOB_LOAD },
			       .progress = progress,
			       .progress_arg = arg,
			       .refs = &names,
			       .watch = watch };

	return ad.input_fd < 0 ? ad.input_fd : add(&ad, &none, e);
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
