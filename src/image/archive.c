/* archive.c - the archive of a layer, as it came: made again by ketch-image, which holds it against its digest */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "image/job.h"

static void message_done(struct job_message *m)
{
	json_done(&job_message_table, m);
}

/* What is kept of the archive, where the job finds it. */
static int hand_over(struct image_store *s, const struct digest *d, const struct stage *st, struct err *e)
{
	char hex[DIGEST_HEX];

	digest_hex(d, hex);
	return linkat(s->skeletons_fd, hex, st->fd, JOB_SKELETON, 0) < 0
		       ? err_sys(e, errno, "what is kept of its archive")
		       : 0;
}

static int make(struct image_store *s, const struct layer_archive *rq, const struct digest *d,
		struct digest *ret_blob, struct err *e)
{
	AUTO(message_done) struct job_message m = { 0 };
	AUTO(stage_done) struct stage st = { .fd = -1 };
	const struct job_request ask = { .verb = JOB_ARCHIVE,
					 .diff_id =
						 (char *)(uintptr_t)rq->diff_id, /* borrowed: only printed */
					 .gzip = rq->gzip };
	autoclose int layer = store_layer_file(s, rq->diff_id, e);
	struct job_run run = { .store = s,
			       .stage = &st,
			       .request = &ask,
			       .input_fd = layer,
			       .output = rq->out,
			       .output_arg = rq->arg };
	int r = layer < 0 ? layer : stage_open(s, &st, e);

	if (r == 0)
		r = hand_over(s, d, &st, e);
	if (r == 0)
		r = job_run(&run, &m, e);
	if (r == 0 && (m.n_layers != 1 || !m.layers[0].blob || digest_parse(m.layers[0].blob, ret_blob) < 0))
		r = err_set(e, EPROTO, "the answer of ketch-image names no layer");
	return r;
}

int store_layer_archive(struct image_store *s, const struct layer_archive *rq, struct digest *ret_blob,
			struct err *e)
{
	struct digest d;
	int r = digest_parse(rq->diff_id, &d);

	r = r < 0 ? err_set(e, EINVAL, "\"%.80s\" is no layer", rq->diff_id) : make(s, rq, &d, ret_blob, e);
	return r < 0 ? err_wrap(e, r, "layer %.19s", rq->diff_id) : 0;
}
