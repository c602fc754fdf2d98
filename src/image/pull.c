/* pull.c - images come from registries: fetched by one process, unpacked by another, named when all is there
 *
 * ketch-registry puts blobs into ROOT/blobs and says which make the image.  They are linked into a staged OCI layout,
 * and that is loaded like any other (add.c): so nothing is visible before it is whole, and what the registry
 * says decides nothing that its digests do not.  Layers that are here already are named, not fetched.
 *
 * A layer is unpacked while it comes: ketch-image follows the growing file.  Only where a policy wants signatures all
 * is fetched first.
 */
#include "image/pull.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/sha256.h"
#include "image/add.h"
#include "image/fetch.h"
#include "image/pull_int.h"
#include "image/store_int.h"
#include "oci/manifest.h"
#include "oci/platform.h"
#include "registry/lookaside.h"

#define PULL_LOCK_WAIT_S 3600 /* somebody else pulls the same */
#define TIMEOUT_S	 30
#define TRIES		 4 /* when a layer that was here is removed meanwhile */

/* What the last try knew. */
static void forget(struct pull *p)
{
	p->fetch = fetch_free(p->fetch);
	json_done(&registry_message_table, &p->found);
	strv_done(&p->signatures);
	strv_done(&p->gpg_signatures);
	strv_done(&p->moving);
	strv_done(&p->arrived);
	p->current = p->fetch_failed = false;
	p->layout_fd = p->layout_blobs_fd = -1;
}

static void pull_done(struct pull *p)
{
	forget(p);
	free(p->ref);
	free(p->tag);
	free(p->lookaside);
	strv_done(&p->have);
	signers_done(&p->signers);
}

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

/* image verify --repair may have taken layers away. */
static bool has_its_layers(struct image_store *s, const struct image *im)
{
	const struct strv *ids = &im->config.rootfs.diff_ids;

	for (size_t i = 0; i < ids->n; i++)
		if (!store_layer_is_here(s, ids->v[i]))
			return false;
	return true;
}

/* The digest that the name has here, if what it names is whole and for the platform that is wanted. */
static int find_current(struct pull *p, char **ret, struct err *e)
{
	AUTO(platform_want_done) struct platform_want want = { 0 };
	AUTO(image_done) struct image im = { 0 };
	struct err none;
	int r = platform_parse(p->rq->platform, &want, e);

	if (r < 0)
		return r;
	if (p->ref && image_find(p->store, p->ref, &im, &none) < 0)
		return 0;
	if (!p->ref) {
		autofree char *name = str_printf("%s@%s", p->meaning->ref.name, p->tag);

		if (!name || image_find(p->store, name, &im, &none) < 0)
			return name ? 0 : no_memory(e);
	}
	if (!im.config.architecture || strcmp(im.config.architecture, want.architecture) != 0 ||
	    !has_its_layers(p->store, &im))
		return 0;
	return record_last_digest(p->store, im.id, p->meaning->ref.name, ret, e);
}

static int start_fetch(struct pull *p, struct err *e)
{
	const struct meaning *m = p->meaning;
	autofree char *current = NULL;
	AUTO(strv_done) struct strv have = { 0 };
	/* borrowed: only printed */
	struct registry_request rq = { .verb = REGISTRY_PULL,
				       .endpoints = m->endpoints,
				       .n_endpoints = m->n_endpoints,
				       .reference = p->tag,
				       .platform = (char *)(uintptr_t)p->rq->platform,
				       .signatures = p->signers.cosign,
				       .lookaside = pull_lookaside_is_far(p) ? p->lookaside : NULL,
				       .timeout_s = p->rq->timeout_s ? p->rq->timeout_s : TIMEOUT_S };
	const struct fetch_run run = { &rq, p->store->blobs_fd, pull_hear, p };
	/* who asks for signatures asks for those of what is here, too */
	int r = p->signers.n ? 0 : find_current(p, &current, e);

	if (r == 0)
		r = record_list_blobs(p->store, &have, e);
	rq.current = current;
	rq.have = have;
	return r < 0 ? r : fetch_start(&run, &p->fetch, e);
}

/* 1: it goes on, 0: all is fetched. */
static int step_fetch(struct pull *p, struct err *e)
{
	int r = fetch_step(p->fetch, e);

	if (r <= 0)
		p->fetch = fetch_free(p->fetch);
	p->fetch_failed = r < 0;
	return r;
}

