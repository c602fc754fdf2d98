/* receive.c - a tar stream is put where a user said, by the rules of `docker cp` */
#include "files/receive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"

/* --- where */

void destination_done(struct destination *to)
{
	place_done(&to->place);
}

static int look(struct destination *to)
{
	struct stat st;

	if (fstatat(to->place.dir_fd, to->place.name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		to->kind = S_ISDIR(st.st_mode) ? TO_DIRECTORY : TO_FILE;
	else if (errno != ENOENT)
		return -errno;
	return 0;
}

int files_find_destination(int rootfd, const char *path, struct destination *ret, struct err *e)
{
	struct destination to = { .place = { .dir_fd = -1 } };
	autofree char *bare = strdup(path);
	size_t n = strlen(path);
	int r;

	if (!bare)
		return err_set(e, ENOMEM, "out of memory");
	/* "new/" is not there yet, where "new/." would have to be */
	while (n > 1 && bare[n - 1] == '/')
		bare[--n] = '\0';
	to.slash = path[n];
	r = place_find(rootfd, bare, true, &to.place);
	if (r == 0)
		r = look(&to);
	if (r < 0) {
		destination_done(&to);
		return err_sys(e, -r, "%.200s", path);
	}
	if (to.kind == TO_FILE && to.slash) {
		destination_done(&to);
		return err_set(e, ENOTDIR, "%.200s: it is no directory", path);
	}
	*ret = to;
	return 0;
}

/* --- what */

/* How paths of the archive become paths below the base: the first `strip` bytes, the name of the first entry, are
 * replaced by `put`. */
struct mapping {
	size_t strip;
	char put[PATH_NAME_MAX + 2]; /* with a slash */
	char path[PATH_BYTES_MAX + 1], link[PATH_BYTES_MAX + 1];
};

static int map_path(const struct mapping *m, const char *path, char ret[PATH_BYTES_MAX + 1], struct err *e)
{
	size_t n = strlen(path + m->strip), put = strlen(m->put);

	if (put + n > PATH_BYTES_MAX)
		return err_set(e, ENAMETOOLONG, "the path is longer than %d bytes", PATH_BYTES_MAX);
	memcpy(ret, m->put, put);
	memcpy(ret + put, path + m->strip, n + 1);
	return 0;
}

static bool is_below(const char *path, const char *top, size_t n)
{
	return !n || (!strncmp(path, top, n) && path[n] == '/');
}

static int put(struct restore *rs, struct mapping *m, const struct entry *en, struct untar *u, struct err *e)
{
	struct entry to = *en;
	int r = map_path(m, en->path, m->path, e);

	to.path = m->path;
	if (r == 0 && en->hardlink) {
		r = map_path(m, en->hardlink, m->link, e);
		to.hardlink = m->link;
	}
	if (r == 0)
		r = restore_put(rs, &to, u, e);
	return r < 0 ? err_wrap(e, r, "%.200s", en->path) : 0;
}

/* May a file or a directory (which one is first in the stream) come to this destination? */
static int check_first(const struct destination *to, const struct entry *en, struct err *e)
{
	bool is_dir = !en->hardlink && S_ISDIR(en->mode);

	if (en->hardlink)
		return err_set(e, EPROTO, "the archive begins with a link");
	if (is_dir && to->kind == TO_FILE)
		return err_set(e, ENOTDIR, "a directory cannot take the place of a file");
	if (!is_dir && !*en->path)
		return err_set(e, EPROTO, "the archive begins with no name");
	if (!is_dir && to->kind == TO_NOTHING && to->slash)
		return err_set(e, ENOENT, "the directory does not exist");
	return 0;
}

/* All but the first entry; top is the name of that, top_n its length. */
static int receive_rest(struct restore *rs, struct mapping *m, struct untar *u, const char *top,
			struct err *e)
{
	size_t n = strlen(top);
	struct entry en;
	int r;

	while ((r = untar_next(u, &en, e)) == 1) {
		if (!*en.path || !is_below(en.path, top, n) ||
		    (en.hardlink && !is_below(en.hardlink, top, n)))
			return err_set(e, EPROTO, "the archive has %.200s, which was not asked for",
				       *en.path ? en.path : "/");
		r = put(rs, m, &en, u, e);
		if (r < 0)
			return r;
	}
	return r;
}

/* One file or one directory, under the name that it is to have. */
static int receive_one(struct restore *rs, const struct destination *to, const char *want, struct untar *u,
		       struct err *e)
{
	autofree struct mapping *m = calloc(1, sizeof(*m));
	char top[PATH_NAME_MAX + 1];
	struct entry en;
	int r = m ? untar_next(u, &en, e) : err_set(e, ENOMEM, "out of memory");

	if (r < 0)
		return r;
	if (r == 0 || strchr(en.path, '/') || (want && strcmp(en.path, want)))
		return err_set(e, EPROTO, "the archive does not begin with what was asked for");
	r = check_first(to, &en, e);
	if (r < 0)
		return r;
	strcpy(top, en.path);
	m->strip = strlen(top);
	strcpy(m->put, to->kind == TO_DIRECTORY ? top : to->place.name);
	/* the content of a directory, into one that is there: that stays as it is */
	if (*top || to->kind == TO_NOTHING)
		r = put(rs, m, &en, u, e);
	if (r < 0)
		return r;
	if (!*top && to->kind == TO_NOTHING)
		strcat(m->put, "/");
	if (S_ISDIR(en.mode))
		return receive_rest(rs, m, u, top, e);
	r = untar_next(u, &en, e);
	return r > 0 ? err_set(e, EPROTO, "the archive goes on behind the file that was asked for") : r;
}

static int receive_archive(struct restore *rs, struct untar *u, int flags, struct err *e)
{
	struct entry en;
	int r;

	while ((r = untar_next(u, &en, e)) == 1) {
		if (!*en.path && !en.hardlink) { /* "./": the directory that is there */
			if (flags & RESTORE_TOP)
				restore_note_top(rs, &en);
			continue;
		}
		r = restore_put(rs, &en, u, e);
		if (r < 0)
			return err_wrap(e, r, "%.200s", *en.path ? en.path : "/");
	}
	return r;
}

int files_receive(const struct destination *to, const struct reception *rc, struct err *e)
{
	bool into = to->kind == TO_DIRECTORY && strcmp(to->place.name, ".");
	autoclose int fd = into ? openat(to->place.dir_fd, to->place.name,
					 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
				: -1;
	struct restore *rs;
	struct untar *u;
	int r;

	if (into && fd < 0)
		return err_sys(e, errno, "cannot open the directory");
	if (rc->archive && to->kind != TO_DIRECTORY)
		return err_set(e, to->kind == TO_FILE ? ENOTDIR : ENOENT,
			       "an archive can only be unpacked in a directory that exists");
	rs = restore_new(into ? fd : to->place.dir_fd, rc->flags);
	u = untar_new(rc->in_fd);
	if (!rs || !u)
		r = err_set(e, ENOMEM, "out of memory");
	else
		r = rc->archive ? receive_archive(rs, u, rc->flags, e) : receive_one(rs, to, rc->name, u, e);
	if (r == 0)
		r = restore_finish(rs, e);
	if (r == 0)
		r = untar_drain(u, e);
	untar_free(u);
	restore_free(rs);
	return r;
}
