/* copy.c - a directory becomes a layer: walked by descriptors, hashed as canon.h says */
#include "unpack/copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/strv.h"
#include "files/canon.h"
#include "files/links.h"
#include "files/xattrs.h"
#include "unpack/hash.h"
#include "unpack/limits.h"

#define DATA_BYTES (256 << 10)

struct walk {
	struct tree *tree;
	struct hash *hash;
	struct canon canon;
	struct links *links;
	struct xattrs attributes; /* of the entry now, until its header is made */
	char path[PATH_BYTES_MAX + 1]; /* of the entry now */
	int depth;
	char data[DATA_BYTES];
};

static void hash_out(void *arg, const void *data, size_t n)
{
	hash_add(arg, data, n);
}

/* --- content */

/* All of `data` is written but its blocks of zeros, which stay holes. */
static int write_sparse(struct tree *tree, const void *from, size_t n, uint64_t at, struct err *e)
{
	static const char zeros[4096];
	const char *data = from;
	int r = 0;

	while (n && r == 0) {
		size_t k = n < sizeof(zeros) ? n : sizeof(zeros);

		if (memcmp(data, zeros, k) != 0)
			r = tree_write(tree, data, k, at, e);
		data += k;
		at += k;
		n -= k;
	}
	return r;
}

/* Is there nothing but a hole at `at`?  Files full of data are written in large pieces. */
static bool has_holes(int fd, uint64_t size)
{
	off_t hole = lseek(fd, 0, SEEK_HOLE);

	return hole >= 0 && (uint64_t)hole < size;
}

static int copy_content(struct walk *w, int from, uint64_t size, struct err *e)
{
	bool sparse = has_holes(from, size);
	uint64_t at = 0;

	while (at < size) {
		size_t want = size - at < DATA_BYTES ? (size_t)(size - at) : DATA_BYTES;
		ssize_t n = pread(from, w->data, want, (off_t)at);
		int r;

		if (n < 0)
			return err_sys(e, errno, "read it");
		if (!n)
			return err_set(e, EAGAIN, "it became shorter while it was copied");
		hash_add(w->hash, w->data, (size_t)n);
		r = (sparse ? write_sparse : tree_write)(w->tree, w->data, (size_t)n, at, e);
		if (r < 0)
			return r;
		at += (size_t)n;
	}
	canon_pad(&w->canon, size);
	return 0;
}

/* --- entries */

