/* expand.c - any bytes as they come, expanded where they are compressed: for archives of users, which others read */
#include <errno.h>

#include "base/auto.h"
#include "base/io.h"
#include "unpack/job.h"
#include "unpack/source.h"

int job_expand(struct job *job, struct err *e)
{
	struct source *s = source_decode(source_file(job->input_fd, 0, -1));
	const void *data;
	ssize_t n;
	int r = s ? 0 : err_set(e, ENOMEM, "out of memory");

	while (r == 0 && (n = source_read(s, &data, e)) != 0)
		r = n < 0 ? (int)n : write_full(JOB_FD_OUTPUT, data, (size_t)n);
	source_free(s);
	return r < 0 && !e->no ? err_sys(e, -r, "hand over what was expanded") : r;
}
