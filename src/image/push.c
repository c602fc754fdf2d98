/* push.c - images go to registries
 *
 * First the manifest that an image was pulled with: where the server has its blobs (or lets them be mounted from another
 * of its repositories) nothing is made and nothing but it is sent.  Else the image is written as an OCI
 * layout in a stage, as `save` writes it but compressed, and goes from there.
 */
#include "image/push.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "image/chunks_int.h"
#include "image/fetch.h"
#include "image/save.h"
#include "image/store_int.h"
#include "oci/manifest.h"

#define TIMEOUT_S 30

/* One reference. */
struct push {
	struct image_store *store;
	const struct image_push *rq;
	const struct meaning *to;
	const char *tag;
	struct image image;
	struct strv mount_from;
	char *digest; /* it is there now */
	uint64_t bytes; /* of the manifest */
	bool missing; /* a blob that the server wants and that was not handed over */
};

static void push_done(struct push *p)
{
	image_done(&p->image);
	strv_done(&p->mount_from);
	free(p->digest);
}

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

static void tell(const struct image_push *rq, const struct pull_event *ev)
{
	if (rq->tell)
		rq->tell(rq->arg, ev);
}

static int hear(void *arg, struct registry_message *m, struct err *e)
{
	struct push *p = arg;

	if (m->note)
		tell(p->rq, &(const struct pull_event){ .kind = PULL_NOTE, .text = m->note });
	if (m->state && m->blob.digest)
		tell(p->rq, &(const struct pull_event){ .kind = PULL_BLOB,
							.state = m->state,
							.digest = m->blob.digest,
							.at = m->at,
							.bytes = m->blob.size });
	p->missing = p->missing || m->missing;
	if (m->digest && !p->digest) {
		p->digest = take_ptr(m->digest);
		p->bytes = m->blob.size;
	}
	return 0;
}

static int send(struct push *p, int blobs_fd, const char *manifest, const struct chunks_index *x,
		struct err *e)
{
	/* borrowed: only printed */
	struct registry_request rq = { .verb = REGISTRY_PUSH,
				       .endpoints = p->to->endpoints,
				       .n_endpoints = p->to->n_endpoints,
				       .reference = (char *)(uintptr_t)p->tag,
				       .manifest = (char *)(uintptr_t)manifest,
				       .index = x->index,
				       .artifact = x->artifact,
				       .blobs = x->blobs,
				       .mount_from = p->mount_from,
				       .timeout_s = p->rq->timeout_s ? p->rq->timeout_s : TIMEOUT_S };

	p->missing = false;
	return fetch_run(&(const struct fetch_run){ &rq, blobs_fd, hear, p }, e);
}

/* --- as it came */

static int hand_over(int dir, const char *digest, const void *text, size_t n, struct err *e)
{
	const char *colon = strchr(digest, ':');
	int r = write_file_swap(dir, colon ? colon + 1 : digest, 0644, text, n);

	return r < 0 ? err_sys(e, -r, "hand over %.19s", digest) : 0;
}

/* p->missing: it is not known how it came, or the server has not got all of it. */
static int send_original(struct push *p, struct err *e)
{
	AUTO(stage_done) struct stage st = { .fd = -1 };
	AUTO(buf_done) struct buf config = { 0 };
	autofree char *digest = NULL, *text = NULL;
	int r = record_manifest(p->store, p->image.id, &digest, &text, e);

	p->missing = true;
	if (r < 0 || !digest)
		return r;
	r = read_file(p->store->configs_fd, strchr(p->image.id, ':') + 1, IMAGE_DOCUMENT_MAX, &config);
	if (r < 0)
		return err_sys(e, -r, "the config of image %.19s", p->image.id);
	r = stage_open(p->store, &st, e);
	if (r == 0)
		r = hand_over(st.fd, digest, text, strlen(text), e);
	if (r == 0)
		r = hand_over(st.fd, p->image.id, config.data, config.len, e);
	return r < 0 ? r : send(p, st.fd, digest, &(const struct chunks_index){ 0 }, e);
}

/* --- as it is saved */

