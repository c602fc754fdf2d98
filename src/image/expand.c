/* expand.c - a stream that may be compressed, expanded by ketch-image on its way */
#include <errno.h>

#include "base/auto.h"
#include "image/job.h"

int image_expand(struct image_store *s, int fd, const struct image_sink *to, struct err *e)
{
	AUTO(stage_done) struct stage st = { .fd = -1 };
	const struct job_request ask = { .verb = JOB_EXPAND };
	const struct job_run run = { .store = s,
				     .stage = &st,
				     .request = &ask,
				     .input_fd = fd,
				     .output = to->take,
				     .output_arg = to->arg };
	struct job_message m = { 0 };
	int r = stage_open(s, &st, e);

	if (r == 0)
		r = job_run(&run, &m, e);
	json_done(&job_message_table, &m);
	return r;
}
