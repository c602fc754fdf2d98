/* restore.c - the entries of an archive become files below one directory, which nothing can leave
 *
 * How it works: a stack holds the directories from the base to that of the entry now.  One that is left gets its mode,
 * owner and times, which each entry made in it would have changed.
 */
#include "files/restore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/path.h"
#include "base/strv.h"
#include "files/metadata.h"

#define IMPLICIT_MODE 0755 /* of directories that the archive does not name */
#define ENTRIES_MAX   2000000
#define WHITEOUT      ".wh."
#define OPAQUE	      WHITEOUT WHITEOUT ".opq"

struct level {
	int fd;
	size_t end; /* of its path in rs->path */
	bool named; /* by the archive: entry has what it is to get */
	struct entry entry;
	struct buf acl; /* what is inherited by what comes later */
};

struct restore {
	int base_fd, flags;
	bool top_noted;
	struct entry top; /* what the base is to get */
	unsigned entries;
	size_t depth;
	struct level levels[PATH_DEPTH_MAX];
	char path[PATH_BYTES_MAX + 1]; /* of the innermost level */
};

struct restore *restore_new(int base_fd, int flags)
{
	struct restore *rs = calloc(1, sizeof(*rs));

	if (rs) {
		rs->base_fd = base_fd;
		rs->flags = flags;
	}
	return rs;
}

struct restore *restore_free(struct restore *rs)
{
	while (rs && rs->depth) {
		struct level *l = &rs->levels[--rs->depth];

		close(l->fd);
		buf_done(&l->acl);
	}
	free(rs);
	return NULL;
}

/* --- directories */

static int here(const struct restore *rs)
{
	return rs->depth ? rs->levels[rs->depth - 1].fd : rs->base_fd;
}

static int leave(struct restore *rs, struct err *e)
{
	struct level *l = &rs->levels[--rs->depth];
	int r = l->named ? metadata_set_all(rs->flags, l->fd, &l->entry, e) : 0;

	if (r == 0 && l->acl.len)
		r = metadata_set_xattr(l->fd, ACL_DEFAULT, l->acl.data, l->acl.len, e);
	close(l->fd);
	buf_done(&l->acl);
	rs->path[rs->depth ? rs->levels[rs->depth - 1].end : 0] = '\0';
	return r;
}

/* O_NOFOLLOW with O_DIRECTORY: a link is "no directory". */
static int enter(struct restore *rs, const char *name, size_t n, struct err *e)
{
	char text[PATH_NAME_MAX + 1];
	size_t len = strlen(rs->path);
	int fd;

	if (rs->depth == PATH_DEPTH_MAX)
		return err_set(e, ENAMETOOLONG, "it is deeper than %d directories", PATH_DEPTH_MAX);
	memcpy(text, name, n);
	text[n] = '\0';
	fd = openat(here(rs), text, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && mkdirat(here(rs), text, IMPLICIT_MODE) == 0)
		fd = openat(here(rs), text, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return err_set(e, ENOTDIR, "%.200s is there and is no directory; links are not followed",
			       text);
	if (fd < 0)
		return err_sys(e, errno, "cannot enter the directory %.200s", text);
	if (len)
		rs->path[len++] = '/';
	memcpy(rs->path + len, text, n + 1);
	rs->levels[rs->depth++] = (struct level){ .fd = fd, .end = len + n };
	return 0;
}

/* Is the innermost directory above, or at, the first n bytes of path? */
static bool leads_to(const struct restore *rs, const char *path, size_t n)
{
	size_t end = rs->levels[rs->depth - 1].end;

	return end <= n && !memcmp(rs->path, path, end) && (end == n || path[end] == '/');
}

/* Goes to the directory that is named by the first n bytes of path. */
static int go_to(struct restore *rs, const char *path, size_t n, struct err *e)
{
	size_t at;
	int r = 0;

	while (r == 0 && rs->depth && !leads_to(rs, path, n))
		r = leave(rs, e);
	at = rs->depth ? rs->levels[rs->depth - 1].end : 0;
	while (r == 0 && at < n) {
		at += path[at] == '/';
		r = enter(rs, path + at, strcspn(path + at, "/"), e);
		at += strcspn(path + at, "/");
	}
	return r;
}

/* --- entries */

static int remove_all(int dirfd, const char *name, struct err *e)
{
	int r = remove_tree(dirfd, name);

	return r < 0 ? err_sys(e, -r, "cannot remove what is there") : 0;
}

/* What is there goes, but a directory, which goes for a layer alone. */
static int make_way(const struct restore *rs, const char *name, struct err *e)
{
	int dirfd = here(rs);

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno == EISDIR && (rs->flags & RESTORE_LAYER))
		return remove_all(dirfd, name, e);
	if (errno == EISDIR)
		return err_set(e, EISDIR, "a directory of this name is there");
	return err_sys(e, errno, "cannot replace what is there");
}