static int put_header(struct walk *w, const struct entry *en, struct err *e)
{
	return canon_entry(&w->canon, en) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int copy_file(struct walk *w, int dirfd, const char *name, struct entry *en, struct err *e)
{
	autoclose int from = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	int r;

	if (from < 0)
		return err_sys(e, errno, "open it");
	if (fstat(from, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, EAGAIN, "it changed while it was copied");
	en->size = (uint64_t)st.st_size;
	r = tree_put(w->tree, en, e);
	if (r == 0)
		r = put_header(w, en, e);
	if (r == 0)
		r = copy_content(w, from, en->size, e);
	return r < 0 ? r : tree_end_file(w->tree, en, e);
}

static int put_simple(struct walk *w, const struct entry *en, struct err *e)
{
	int r = tree_put(w->tree, en, e);

	return r < 0 ? r : put_header(w, en, e);
}

static int copy_link(struct walk *w, int dirfd, const char *name, struct entry *en, struct err *e)
{
	char target[LINK_BYTES_MAX + 1];
	ssize_t n = readlinkat(dirfd, name, target, sizeof(target));

	if (n < 0 || (size_t)n == sizeof(target))
		return err_sys(e, n < 0 ? errno : ENAMETOOLONG, "read the link");
	target[n] = '\0';
	en->symlink = target;
	return put_simple(w, en, e);
}

static int copy_children(struct walk *w, int fd, struct err *e);

static int copy_subdirectory(struct walk *w, int dirfd, const char *name, const struct entry *en,
			     struct err *e)
{
	autoclose int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 ? err_sys(e, errno, "open it") : put_simple(w, en, e);

	return r < 0 ? r : copy_children(w, fd, e);
}

/* Its attributes are read first: the working directory is the parent. */
static int copy_entry(struct walk *w, int dirfd, const char *name, const struct stat *st, struct err *e)
{
	struct xattrs *a = &w->attributes;
	struct entry en = { .path = w->path,
			    .mode = st->st_mode,
			    .uid = st->st_uid,
			    .gid = st->st_gid,
			    .rdev = st->st_rdev,
			    .mtime = st->st_mtim };
	const char *first = st->st_nlink > 1 && !S_ISDIR(st->st_mode)
				    ? links_first(w->links, st->st_dev, st->st_ino, w->path)
				    : w->path;
	int r;

	if (!first)
		return err_set(e, ENOMEM, "too many hard links");
	if (strcmp(first, w->path) != 0) {
		en.hardlink = first;
		return put_simple(w, &en, e);
	}
	r = fchdir(dirfd) < 0 ? err_sys(e, errno, "enter its directory")
			      : xattrs_read(-1, name, tree_keeps_xattr, a, e);
	if (r < 0)
		return r;
	en.xattrs = a->list;
	en.n_xattrs = a->n;
	if (S_ISDIR(st->st_mode))
		return copy_subdirectory(w, dirfd, name, &en, e);
	if (S_ISREG(st->st_mode))
		return copy_file(w, dirfd, name, &en, e);
	if (S_ISLNK(st->st_mode))
		return copy_link(w, dirfd, name, &en, e);
	return put_simple(w, &en, e);
}

static int copy_child(struct walk *w, int dirfd, const char *name, struct err *e)
{
	struct stat st;

	if (!strncmp(name, ".wh.", 4))
		return err_set(e, EINVAL, "names that begin with \".wh.\" mean deletions in images");
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, errno, "look at it");
	return S_ISSOCK(st.st_mode) ? 0 : copy_entry(w, dirfd, name, &st, e);
}

/* --- directories */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_names(int fd, struct strv *ret, struct err *e)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *de;

	if (!d) {
		r = err_sys(e, errno, "read the directory");
		auto_close(&copy);
		return r;
	}
	while (r == 0 && (de = readdir(d))) {
		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		if (ret->n == LAYER_ENTRIES_MAX || strv_add(ret, de->d_name) < 0)
			r = err_set(e, ENOMEM, "too many names in one directory");
	}
	closedir(d);
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(ret->v[0]), compare_names);
	return r;
}

/* w->path is the directory; each name is put behind it and taken away again. */
static int copy_children(struct walk *w, int fd, struct err *e)
{
	AUTO(strv_done) struct strv names = { 0 };
	size_t len = strlen(w->path);
	int r = list_names(fd, &names, e);

	if (++w->depth > PATH_DEPTH_MAX)
		return err_set(e, ENAMETOOLONG, "deeper than %d directories", PATH_DEPTH_MAX);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		if (len + strlen(names.v[i]) + 2 > sizeof(w->path))
			return err_set(e, ENAMETOOLONG, "a path is longer than %d bytes", PATH_BYTES_MAX);
		stpcpy(stpcpy(w->path + len, len ? "/" : ""), names.v[i]);
		r = copy_child(w, fd, names.v[i], e);
		if (r == 0)
			w->path[len] = '\0'; /* after a failure it says where */
	}
	w->depth--;
	return r;
}

static int copy_all(struct walk *w, int from_fd, struct err *e)
{
	struct stat st;
	int r;

	w->hash = hash_new();
	w->links = links_new();
	if (!w->hash || !w->links)
		return err_set(e, ENOMEM, "out of memory");
	w->canon = (struct canon){ hash_out, w->hash };
	if (fstat(from_fd, &st) < 0)
		return err_sys(e, errno, "look at the directory");
	r = copy_entry(w, from_fd, ".", &st, e);
	if (r < 0)
		return err_wrap(e, r, "%.200s", *w->path ? w->path : "/");
	canon_end(&w->canon);
	return 0;
}

static void walk_free(struct walk **w)
{
	if (*w) {
		hash_free((*w)->hash);
		links_free((*w)->links);
		xattrs_done(&(*w)->attributes);
	}
	free(*w);
}

int copy_directory(int from_fd, struct tree *tree, struct digest *ret_diff_id, struct err *e)
{
	AUTO(walk_free) struct walk *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return err_set(e, ENOMEM, "out of memory");
	w->tree = tree;
	r = copy_all(w, from_fd, e);
	if (r == 0)
		r = tree_finish(tree, e);
	if (r == 0)
		hash_end(w->hash, ret_diff_id);
	return r;
}
