/* tree_dir.c - a layer's tree below one directory that nothing can leave
 *
 * Parents are opened with RESOLVE_IN_ROOT, the last component is made with *at calls that never follow.
 */
#include "unpack/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "unpack/times.h"
#include "unpack/tree_int.h"

#define ACL_DEFAULT "system.posix_acl_default"

struct dir_tree {
	struct tree tree;
	int root_fd; /* borrowed */
	int parent_fd; /* of the entry before, -1: none; entries mostly come directory by directory */
	char parent[PATH_BYTES_MAX + 1];
	struct times *times; /* of directories: set at the end, as each new entry changes them */
	int file_fd; /* whose content is written, -1: none */
};

static void forget_parent(struct dir_tree *t)
{
	auto_close(&t->parent_fd);
	t->parent_fd = -1;
}

/* Splits path; the parent is opened, made if it is missing, and kept for the next entry. */
static int open_parent(struct dir_tree *t, const char *path, const char **ret_name, struct err *e)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	char parent[sizeof(t->parent)];

	*ret_name = slash ? slash + 1 : *path ? path : ".";
	if (t->parent_fd >= 0 && strlen(t->parent) == n && !memcmp(t->parent, path, n))
		return 0;
	forget_parent(t);
	memcpy(parent, path, n);
	parent[n] = '\0';
	t->parent_fd = open_in_root(t->root_fd, n ? parent : "/", O_PATH | O_DIRECTORY, 0);
	if (t->parent_fd == -ENOENT)
		t->parent_fd = mkdir_in_root(t->root_fd, parent, IMPLICIT_MODE);
	if (t->parent_fd == -ENOENT)
		return err_set(e, EINVAL, "its directory is a link to nowhere");
	if (t->parent_fd == -ENOTDIR || t->parent_fd == -ELOOP)
		return err_set(e, EINVAL, "its directory is none");
	if (t->parent_fd < 0)
		return err_sys(e, -t->parent_fd, "open its directory");
	memcpy(t->parent, parent, n + 1);
	return 0;
}

/* --- metadata */

/* xattrs of what may not be opened (a device, a link) need its path: the working directory is its parent. */
static int set_xattr(struct dir_tree *t, int fd, const char *name, const struct xattr *x, struct err *e)
{
	int r;

	if (fd >= 0)
		r = fsetxattr(fd, x->name, x->value, x->n, 0);
	else
		r = fchdir(t->parent_fd) < 0 ? -1 : lsetxattr(name, x->name, x->value, x->n, 0);
	if (r == 0)
		return 0;
	if (errno == EOPNOTSUPP)
		return err_set(e, EOPNOTSUPP,
			       "the file system of the store does not keep the attribute %.80s", x->name);
	return err_sys(e, errno, "set the attribute %.80s", x->name);
}

static int set_xattrs(struct dir_tree *t, int fd, const char *name, const struct entry *en, struct err *e)
{
	int r = 0;

	/* a default ACL would be inherited by what is still to come: times.c sets it at the end */
	for (size_t i = 0; r == 0 && i < en->n_xattrs; i++)
		if (tree_keeps_xattr(en->xattrs[i].name) && strcmp(en->xattrs[i].name, ACL_DEFAULT) != 0)
			r = set_xattr(t, fd, name, &en->xattrs[i], e);
	return r;
}

