/* changes.c - what a container has changed in the files of its image: as a list, or as a layer
 *
 * How it works: only where the writable layer has a directory can anything be different in it; so the three views are
 * walked together, along the writable layer.  Neither its marks for what is deleted nor those for a directory that was
 * replaced are looked at (only the kernel's own root may read them): what the image has and the container no longer sees
 * is deleted.
 */
#include "container/changes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/strv.h"
#include "files/sender.h"

#define WHITEOUT   ".wh."
#define LIST_PIECE 32768

/* SAME: it was opened for writing, or something below it is different. */
enum kind { ADDED = 'A', CHANGED = 'C', DELETED = 'D', SAME = 0 };

struct walk {
	/* at: in the merged view; of what is deleted, where it was. */
	int (*found)(void *arg, enum kind kind, const char *path, const struct place *at, struct err *e);
	void *arg;
	bool plain; /* two directories, neither of them a container's */
	int depth;
	char path[PATH_BYTES_MAX + 1]; /* of the entry now */
};

/* --- the walk */

static int add_names(int dirfd, struct strv *names, struct err *e)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;

	if (!d) {
		r = err_sys(e, errno, "cannot read the directory");
		if (fd >= 0)
			close(fd);
		return r;
	}
	while (r == 0 && (errno = 0, de = readdir(d)))
		if (strcmp(de->d_name, ".") && strcmp(de->d_name, ".."))
			r = strv_add(names, de->d_name) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
	if (r == 0 && errno && errno != ENOENT) /* ENOENT: the directory itself was removed */
		r = err_sys(e, errno, "cannot read the directory");
	closedir(d);
	return r;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* 1: it is there; 0: it is not; or -errno. */