/* A directory that is there stays. */
static int yield_to_directory(int dirfd, const char *name, struct err *e)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISDIR(st.st_mode))
		return 0;
	return unlinkat(dirfd, name, 0) < 0 ? err_sys(e, errno, "cannot replace what is there") : 0;
}

static int put_directory(struct restore *rs, const char *name, const struct entry *en, struct err *e)
{
	struct level *l;
	int r = rs->flags & RESTORE_LAYER ? yield_to_directory(here(rs), name, e) : 0;

	if (r < 0)
		return r;
	if (mkdirat(here(rs), name, 0700) < 0 && errno != EEXIST)
		return err_sys(e, errno, "cannot make the directory");
	r = enter(rs, name, strlen(name), e);
	if (r < 0)
		return r;
	l = &rs->levels[rs->depth - 1];
	l->named = true;
	l->entry = *en;
	l->entry.path = NULL; /* of what it points to nothing is there later */
	l->entry.xattrs = NULL;
	l->entry.n_xattrs = 0;
	for (size_t i = 0; i < en->n_xattrs; i++)
		if (!strcmp(en->xattrs[i].name, ACL_DEFAULT) && metadata_keeps_xattr(rs->flags, ACL_DEFAULT))
			buf_add(&l->acl, en->xattrs[i].value, en->xattrs[i].n);
	if (!buf_ok(&l->acl))
		return err_set(e, ENOMEM, "out of memory");
	return metadata_set_xattrs(rs->flags, l->fd, en, e);
}

static int copy_content(struct untar *u, int fd, struct err *e)
{
	const void *piece;
	ssize_t n;

	while ((n = untar_read(u, &piece, e)) > 0) {
		int r = write_full(fd, piece, (size_t)n);

		if (r < 0)
			return err_sys(e, -r, "cannot write it");
	}
	return (int)n;
}

