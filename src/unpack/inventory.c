/* inventory.c - which packages a layer holds: read out of its tree when it is complete
 *
 * The tree has noted the paths that matter.  Only now it is known what lies there, for an entry may be replaced by a later one
 * and a hard link have its content elsewhere.  Each such file is copied into a nameless one and mapped from there, so that
 * none takes memory of ours, however large it is.
 */
#include "unpack/inventory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "packages/parsers.h"

#define SPOOL "packages/new"

struct inventory {
	struct tree *tree;
	int spool_fd; /* the file that is read now */
	int fd;
	uint64_t bytes; /* written to fd */
};

static void inventory_done(struct inventory *v)
{
	auto_close(&v->spool_fd);
	auto_close(&v->fd);
}

/* --- one file */

/* What is in the spool, of n bytes, as packages of f. */
static int parse(struct inventory *v, const struct package_source *source, size_t n, struct package_file *f,
		 struct err *e)
{
	void *data;
	int r;

	if (!n)
		return 0;
	/* shared: private memory that may be written is limited (RLIMIT_DATA) */
	data = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, v->spool_fd, 0);
	if (data == MAP_FAILED)
		return err_sys(e, errno, "map it");
	f->is_mapping = true;
	r = source->parse(data, n, f, e);
	munmap(data, n);
	if (r == 0 && f->n_bad)
		r = err_set(e, EINVAL, "%zu of its packages have no good name or version", f->n_bad);
	return r;
}

static int set_problem(struct package_file *f, const char *why, struct err *e)
{
	f->problem = strdup(why);
	return f->problem ? 0 : err_set(e, ENOMEM, "out of memory");
}

/* 1: f is about it; 0: there is no such file; or a failure that is not the file's. */
static int read_one(struct inventory *v, const char *path, struct package_file *f, struct err *e)
{
	const struct package_source *source = package_source_of(path);
	struct err why = { 0 };
	uint64_t n = 0;
	int r;

	if (ftruncate(v->spool_fd, 0) < 0 || lseek(v->spool_fd, 0, SEEK_SET) < 0)
		return err_sys(e, errno, "empty a temporary file");
	r = tree_copy_file(v->tree, path, source->max, v->spool_fd, &n, e);
	if (r == -ENOENT)
		return 0;
	f->path = strdup(path);
	f->type = strdup(source->type);
	if (!f->path || !f->type)
		return err_set(e, ENOMEM, "out of memory");
	if (r == -ELOOP)
		r = set_problem(f, "a link is on the way to it", e);
	else if (r == -EFBIG && source->unread)
		r = set_problem(f, source->unread, e);
	else if (r == -EFBIG)
		r = set_problem(f, "it is too large to be read", e);
	else if (r == 0 && parse(v, source, (size_t)n, f, &why) < 0)
		r = set_problem(f, why.msg, e);
	return r < 0 ? r : 1;
}

/* --- all of them */

static int write_line(struct inventory *v, const struct package_file *f, struct err *e)
{
	AUTO(buf_done) struct buf line = { 0 };
	int r = json_print(&package_file_table, f, 0, &line);

	buf_addc(&line, '\n');
	if (r < 0 || !buf_ok(&line))
		return err_set(e, ENOMEM, "out of memory");
	if (v->bytes + line.len > INVENTORY_BYTES_MAX)
		return 1;
	v->bytes += line.len;
	r = write_full(v->fd, line.data, line.len);
	return r < 0 ? err_sys(e, -r, "write the inventory") : 0;
}

/* Instead of those that do not fit.  Room for it was left. */
static int write_end(struct inventory *v, struct err *e)
{
	static const char line[] =
		"{\"path\":\"\",\"type\":\"\",\"problem\":\"it has more package databases and lock "
		"files than are read\"}\n";
	int r = write_full(v->fd, line, sizeof(line) - 1);

	return r < 0 ? err_sys(e, -r, "write the inventory") : 0;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The paths in their order: n pointers into `text`. */
static const char **sort_paths(const struct buf *text, size_t *ret_n)
{
	const char **list, *at = text->data;
	size_t n = 0;

	for (size_t i = 0; i < text->len; i++)
		n += !text->data[i];
	list = calloc(n + 1, sizeof(*list));
	if (!list)
		return NULL;
	for (size_t i = 0; i < n; i++, at += strlen(at) + 1)
		list[i] = at;
	if (n)
		qsort(list, n, sizeof(*list), compare_paths);
	*ret_n = n;
	return list;
}

/* 1: not all of them fit. */
static int write_all(struct inventory *v, const char *const *paths, size_t n, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		AUTO(package_file_done) struct package_file f = { 0 };

		if (i && !strcmp(paths[i], paths[i - 1]))
			continue;
		r = read_one(v, paths[i], &f, e);
		if (r > 0)
			r = write_line(v, &f, e);
	}
	return r;
}

static int open_files(struct inventory *v, int stage_fd, const char *hex, struct err *e)
{
	autofree char *name = str_printf("packages/%s", hex);

	if (!name)
		return err_set(e, ENOMEM, "out of memory");
	if (mkdirat(stage_fd, "packages", 0700) < 0 && errno != EEXIST)
		return err_sys(e, errno, "make a directory");
	v->spool_fd = openat(stage_fd, SPOOL, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (v->spool_fd < 0 || unlinkat(stage_fd, SPOOL, 0) < 0)
		return err_sys(e, errno, "make a temporary file");
	v->fd = openat(stage_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return v->fd < 0 ? err_sys(e, errno, "make the inventory") : 0;
}

int inventory_write(struct tree *tree, int stage_fd, const char *hex, struct err *e)
{
	AUTO(inventory_done) struct inventory v = { .tree = tree, .spool_fd = -1, .fd = -1 };
	bool all;
	size_t n = 0;
	autofree const char **paths = sort_paths(tree_package_files(tree, &all), &n);
	int r = paths ? open_files(&v, stage_fd, hex, e) : err_set(e, ENOMEM, "out of memory");

	if (r == 0)
		r = write_all(&v, paths, n, e);
	if (r > 0 || (r == 0 && !all))
		r = write_end(&v, e);
	return r;
}
