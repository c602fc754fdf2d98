/* job.c - how ketch-registry answers */
#include "distribution/job.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"

void job_say(const struct registry_job *job, const struct registry_message *m)
{
	AUTO(buf_done) struct buf line = { 0 };

	json_print(&registry_message_table, m, 0, &line);
	buf_addc(&line, '\n');
	if (!buf_ok(&line) || write_full(job->answer_fd, line.data, line.len) < 0)
		_exit(1);
}

void job_note(const struct registry_job *job, const char *fmt, ...)
{
	struct err line; /* foreign names in it become printable */
	char text[480];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err_set(&line, 0, "%s", text);
	job_say(job, &(const struct registry_message){ .note = line.msg });
}
