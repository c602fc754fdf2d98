/* pull_hear.c - what ketch-registry says while it fetches, and what is said of that; each thing is checked where it is used */
#include <errno.h>
#include <string.h>

#include "image/pull_int.h"

void pull_say(const struct image_pull *rq, const struct pull_event *ev)
{
	if (rq->tell)
		rq->tell(rq->arg, ev);
}

void pull_note(const struct image_pull *rq, const char *text)
{
	pull_say(rq, &(const struct pull_event){ .kind = PULL_NOTE, .text = text });
}

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

static bool is_config(const struct pull *p, const char *digest)
{
	return p->found.n_blobs && p->found.blobs[0].digest && !strcmp(p->found.blobs[0].digest, digest);
}

/* Of a blob something is there, or all. */
static int hear_blob(struct pull *p, const struct registry_message *m, struct err *e)
{
	bool done = m->state == BLOB_DONE;

	if (!m->blob.digest || (!done && m->state != BLOB_MOVES))
		return 0;
	if (p->layout_blobs_fd >= 0)
		return pull_place_arriving(p, m->blob.digest, done, e);
	return strv_add(done ? &p->arrived : &p->moving, m->blob.digest) < 0 ? no_memory(e) : 0;
}

int pull_hear(void *arg, struct registry_message *m, struct err *e)
{
	struct pull *p = arg;
	int r = hear_blob(p, m, e);

	if (r < 0)
		return r;
	if (m->note)
		pull_note(p->rq, m->note);
	if (m->state && m->blob.digest && !is_config(p, m->blob.digest))
		pull_say(p->rq, &(const struct pull_event){ .kind = PULL_BLOB,
							    .state = m->state,
							    .digest = m->blob.digest,
							    .at = m->at,
							    .bytes = m->blob.size });
	if (strv_add_all(&p->signatures, &m->signatures) < 0 ||
	    strv_add_all(&p->gpg_signatures, &m->lookaside) < 0)
		return no_memory(e);
	if (p->signatures.n > SIGNATURES_MAX || p->gpg_signatures.n > SIGNATURES_MAX)
		return err_set(e, E2BIG, "more than %d signatures", SIGNATURES_MAX);
	if (!m->digest)
		return 0;
	if (p->found.digest)
		return err_set(e, EPROTO, "the answer of ketch-registry names two images");
	p->found = *m;
	*m = (struct registry_message){ 0 };
	p->current = p->found.current;
	return 0;
}
