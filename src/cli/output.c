/* output.c - where an archive goes: to stdout, or to a file that appears when it is whole
 *
 * A file is written beside its name first: who finds it there finds it whole.
 */
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/io.h"
#include "cli/cli.h"
#include "cli/files.h"

void output_done(struct output *o)
{
	if (o->path && o->fd >= 0)
		close(o->fd);
	if (o->part)
		unlink(o->part); /* has gone when all went well */
	free(o->part);
}

int output_open(struct output *o, struct err *e)
{
	struct stat st;

	if (!o->path)
		return files_refuse_terminal(o->fd = STDOUT_FILENO, e);
	if (stat(o->path, &st) == 0 && !S_ISREG(st.st_mode)) {
		o->fd = open(o->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		return o->fd < 0 ? err_sys(e, errno, "%.200s", o->path) : 0;
	}
	o->part = str_printf("%s.%d.part", o->path, getpid());
	if (!o->part)
		return err_set(e, ENOMEM, "out of memory");
	o->fd = open(o->part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	return o->fd < 0 ? err_sys(e, errno, "%.200s", o->path) : 0;
}

int output_take(void *arg, const void *data, size_t n)
{
	struct output *o = arg;

	o->failed = write_full(o->fd, data, n);
	/* said at the end, once */
	return o->failed < 0 ? -EPIPE : 0;
}

int output_keep(const struct output *o, struct err *e)
{
	if (o->failed == -EPIPE) /* who stopped reading knows why */
		return STATUS_FAILED;
	if (o->failed < 0)
		return err_sys(e, -o->failed, "%.200s", o->path ? o->path : "stdout");
	if (o->part && rename(o->part, o->path) < 0)
		return err_sys(e, errno, "%.200s", o->path);
	return 0;
}
