/* fetch.c - blobs that an image names without having them as layers (oci/chunk.h) */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "distribution/blobs.h"
#include "distribution/named_blobs.h"

/* All of them from one server.  What it gave before it failed need not be asked of the next one. */
static int fetch_from(struct registry_job *job, const struct registry_endpoint *ep,
		      const struct named_blobs *b, struct err *e)
{
	AUTO(session_done) struct session s = { 0 };
	int r = session_open(&s, job->http, ep, "pull", e);

	return r < 0 ? r : blobs_get(job, &s, b->list, b->n, e);
}

int job_blobs(struct registry_job *job, struct err *e)
{
	AUTO(named_blobs_done) struct named_blobs b = { 0 };
	const struct registry_request *rq = job->request;
	int r = named_blobs_parse(&rq->blobs, &b, e);
	bool ask = r == 0;

	if (r == 0)
		r = err_set(e, EINVAL, "no server to pull from");
	for (size_t i = 0; ask && r < 0 && i < rq->n_endpoints; i++) {
		r = fetch_from(job, &rq->endpoints[i], &b, e);
		if (r < 0 && i + 1 < rq->n_endpoints)
			job_note(job, "%s", e->msg);
	}
	return r;
}