/* The one that index.json names. */
static int find_manifest(int layout, char **ret, struct err *e)
{
	AUTO(manifest_done) struct manifest index = { 0 };
	AUTO(buf_done) struct buf text = { 0 };
	int r = read_file(layout, "index.json", IMAGE_DOCUMENT_MAX, &text);

	if (r < 0)
		return err_sys(e, -r, "read index.json");
	r = manifest_parse(text.data, text.len, MEDIA_INDEX, &index, e);
	if (r < 0 || !index.n_manifests)
		return r < 0 ? r : err_set(e, EIO, "nothing was saved");
	*ret = take_ptr(index.manifests[0].digest);
	return 0;
}

static int send_saved(struct push *p, struct err *e)
{
	AUTO(stage_done) struct stage st = { .fd = -1 };
	const struct strv names = { (char *[]){ p->image.id, NULL }, 1 };
	AUTO(chunks_index_done) struct chunks_index index = { 0 };
	autofree char *manifest = NULL;
	autoclose int blobs = -1;
	int r = stage_open(p->store, &st, e);

	if (r == 0)
		r = image_save(p->store,
			       &(const struct image_save){
				       .names = &names, .gzip = true, .out_fd = -1, .dir_fd = st.fd },
			       e);
	if (r == 0)
		r = find_manifest(st.fd, &manifest, e);
	if (r < 0)
		return r;
	blobs = openat(st.fd, "blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (blobs < 0)
		return err_sys(e, errno, "open what was saved");
	if (p->rq->chunks)
		r = chunks_index_make(p->rq->chunks, blobs, manifest, &index, e);
	if (r == 0)
		r = send(p, blobs, manifest, &index, e);
	return r == 0 && p->missing ? err_set(e, EIO, "a layer has gone while it was pushed") : r;
}

/* --- one reference */

/* Where else this server may have its blobs: the names under which it was pulled or pushed. */
static int find_mounts(struct push *p, struct err *e)
{
	autofree char *whole = reference_whole_name(p->to->ref.name);
	size_t host = whole ? strcspn(whole, "/") + 1 : 0;

	if (!whole)
		return no_memory(e);
	for (size_t i = 0; i < p->image.digests.n; i++) {
		autofree char *name = strndup(p->image.digests.v[i], strcspn(p->image.digests.v[i], "@"));
		autofree char *other = name ? reference_whole_name(name) : NULL;

		if (!other)
			return no_memory(e);
		if (strncmp(other, whole, host) != 0 || !strcmp(other, whole) ||
		    strv_has(&p->mount_from, other + host))
			continue;
		if (strv_add(&p->mount_from, other + host) < 0)
			return no_memory(e);
	}
	return 0;
}

static int note_digest(struct push *p, struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	int r = p->digest ? db_begin(p->store->db, &tx, e)
			  : err_set(e, EPROTO, "ketch-registry does not say what it did");

	if (r == 0)
		r = record_add_digest(p->store, p->image.id, p->to->ref.name, p->digest, e);
	return r < 0 ? r : db_commit(&tx, e);
}

static int push_tag(struct image_store *s, const struct image_push *rq, const struct meaning *to,
		    const char *tag, struct err *e)
{
	AUTO(push_done) struct push p = { .store = s, .rq = rq, .to = to, .tag = tag };
	autofree char *ref = str_printf("%s:%s", to->ref.name, tag);
	int r = ref ? image_find(s, ref, &p.image, e) : no_memory(e);

	if (r == -ENOENT)
		return err_set(e, ENOENT, "An image does not exist locally with the tag: %s", ref);
	if (r == 0)
		r = find_mounts(&p, e);
	p.missing = rq->chunks;
	if (r == 0 && !rq->chunks)
		r = send_original(&p, e);
	if (r == 0 && p.missing)
		r = send_saved(&p, e);
	if (r == 0)
		r = note_digest(&p, e);
	if (r < 0)
		return err_wrap(e, r, "%s", ref);
	store_tell(s, "push", p.image.id, ref);
	tell(rq, &(const struct pull_event){
			 .kind = PUSH_DONE, .tag = tag, .digest = p.digest, .bytes = p.bytes });
	return 0;
}

static int list_tags(struct image_store *s, const char *name, struct strv *ret, struct err *e)
{
	size_t n = strlen(name), count = 0;
	struct image *list = NULL;
	int r = image_list(s, &list, &count, e);

	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; r == 0 && k < list[i].refs.n; k++) {
			const char *ref = list[i].refs.v[k];

			if (!strncmp(ref, name, n) && ref[n] == ':' && !strchr(ref + n, '/') &&
			    strv_add(ret, ref + n + 1) < 0)
				r = no_memory(e);
		}
		image_done(&list[i]);
	}
	free(list);
	return r == 0 && !ret->n
		       ? err_set(e, ENOENT, "An image does not exist locally with the tag: %s", name)
		       : r;
}