/* Until the image is known, or, if somebody must have signed it, until all is there. */
static int fetch(struct pull *p, struct err *e)
{
	int r = start_fetch(p, e);

	r = r < 0 ? r : 1;
	while (r > 0 && (!p->found.digest || p->current || p->signers.n))
		r = step_fetch(p, e);
	if (r >= 0 && !p->found.digest)
		r = err_set(e, EPROTO, "ketch-registry found no image");
	return r < 0 ? r : 0;
}

static int step_beside(struct job_beside *b, struct err *e)
{
	struct pull *p = b->arg;
	int r = step_fetch(p, e);

	if (r <= 0)
		b->fd = -1;
	return r == 0 ? pull_end_layout(p, e) : r;
}

/* --- into the store */

static void on_progress(void *arg, const char *line)
{
	const struct pull *p = arg;

	pull_say(p->rq, &(const struct pull_event){ .kind = PULL_UNPACK, .text = line });
}

static int add(struct pull *p, int layout_fd, const struct buf *manifest, struct err *e)
{
	AUTO(strv_done) struct strv refs = { 0 };
	autofree char *id = NULL;
	const struct pulled pd = { .layout_fd = layout_fd,
				   .have = p->have,
				   .all_here = p->have.n + 1 == p->found.n_blobs, /* all but the config */
				   .signers = p->signers.list,
				   .n_signers = p->signers.n,
				   .signatures = p->signatures,
				   .refs = &refs,
				   .name = p->meaning->ref.name,
				   .digest = p->found.digest,
				   .beside = p->fetch ? &p->beside : NULL,
				   .manifest_digest = p->found.manifest,
				   .manifest = manifest->data };

	if (p->ref && strv_add(&refs, p->ref) < 0)
		return no_memory(e);
	return add_pulled(p->store, &pd, p->rq->tell ? on_progress : NULL, p, &id, e);
}

/* What does not fit its digest is no use to the next pull. */
static int keep(struct pull *p, struct err *e)
{
	AUTO(stage_done) struct stage st = { .fd = -1 };
	AUTO(buf_done) struct buf text = { 0 };
	struct digest manifest, top;
	struct err unused;
	int r = digest_parse(p->found.digest, &top) < 0
			? err_set(e, EPROTO, "the answer of ketch-registry names no image")
			: pull_read_manifest(p, &manifest, &text, e);

	if (r == 0)
		r = pull_check_gpg(p, e);
	if (r == 0)
		r = stage_open(p->store, &st, e);
	p->layout_fd = st.fd;
	if (r == 0)
		r = pull_make_layout(p, &st, &manifest, text.len, e);
	if (p->fetch)
		p->beside = (struct job_beside){ fetch_fd(p->fetch), step_beside, p };
	if (r == 0)
		r = add(p, st.fd, &text, e);
	while (r == 0 && p->fetch && step_fetch(p, &unused) > 0)
		; /* its last words; the image is whole */
	p->fetch = fetch_free(p->fetch);
	auto_close(&p->layout_blobs_fd);
	p->layout_fd = p->layout_blobs_fd = -1;
	if (r == 0 || (!p->fetch_failed && (r == -EBADMSG || r == -EINVAL)))
		pull_drop_blobs(p);
	return r;
}

/* Two pulls of one name: the second finds what the first has brought. */
static int lock_name(struct pull *p, struct err *e)
{
	autofree char *name =
		str_printf("%s %s %s", p->meaning->ref.name, p->tag, p->rq->platform ? p->rq->platform : "");
	char hex[SHA256_HEX], lock[32];

	if (!name)
		return no_memory(e);
	sha256_hex(name, strlen(name), hex);
	snprintf(lock, sizeof(lock), "pull-%.16s", hex);
	return image_store_lock(p->store, lock, PULL_LOCK_WAIT_S, "ketch pull", e);
}

static int check_policy(struct pull *p, struct err *e)
{
	autofree char *whole = reference_whole_name(p->meaning->ref.name);
	const char *tag = p->ref ? p->tag : NULL;
	int r = whole ? signers_find(p->rq->files.policy, whole, tag, &p->signers, e) : no_memory(e);

	return r == 0 && p->signers.gpg ? lookaside_load(whole, tag, &p->lookaside, e) : r;
}

static int pull_once(struct pull *p, struct err *e)
{
	int r;

	forget(p);
	r = fetch(p, e);
	return r < 0 || p->current ? r : keep(p, e);
}