/* Owner first: chown takes setuid bits and file capabilities away. */
static int set_metadata(struct dir_tree *t, const char *name, const struct entry *en, struct err *e)
{
	const struct timespec times[2] = { en->mtime, en->mtime };
	int r;

	if (fchownat(t->parent_fd, name, en->uid, en->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, errno, "chown");
	if (!S_ISLNK(en->mode) && fchmodat(t->parent_fd, name, en->mode & 07777, 0) < 0)
		return err_sys(e, errno, "chmod");
	r = set_xattrs(t, -1, name, en, e);
	if (r == 0 && !S_ISDIR(en->mode) && utimensat(t->parent_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		r = err_sys(e, errno, "set times");
	return r;
}

static void dir_place(const struct tree *tree, const struct entry *en, struct content_place *ret)
{
	*ret = (struct content_place){ .path = en->path, .size = en->size };
}

static int dir_write(struct tree *tree, const void *data, size_t n, uint64_t offset, struct err *e)
{
	int r = pwrite_full(((struct dir_tree *)tree)->file_fd, data, n, (off_t)offset);

	return r < 0 ? err_sys(e, -r, "write it") : 0;
}

static int dir_end_file(struct tree *tree, const struct entry *en, struct err *e)
{
	struct dir_tree *t = (struct dir_tree *)tree;
	const struct timespec times[2] = { en->mtime, en->mtime };
	autoclose int fd = take_fd(&t->file_fd);
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0 || ((uint64_t)st.st_size < en->size && ftruncate(fd, (off_t)en->size) < 0))
		return err_sys(e, errno, "set its size");
	if (fchown(fd, en->uid, en->gid) < 0)
		return err_sys(e, errno, "chown");
	if (fchmod(fd, en->mode & 07777) < 0)
		return err_sys(e, errno, "chmod");
	r = set_xattrs(t, fd, NULL, en, e);
	if (r == 0 && futimens(fd, times) < 0)
		r = err_sys(e, errno, "set times");
	return r;
}

/* --- making entries */

static int make_hardlink(struct dir_tree *t, const struct entry *en, const char *name)
{
	const char *slash = strrchr(en->hardlink, '/');
	autofree char *parent = slash ? strndup(en->hardlink, (size_t)(slash - en->hardlink)) : strdup("/");
	autoclose int fd = parent ? open_in_root(t->root_fd, parent, O_PATH | O_DIRECTORY, 0) : -ENOMEM;

	if (fd < 0)
		return fd;
	return linkat(fd, slash ? slash + 1 : en->hardlink, t->parent_fd, name, 0) < 0 ? -errno : 0;
}

/* One entry that is not there yet: 0, a descriptor for a regular file, or -errno. */
static int make_entry(struct dir_tree *t, const struct entry *en, const char *name)
{
	int r;

	if (en->hardlink)
		return make_hardlink(t, en, name);
	switch (en->mode & S_IFMT) {
	case S_IFREG:
		r = openat(t->parent_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		break;
	case S_IFDIR:
		r = mkdirat(t->parent_fd, name, 0700);
		break;
	case S_IFLNK:
		r = symlinkat(en->symlink, t->parent_fd, name);
		break;
	default:
		r = mknodat(t->parent_fd, name, (en->mode & S_IFMT) | 0600, en->rdev);
		break;
	}
	return r < 0 ? -errno : r;
}

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

/* A hard link of a file to itself must not remove the file first. */
static bool is_same_file(struct dir_tree *t, const struct entry *en, const struct stat *st)
{
	autoclose int fd = -1;
	struct stat target;

	if (!en->hardlink)
		return false;
	fd = open_in_root(t->root_fd, en->hardlink, O_PATH | O_NOFOLLOW, 0);
	return fd >= 0 && fstat(fd, &target) == 0 && target.st_ino == st->st_ino &&
	       target.st_dev == st->st_dev;
}

/* Something is in the place: 1 it may stay as the entry, 0 it is out of the way, or -errno. */
static int clear_place(struct dir_tree *t, const struct entry *en, const char *name, bool *ret_was_whiteout,
		       struct err *e)
{
	struct stat st;
	int r;

	if (fstatat(t->parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, errno, "look at what is there");
	if (is_same_file(t, en, &st))
		return 1;
	if (!en->hardlink && S_ISDIR(en->mode) && S_ISDIR(st.st_mode))
		return 1;
	*ret_was_whiteout = is_whiteout(&st);
	/* a link may have been on the way to the content of another */
	t->tree.has_lost = t->tree.has_lost || S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode) ||
			   (S_ISREG(st.st_mode) && st.st_size);
	r = remove_tree(t->parent_fd, name);
	return r < 0 ? err_sys(e, -r, "remove what is there") : 0;
}

static int set_opaque(struct dir_tree *t, const char *name, struct err *e)
{
	const struct xattr opaque = { OVERLAY_OPAQUE, "y", 1 };

	return set_xattr(t, -1, name, &opaque, e);
}

/* Makes the entry in the place of whatever is there: 0 or a descriptor. */
static int make_in_place(struct dir_tree *t, const struct entry *en, const char *name, struct err *e)
{
	bool was_whiteout = false;
	int r = make_entry(t, en, name), cleared;

	if (r == -EEXIST) {
		cleared = clear_place(t, en, name, &was_whiteout, e);
		if (cleared)
			return cleared < 0 ? cleared : 0;
		r = make_entry(t, en, name);
	}
	if (r < 0 && en->hardlink && (r == -ENOENT || r == -EPERM || r == -ENOTDIR || r == -ELOOP))
		return err_set(e, EINVAL, "it is a hard link to %.200s, which is no file of this layer",
			       en->hardlink);
	if (r < 0)
		return err_sys(e, -r, "make it");
	/* a name that was hidden first and is a directory now shows nothing of the layers below */
	if (was_whiteout && !en->hardlink && S_ISDIR(en->mode))
		return set_opaque(t, name, e);
	return r;
}

static int put_directory(struct dir_tree *t, const struct entry *en, const char *name, struct err *e)
{
	const struct xattr *acl = NULL;
	int r = *en->path ? make_in_place(t, en, name, e) : 0;

	if (r == 0)
		r = set_metadata(t, name, en, e);
	for (size_t i = 0; i < en->n_xattrs; i++)
		if (!strcmp(en->xattrs[i].name, ACL_DEFAULT))
			acl = &en->xattrs[i];
	return r < 0 ? r : times_add(t->times, en->path, en->mtime, acl, e);
}

static int dir_put(struct tree *tree, const struct entry *en, struct err *e)
{
	struct dir_tree *t = (struct dir_tree *)tree;
	const char *name;
	int r = open_parent(t, en->path, &name, e);

	if (r < 0)
		return r;
	if (!en->hardlink && S_ISDIR(en->mode))
		return put_directory(t, en, name, e);
	r = make_in_place(t, en, name, e);
	if (r < 0 || en->hardlink)
		return r < 0 ? r : 0;
	if (!S_ISREG(en->mode))
		return set_metadata(t, name, en, e);
	t->file_fd = r;
	return 0;
}

static int dir_whiteout(struct tree *tree, const char *path, struct err *e)
{
	struct dir_tree *t = (struct dir_tree *)tree;
	const char *name;
	struct stat st;
	int r = open_parent(t, path, &name, e);

	if (r < 0)
		return r;
	if (mknodat(t->parent_fd, name, S_IFCHR, 0) == 0)
		return 0;
	if (errno != EEXIST || fstatat(t->parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, errno, "make a whiteout");
	/* image-spec, layer.md: a whiteout hides lower layers only, so what this layer brings stays */
	return S_ISDIR(st.st_mode) ? set_opaque(t, name, e) : 0;
}

static int dir_opaque(struct tree *tree, const char *path, struct err *e)
{
	struct dir_tree *t = (struct dir_tree *)tree;
	const struct xattr opaque = { OVERLAY_OPAQUE, "y", 1 };
	autoclose int made = -1, fd = -1;
	struct stat st, root;

	forget_parent(t);
	made = mkdir_in_root(t->root_fd, path, IMPLICIT_MODE);
	fd = made < 0 ? made : open_in_root(t->root_fd, *path ? path : "/", O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return err_sys(e, -fd, "open the directory to hide");
	if (fstat(fd, &st) < 0 || fstat(t->root_fd, &root) < 0)
		return err_sys(e, errno, "look at the directory to hide");
	/* overlayfs looks at no mark on the root of a layer: what should be hidden would be seen */
	if (st.st_ino == root.st_ino)
		return err_set(e, EOPNOTSUPP, "a layer that hides all layers below it is not supported");
	return set_xattr(t, fd, NULL, &opaque, e);
}

static int dir_finish(struct tree *tree, struct err *e)
{
	struct dir_tree *t = (struct dir_tree *)tree;

	return times_apply(t->times, t->root_fd, e);
}

static int dir_copy_file(struct tree *tree, const char *path, uint64_t max, int to_fd, uint64_t *ret_bytes,
			 struct err *e)
{
	autoclose int fd = open_in_root_nolinks(((struct dir_tree *)tree)->root_fd, path,
						O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	struct stat st;
	int r;

	if (fd < 0)
		return fd == -ELOOP ? fd : -ENOENT;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -ENOENT;
	if ((uint64_t)st.st_size > max)
		return -EFBIG;
	r = copy_fd(fd, to_fd);
	if (r < 0)
		return err_sys(e, -r, "copy a file of the layer");
	*ret_bytes = (uint64_t)st.st_size;
	return 0;
}

static const uint8_t *dir_verity(const struct tree *tree)
{
	return NULL;
}

static void dir_close(struct tree *tree)
{
	struct dir_tree *t = (struct dir_tree *)tree;

	forget_parent(t);
	auto_close(&t->file_fd);
	if (t->times)
		times_close(t->times);
	free(t);
}

int tree_open_dir(int rootfd, int scratch_fd, struct tree **ret, struct err *e)
{
	static const struct tree_ops ops = { dir_put,	   dir_place,  dir_write,  dir_end_file,
					     dir_whiteout, dir_opaque, dir_finish, dir_copy_file,
					     dir_verity,   dir_close };
	struct dir_tree *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return err_set(e, ENOMEM, "out of memory");
	*t = (struct dir_tree){ .tree = { .ops = &ops }, .root_fd = rootfd, .parent_fd = -1, .file_fd = -1 };
	r = times_open(scratch_fd, &t->times, e);
	if (r < 0) {
		dir_close(&t->tree);
		return r;
	}
	*ret = &t->tree;
	return 0;
}