static int make_file(int dirfd, const char *name)
{
	return openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static int put_file(struct restore *rs, const char *name, const struct entry *en, struct untar *u,
		    struct err *e)
{
	autoclose int fd = make_file(here(rs), name);
	int r;

	if (fd < 0 && errno == EEXIST) { /* seldom: so it is not looked for first */
		r = make_way(rs, name, e);
		if (r < 0)
			return r;
		fd = make_file(here(rs), name);
	}
	if (fd < 0)
		return err_sys(e, errno, "cannot make the file");
	r = copy_content(u, fd, e);
	if (r == 0)
		r = metadata_set_all(rs->flags, fd, en, e);
	if (r < 0)
		unlinkat(here(rs), name, 0);
	return r;
}

/* A link, a FIFO or a device has been made: it is opened without following, and must be of this type. */
static int finish_special(const struct restore *rs, const char *name, const struct entry *en, struct err *e)
{
	autoclose int fd = openat(here(rs), name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, errno, "cannot open it again");
	if ((st.st_mode & S_IFMT) != (en->mode & S_IFMT))
		return err_set(e, EAGAIN, "somebody has replaced it");
	r = metadata_set_owner(rs->flags, fd, en, e);
	return r < 0 ? r : metadata_set_times(fd, en, e);
}

static int put_special(struct restore *rs, const char *name, const struct entry *en, struct err *e)
{
	mode_t type = en->mode & S_IFMT;
	bool node = type == S_IFCHR || type == S_IFBLK;
	int r = S_ISLNK(en->mode) ? symlinkat(en->symlink, here(rs), name)
				  : mknodat(here(rs), name, type | (metadata_mode(rs->flags, en) & 0777),
					    node ? en->rdev : 0);

	return r < 0 ? err_sys(e, errno, "cannot make it") : finish_special(rs, name, en, e);
}

/* To a file that is there already, of the archive or not: below the base in any case. */
static int put_hardlink(struct restore *rs, const char *name, const struct entry *en, struct err *e)
{
	const char *slash = strrchr(en->hardlink, '/');
	autofree char *dir = strndup(en->hardlink, slash ? (size_t)(slash - en->hardlink) : 0);
	autoclose int fd = -1;

	if (!dir)
		return err_set(e, ENOMEM, "out of memory");
	fd = open_in_root_nolinks(rs->base_fd, *dir ? dir : "/", O_PATH | O_DIRECTORY, 0);
	if (fd < 0 || linkat(fd, slash ? slash + 1 : en->hardlink, here(rs), name, 0) < 0)
		return err_sys(e, fd < 0 ? -fd : errno, "cannot link it to %.200s", en->hardlink);
	return 0;
}

/* --- marks of layers */

static int clear_here(const struct restore *rs, struct err *e)
{
	AUTO(strv_done) struct strv names = { 0 };
	int fd = openat(here(rs), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *de;

	if (!d) {
		r = err_sys(e, errno, "cannot read the directory");
		auto_close(&fd);
		return r;
	}
	while (r == 0 && (de = readdir(d)))
		if (strcmp(de->d_name, ".") && strcmp(de->d_name, ".."))
			r = strv_add(&names, de->d_name);
	closedir(d);
	if (r < 0)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < names.n && r == 0; i++)
		r = remove_all(here(rs), names.v[i], e);
	return r;
}

/* ".wh.x" in the directory where we are. */
static int put_mark(const struct restore *rs, const char *name, struct err *e)
{
	const char *victim = name + strlen(WHITEOUT);

	if (!strcmp(name, OPAQUE))
		return clear_here(rs, e);
	if (!*victim || !strcmp(victim, ".") || !strcmp(victim, "..") ||
	    !strncmp(victim, WHITEOUT, strlen(WHITEOUT)))
		return err_set(e, EPROTO, "it marks nothing that can be deleted");
	return remove_all(here(rs), victim, e);
}

/* --- all */

static bool is_node(const struct entry *en)
{
	return !en->hardlink && (S_ISCHR(en->mode) || S_ISBLK(en->mode));
}

static int check_entry(struct restore *rs, const struct entry *en, struct err *e)
{
	if (++rs->entries > ENTRIES_MAX)
		return err_set(e, E2BIG, "there are more than %d entries", ENTRIES_MAX);
	if (is_node(en) && !(rs->flags & RESTORE_LAYER))
		return err_set(e, EPERM, "device nodes are not copied");
	/* overlayfs's own mark, which a file system below would take */
	if (is_node(en) && S_ISCHR(en->mode) && en->rdev == makedev(0, 0))
		return err_set(e, EPERM, "the device 0:0 is no device");
	return 0;
}

int restore_put(struct restore *rs, const struct entry *en, struct untar *u, struct err *e)
{
	const char *slash = strrchr(en->path, '/'), *name = slash ? slash + 1 : en->path;
	int r = check_entry(rs, en, e);

	if (r == 0)
		r = go_to(rs, en->path, slash ? (size_t)(slash - en->path) : 0, e);
	if (r == 0 && (rs->flags & RESTORE_LAYER) && !strncmp(name, WHITEOUT, strlen(WHITEOUT)))
		return put_mark(rs, name, e);
	if (r == 0 && !en->hardlink && S_ISDIR(en->mode))
		return put_directory(rs, name, en, e);
	/* its own name: linking it again would lose it */
	if (r == 0 && en->hardlink && !strcmp(en->hardlink, en->path))
		return err_set(e, EINVAL, "it is a link to itself");
	if (r == 0 && S_ISREG(en->mode) && !en->hardlink)
		return put_file(rs, name, en, u, e);
	if (r == 0)
		r = make_way(rs, name, e);
	if (r < 0)
		return r;
	return en->hardlink ? put_hardlink(rs, name, en, e) : put_special(rs, name, en, e);
}

void restore_note_top(struct restore *rs, const struct entry *en)
{
	rs->top_noted = S_ISDIR(en->mode);
	rs->top = (struct entry){ .mode = en->mode, .uid = en->uid, .gid = en->gid, .mtime = en->mtime };
}

static int set_top(const struct restore *rs, struct err *e)
{
	autoclose int fd = openat(rs->base_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? err_sys(e, errno, "cannot open the directory")
		       : metadata_set_owner(rs->flags, fd, &rs->top, e);

	if (r == 0 && fchmod(fd, metadata_mode(rs->flags, &rs->top)) < 0)
		r = err_sys(e, errno, "cannot set the mode");
	return r < 0 ? r : metadata_set_times(fd, &rs->top, e);
}

int restore_finish(struct restore *rs, struct err *e)
{
	int r = 0;

	while (r == 0 && rs->depth)
		r = leave(rs, e);
	return r == 0 && rs->top_noted ? set_top(rs, e) : r;
}