static int push_all(struct image_store *s, const struct image_push *rq, const struct meaning *to,
		    struct err *e)
{
	AUTO(strv_done) struct strv tags = { 0 };
	int r = list_tags(s, to->ref.name, &tags, e);

	for (size_t i = 0; r == 0 && i < tags.n; i++)
		r = push_tag(s, rq, to, tags.v[i], e);
	return r;
}

int image_push(struct image_store *s, const struct image_push *rq, struct err *e)
{
	AUTO(resolution_done) struct resolution res = { 0 };
	autofree char *whole = NULL;
	const char *slash = strrchr(rq->name, '/');
	int r;

	if (rq->all_tags && strpbrk(slash ? slash : rq->name, ":@"))
		return err_set(e, EINVAL, "tag can't be used with --all-tags/-a");
	r = registry_resolve(&rq->files, rq->name, RESOLVE_PUSH, &res, e);
	if (r < 0)
		return r;
	if (res.meanings[0].ref.has_digest)
		return err_set(e, EINVAL, "cannot push a digest reference");
	whole = reference_whole_name(res.meanings[0].ref.name);
	if (!whole)
		return no_memory(e);
	tell(rq, &(const struct pull_event){ .kind = PUSH_BEGINS, .text = whole });
	return rq->all_tags ? push_all(s, rq, &res.meanings[0], e)
			    : push_tag(s, rq, &res.meanings[0], res.meanings[0].ref.tag, e);
}

/* --- questions that have nothing to do with the store */

static int hear_login(void *arg, struct registry_message *m, struct err *e)
{
	char **token = arg;

	if (m->identity_token && !*token)
		*token = take_ptr(m->identity_token);
	return 0;
}

int image_login(const struct registry_endpoint *ep, int timeout_s, char **ret_token, struct err *e)
{
	struct registry_endpoint mine = *ep; /* borrowed: only printed */
	struct registry_request rq = { .verb = REGISTRY_LOGIN,
				       .endpoints = &mine,
				       .n_endpoints = 1,
				       .timeout_s = timeout_s ? timeout_s : TIMEOUT_S };

	*ret_token = NULL;
	return fetch_run(&(const struct fetch_run){ &rq, -1, hear_login, ret_token }, e);
}

static int hear_found(void *arg, struct registry_message *m, struct err *e)
{
	struct images_found *f = arg;

	if (f->list || !m->n_found)
		return 0;
	f->list = take_ptr(m->found);
	f->n = m->n_found;
	m->n_found = 0;
	return 0;
}

void images_found_done(struct images_found *f)
{
	struct registry_message m = { .found = f->list, .n_found = f->n };

	json_done(&registry_message_table, &m);
	*f = (struct images_found){ 0 };
}

int image_search(const struct registry_endpoint *ep, const char *words, int limit, int timeout_s,
		 struct images_found *ret, struct err *e)
{
	struct registry_endpoint mine = *ep; /* borrowed: only printed */
	struct registry_request rq = { .verb = REGISTRY_SEARCH,
				       .endpoints = &mine,
				       .n_endpoints = 1,
				       .reference = (char *)(uintptr_t)words,
				       .limit = limit,
				       .timeout_s = timeout_s ? timeout_s : TIMEOUT_S };

	*ret = (struct images_found){ 0 };
	return fetch_run(&(const struct fetch_run){ &rq, -1, hear_found, ret }, e);
}
