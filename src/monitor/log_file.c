/* log_file.c - a log in files: the CRI format, begun anew at a size */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "monitor/log_int.h"

struct log_file {
	int fd, dir;
	char *name;
	uint64_t size, max_bytes;
	unsigned max_files;
	struct buf out; /* gathered */
	int r; /* of writes since the last flush */
};

static int open_file(struct log_file *f)
{
	struct stat st;

	f->fd = openat(f->dir, f->name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (f->fd < 0 || fstat(f->fd, &st) < 0)
		return -errno;
	f->size = (uint64_t)st.st_size;
	return 0;
}

static void write_out(struct log_file *f)
{
	int r = buf_ok(&f->out) ? write_full(f->fd, f->out.data, f->out.len) : -ENOMEM;

	if (r < 0 && f->r == 0)
		f->r = r;
	if (r >= 0)
		f->size += f->out.len;
	if (f->out.failed)
		buf_done(&f->out);
	f->out.len = 0;
}

/* log.1 becomes log.2, log becomes log.1; what is beyond the last goes. */
static int shift(const struct log_file *f)
{
	for (unsigned i = f->max_files - 1; i > 0; i--) {
		autofree char *from = i > 1 ? str_printf("%s.%u", f->name, i - 1) : strdup(f->name);
		autofree char *to = str_printf("%s.%u", f->name, i);

		if (!from || !to || (renameat(f->dir, from, f->dir, to) < 0 && errno != ENOENT))
			return -1;
	}
	return 0;
}

/* The next file is there before the others make room for it: where it cannot be made, the file grows on. */
static void rotate(struct log_file *f)
{
	autofree char *next = str_printf("%s.next", f->name);
	autoclose int fd =
		!next ? -1
		      : openat(f->dir, next, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
			       0600);

	if (fd < 0)
		return;
	if (shift(f) < 0 || renameat(f->dir, next, f->dir, f->name) < 0) {
		unlinkat(f->dir, next, 0);
		return;
	}
	close(f->fd);
	f->fd = take_fd(&fd);
	f->size = 0;
}

static void file_add(void *arg, const struct log_line *line)
{
	static const char *const names[LOG_STREAM_N] = { "stdout", "stderr" };
	struct log_file *f = arg;
	size_t before = f->out.len;

	buf_addf(&f->out, "%s %s %c ", line->stamp, names[line->stream], line->whole ? 'F' : 'P');
	buf_add(&f->out, line->text->data, line->text->len);
	buf_addc(&f->out, '\n');
	if (!f->max_bytes || f->size + f->out.len <= f->max_bytes || f->size + before == 0)
		return;
	/* this line is the first of the next file */
	{
		AUTO(buf_done) struct buf last = { 0 };

		buf_add(&last, f->out.data + before, f->out.len - before);
		f->out.len = before;
		if (f->out.len)
			write_out(f);
		rotate(f);
		buf_add(&f->out, last.data, last.len);
	}
}

static int file_flush(void *arg)
{
	struct log_file *f = arg;
	int r;

	if (f->out.len || f->out.failed)
		write_out(f);
	r = f->r;
	f->r = 0;
	return r;
}

static void file_close(void *arg)
{
	struct log_file *f = arg;

	if (f->fd >= 0)
		close(f->fd);
	if (f->dir >= 0)
		close(f->dir);
	buf_done(&f->out);
	free(f->name);
	free(f);
}

static const struct log_sink file_sink = { file_add, file_flush, file_close };

struct log *log_open(int dirfd, const char *name, const struct log_spec *limits)
{
	struct log_file *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return NULL;
	*f = (struct log_file){ .fd = -1,
				.dir = fcntl(dirfd, F_DUPFD_CLOEXEC, 3),
				.name = strdup(name),
				.max_bytes = limits->max_bytes,
				.max_files = limits->max_files ? limits->max_files : 1 };
	r = f->dir < 0 ? -errno : f->name ? open_file(f) : -ENOMEM;
	if (r < 0) {
		file_close(f);
		errno = -r;
		return NULL;
	}
	return log_new(&file_sink, f);
}