static int look(int dirfd, const char *name, struct stat *ret, struct err *e)
{
	if (dirfd < 0)
		return 0;
	if (fstatat(dirfd, name, ret, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT ? 0 : err_sys(e, errno, "cannot look at it");
}

static bool differs(const struct stat *a, const struct stat *b)
{
	if (a->st_mode != b->st_mode || a->st_uid != b->st_uid || a->st_gid != b->st_gid)
		return true;
	return !S_ISDIR(a->st_mode) &&
	       (a->st_size != b->st_size || a->st_rdev != b->st_rdev ||
		a->st_mtim.tv_sec != b->st_mtim.tv_sec || a->st_mtim.tv_nsec != b->st_mtim.tv_nsec);
}

/* Where the steps of a container mount what every container has, an image without these names gets empty ones. */
static bool is_place_of_ours(const char *path, const struct stat *st, int upper, const char *name)
{
	static const char *const places[] = {
		"/dev", "/proc", "/sys", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf",
	};
	AUTO(strv_done) struct strv names = { 0 };
	autoclose int fd = -1;
	bool ours = false;

	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		ours |= !strcmp(path, places[i]);
	if (!ours || S_ISREG(st->st_mode))
		return ours && !st->st_size;
	fd = openat(upper, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && add_names(fd, &names, NULL) == 0 && !names.n;
}

static int walk_children(struct walk *w, const struct views *v, struct err *e);

static int open_below(int dirfd, const char *name)
{
	return openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int enter(struct walk *w, const struct views *v, const char *name, bool in_lower, struct err *e)
{
	autoclose int merged = open_below(v->merged, name), upper = open_below(v->upper, name);
	autoclose int lower = in_lower ? open_below(v->lower, name) : -1;
	const struct views below = { merged, upper, lower };

	/* a file took its place meanwhile, or it is of the image again */
	if (merged < 0 || upper < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP
			       ? 0
			       : err_sys(e, errno, "cannot open the directory");
	return walk_children(w, &below, e);
}

static int walk_entry(struct walk *w, const struct views *v, const char *name, struct err *e)
{
	struct place at = { .dir_fd = v->merged };
	struct stat now, mine, image;
	int is_now = look(v->merged, name, &now, e), is_mine, was, r;
	enum kind kind;

	strcpy(at.name, name);
	is_mine = is_now < 0 ? is_now : look(v->upper, name, &mine, e);
	was = is_mine < 0 ? is_mine : look(v->lower, name, &image, e);
	if (was < 0)
		return was;
	if (!is_now)
		return was ? w->found(w->arg, DELETED, w->path, &at, e) : 0;
	if (!is_mine || (!was && !w->plain && is_place_of_ours(w->path, &now, v->upper, name)))
		return 0;
	kind = !was ? ADDED : differs(&now, &image) ? CHANGED : SAME;
	r = w->found(w->arg, kind, w->path, &at, e);
	if (r < 0 || !S_ISDIR(now.st_mode))
		return r;
	return enter(w, v, name, was && S_ISDIR(image.st_mode), e);
}

/* w->path is the directory; as in files/send.c, a failure leaves the path of what failed in it. */
static int walk_name(struct walk *w, const struct views *v, const char *name, struct err *e)
{
	size_t len = strlen(w->path), n = strlen(name);
	int r;

	if (n > PATH_NAME_MAX || len + n + 1 > PATH_BYTES_MAX)
		return err_set(e, ENAMETOOLONG, "a path is longer than %d bytes", PATH_BYTES_MAX);
	stpcpy(stpcpy(w->path + len, "/"), name);
	r = walk_entry(w, v, name, e);
	if (r == 0)
		w->path[len] = '\0';
	return r;
}

static int walk_children(struct walk *w, const struct views *v, struct err *e)
{
	AUTO(strv_done) struct strv names = { 0 };
	int r = add_names(v->upper, &names, e);

	if (r == 0 && v->lower >= 0)
		r = add_names(v->lower, &names, e);
	if (r == 0 && ++w->depth > PATH_DEPTH_MAX)
		r = err_set(e, ENAMETOOLONG, "it is deeper than %d directories", PATH_DEPTH_MAX);
	if (r == 0 && names.n)
		qsort(names.v, names.n, sizeof(*names.v), compare_names);
	for (size_t i = 0; i < names.n && r == 0; i++)
		if (!i || strcmp(names.v[i], names.v[i - 1]))
			r = walk_name(w, v, names.v[i], e);
	w->depth--;
	return r;
}

static int walk(struct walk *w, const struct views *v, struct err *e)
{
	int r = walk_children(w, v, e);

	return r < 0 ? err_wrap(e, r, "%.200s", *w->path ? w->path : "/") : 0;
}

/* --- the list */

struct list {
	int fd;
	bool stamps;
	struct buf out;
	char told[PATH_BYTES_MAX + 1]; /* the last path */
};

static int flush(struct list *l, struct err *e)
{
	int r = buf_ok(&l->out) ? write_full(l->fd, l->out.data, l->out.len) : -ENOMEM;

	l->out.len = 0;
	return r < 0 ? err_sys(e, -r, "cannot write the list") : 0;
}

/* FNV-1a: for comparing two of an instance's own states; whoever forges one of his files deceives himself. */
static uint64_t stamp_of(const struct stat *st)
{
	bool dir = S_ISDIR(st->st_mode);
	const uint64_t all[] = { st->st_mode,
				 (uint64_t)st->st_uid << 32 | st->st_gid,
				 dir ? 0 : (uint64_t)st->st_size,
				 dir ? 0 : (uint64_t)st->st_rdev,
				 dir ? 0 : (uint64_t)st->st_mtim.tv_sec,
				 dir ? 0 : (uint64_t)st->st_mtim.tv_nsec };
	const uint8_t *bytes = (const uint8_t *)all;
	uint64_t v = 0xcbf29ce484222325;

	for (size_t i = 0; i < sizeof(all); i++)
		v = (v ^ bytes[i]) * 0x100000001b3;
	return v ? v : 1;
}

/* stamp 0: none is written where none is asked for. */
static int tell(struct list *l, char kind, uint64_t stamp, const char *path, size_t n, struct err *e)
{
	buf_addc(&l->out, kind);
	if (l->stamps)
		buf_addf(&l->out, "%016llx", (unsigned long long)stamp);
	buf_add(&l->out, path, n);
	buf_addc(&l->out, '\0');
	return l->out.len < LIST_PIECE ? 0 : flush(l, e);
}

/* Was this directory, the first n bytes of a path, told already?  What is told next is below or behind what was told last. */
static bool is_told(const struct list *l, const char *path, size_t n)
{
	return !strncmp(l->told, path, n) && (l->told[n] == '/' || !l->told[n]);
}

static int list_found(void *arg, enum kind kind, const char *path, const struct place *at, struct err *e)
{
	struct list *l = arg;
	struct stat st;
	bool is_there = l->stamps && kind != DELETED && kind != SAME &&
			fstatat(at->dir_fd, at->name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	int r = 0;

	if (kind == SAME)
		return 0;
	for (const char *p = path + 1; r == 0 && (p = strchr(p, '/')); p++)
		if (!is_told(l, path, (size_t)(p - path)))
			r = tell(l, CHANGED, 0, path, (size_t)(p - path), e);
	if (r == 0)
		r = tell(l, (char)kind, is_there ? stamp_of(&st) : 0, path, strlen(path), e);
	strcpy(l->told, path);
	return r;
}

static int write_list(const struct views *v, bool plain, bool stamps, int out_fd, struct err *e)
{
	autofree struct list *l = calloc(1, sizeof(*l));
	autofree struct walk *w = calloc(1, sizeof(*w));
	int r;

	if (!l || !w)
		return err_set(e, ENOMEM, "out of memory");
	l->fd = out_fd;
	l->stamps = stamps;
	w->found = list_found;
	w->arg = l;
	w->plain = plain;
	r = walk(w, v, e);
	if (r == 0)
		r = flush(l, e);
	buf_done(&l->out);
	return r;
}

int changes_list(const struct views *v, bool stamps, int out_fd, struct err *e)
{
	return write_list(v, false, stamps, out_fd, e);
}

int changes_between(int was, int is, int out_fd, struct err *e)
{
	return write_list(&(const struct views){ .merged = is, .upper = is, .lower = was }, true, false,
			  out_fd, e);
}

/* --- the layer */

static int put_whiteout(struct sender *s, const char *path, const char *name, struct err *e)
{
	size_t dir = strlen(path) - strlen(name);

	if (strlen(path) + strlen(WHITEOUT) > PATH_BYTES_MAX ||
	    strlen(name) + strlen(WHITEOUT) > PATH_NAME_MAX)
		return err_set(e, ENAMETOOLONG, "its name is too long to be marked as deleted");
	memcpy(s->path, path, dir);
	stpcpy(stpcpy(s->path + dir, WHITEOUT), name);
	return sender_put_empty(s, s->path, e);
}

static int layer_found(void *arg, enum kind kind, const char *path, const struct place *at, struct err *e)
{
	struct sender *s = arg;
	int r;

	path++; /* in an archive they have no slash in front */
	if (!strncmp(at->name, WHITEOUT, strlen(WHITEOUT)))
		return err_set(e, EINVAL, "a layer cannot hold a name that begins with \"" WHITEOUT "\"");
	if (kind == DELETED)
		return put_whiteout(s, path, at->name, e);
	strcpy(s->path, path);
	r = sender_put(s, at, e);
	return r == -ENOENT ? 0 : r;
}

static void free_sender(struct sender **s)
{
	sender_free(*s);
}

int changes_send(const struct views *v, int out_fd, struct err *e)
{
	AUTO(free_sender) struct sender *s = sender_new(out_fd);
	autofree struct walk *w = calloc(1, sizeof(*w));
	int r;

	if (!s || !w)
		return err_set(e, ENOMEM, "out of memory");
	s->flat = s->rooted = true;
	w->found = layer_found;
	w->arg = s;
	r = sender_put(s, &(struct place){ .dir_fd = v->merged, .name = "." }, e);
	if (r == 0)
		r = walk(w, v, e);
	if (r < 0)
		return r;
	return sender_end(s, 0, e);
}