static int pull_ref(struct pull *p, struct strv *ret_refs, struct err *e)
{
	autofree char *by_digest = NULL;
	autoclose int lock = -1;
	int r = check_policy(p, e);

	if (r < 0)
		return r;
	pull_say(p->rq, &(const struct pull_event){
				.kind = PULL_BEGINS, .text = p->meaning->ref.name, .tag = p->tag });
	lock = lock_name(p, e);
	r = lock < 0 ? lock : pull_once(p, e);
	for (int i = 1; r == -ESTALE && i < TRIES; i++)
		r = pull_once(p, e);
	if (r < 0)
		return r;
	by_digest = p->ref ? strdup(p->ref) : str_printf("%s@%s", p->meaning->ref.name, p->tag);
	if (!by_digest || strv_add(ret_refs, by_digest) < 0)
		return no_memory(e);
	pull_say(p->rq, &(const struct pull_event){ .kind = PULL_DONE,
						    .text = by_digest,
						    .digest = p->found.digest,
						    .fresh = !p->current });
	return 0;
}

static int pull_tag(struct image_store *s, const struct image_pull *rq, const struct meaning *m,
		    const char *tag, struct strv *ret_refs, struct err *e)
{
	AUTO(pull_done) struct pull p = { .store = s, .rq = rq, .meaning = m, .tag = strdup(tag) };

	p.ref = str_printf("%s:%s", m->ref.name, tag);
	if (!p.tag || !p.ref)
		return no_memory(e);
	return pull_ref(&p, ret_refs, e);
}

/* --- all tags */

static int hear_tags(void *arg, struct registry_message *m, struct err *e)
{
	if (m->tags.n && strv_add_all(arg, &m->tags) < 0)
		return no_memory(e);
	return 0;
}

static int pull_all(struct image_store *s, const struct image_pull *rq, const struct meaning *m,
		    struct strv *ret_refs, struct err *e)
{
	AUTO(strv_done) struct strv tags = { 0 };
	struct registry_request ask = { .verb = REGISTRY_TAGS,
					.endpoints = m->endpoints,
					.n_endpoints = m->n_endpoints,
					.timeout_s = rq->timeout_s ? rq->timeout_s : TIMEOUT_S };
	int r = fetch_run(&(const struct fetch_run){ &ask, -1, hear_tags, &tags }, e);

	for (size_t i = 0; r == 0 && i < tags.n; i++)
		r = is_reference_tag(tags.v[i]) ? pull_tag(s, rq, m, tags.v[i], ret_refs, e)
						: err_set(e, EPROTO, "a tag that is none");
	return r;
}

static int pull_meaning(struct image_store *s, const struct image_pull *rq, const struct meaning *m,
			struct strv *ret_refs, struct err *e)
{
	AUTO(pull_done) struct pull p = { .store = s, .rq = rq, .meaning = m };
	char digest[DIGEST_TEXT];

	if (rq->all_tags)
		return pull_all(s, rq, m, ret_refs, e);
	if (!m->ref.has_digest)
		return pull_tag(s, rq, m, m->ref.tag, ret_refs, e);
	digest_text(&m->ref.digest, digest);
	p.tag = strdup(digest);
	return p.tag ? pull_ref(&p, ret_refs, e) : no_memory(e);
}

static bool has_tag(const char *name)
{
	const char *slash = strrchr(name, '/');

	return strpbrk(slash ? slash : name, ":@");
}

int image_pull(struct image_store *s, const struct image_pull *rq, struct strv *ret_refs, struct err *e)
{
	AUTO(resolution_done) struct resolution res = { 0 };
	AUTO(platform_want_done) struct platform_want want = { 0 };
	int r = platform_parse(rq->platform, &want, e);

	if (r == 0 && rq->all_tags && has_tag(rq->name))
		r = err_set(e, EINVAL, "tag can't be used with --all-tags/-a");
	if (r == 0)
		r = registry_resolve(&rq->files, rq->name, RESOLVE_PULL, &res, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < res.n_meanings; i++) {
		r = pull_meaning(s, rq, &res.meanings[i], ret_refs, e);
		if (r == 0)
			return 0;
		err_wrap(e, r, "%s", res.meanings[i].ref.name);
		if (i + 1 < res.n_meanings)
			pull_note(rq, e->msg);
	}
	return r;
}
