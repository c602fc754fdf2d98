/* tree.c - one layer's tree as it is made: entries by path, below one directory that nothing can leave */
#include "unpack/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"
#include "unpack/limits.h"
#include "unpack/times.h"

#define IMPLICIT_MODE 0755 /* of parents that the archive does not name */
#define ACL_DEFAULT   "system.posix_acl_default"

struct tree {
	int root_fd; /* borrowed */
	int parent_fd; /* of the entry before, -1: none; entries mostly come directory by directory */
	char parent[PATH_BYTES_MAX + 1];
	struct times *times; /* of directories: set at the end, as each new entry changes them */
	uint64_t entries, bytes;
};

int tree_open(int rootfd, int scratch_fd, struct tree **ret, struct err *e)
{
	struct tree *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return err_set(e, ENOMEM, "out of memory");
	t->root_fd = rootfd;
	t->parent_fd = -1;
	r = times_open(scratch_fd, &t->times, e);
	if (r < 0) {
		tree_close(t);
		return r;
	}
	*ret = t;
	return 0;
}

static void forget_parent(struct tree *t)
{
	auto_close(&t->parent_fd);
	t->parent_fd = -1;
}

struct tree *tree_close(struct tree *t)
{
	if (!t)
		return NULL;
	forget_parent(t);
	times_close(t->times);
	free(t);
	return NULL;
}

uint64_t tree_bytes(const struct tree *t)
{
	return t->bytes;
}

bool tree_keeps_xattr(const char *name)
{
	static const char *const dropped[] = { "trusted.overlay.", "user.overlay.", "security.selinux",
					       "system.nfs4_acl",  "security.evm",  "security.apparmor" };

	for (size_t i = 0; i < ARRAY_LEN(dropped); i++)
		if (!strncmp(name, dropped[i], strlen(dropped[i])))
			return false;
	return true;
}

/* Splits path; the parent is opened, made if it is missing, and kept for the next entry. */
static int open_parent(struct tree *t, const char *path, const char **ret_name, struct err *e)
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

static int count_entry(struct tree *t, uint64_t bytes, struct err *e)
{
	if (++t->entries > LAYER_ENTRIES_MAX)
		return err_set(e, E2BIG, "the layer has more than %d entries", LAYER_ENTRIES_MAX);
	if (__builtin_add_overflow(t->bytes, bytes, &t->bytes) || t->bytes > LAYER_BYTES_MAX)
		return err_set(e, EFBIG, "the files of the layer are larger than %lld GiB",
			       LAYER_BYTES_MAX >> 30);
	return 0;
}

/* --- metadata */

/* xattrs of what may not be opened (a device, a link) need its path: the working directory is its parent. */
static int set_xattr(struct tree *t, int fd, const char *name, const struct xattr *x, struct err *e)
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

static int set_xattrs(struct tree *t, int fd, const char *name, const struct entry *en, struct err *e)
{
	int r = 0;

	/* a default ACL would be inherited by what is still to come: times.c sets it at the end */
	for (size_t i = 0; r == 0 && i < en->n_xattrs; i++)
		if (tree_keeps_xattr(en->xattrs[i].name) && strcmp(en->xattrs[i].name, ACL_DEFAULT) != 0)
			r = set_xattr(t, fd, name, &en->xattrs[i], e);
	return r;
}

/* Owner first: chown takes setuid bits and file capabilities away. */
static int set_metadata(struct tree *t, const char *name, const struct entry *en, struct err *e)
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

int tree_finish_file(struct tree *t, const struct entry *en, int fd, struct err *e)
{
	const struct timespec times[2] = { en->mtime, en->mtime };
	autoclose int owned = fd;
	int r;

	if (fchown(owned, en->uid, en->gid) < 0)
		return err_sys(e, errno, "chown");
	if (fchmod(owned, en->mode & 07777) < 0)
		return err_sys(e, errno, "chmod");
	r = set_xattrs(t, owned, NULL, en, e);
	if (r == 0 && futimens(owned, times) < 0)
		r = err_sys(e, errno, "set times");
	return r;
}

/* --- making entries */

static int make_hardlink(struct tree *t, const struct entry *en, const char *name)
{
	const char *slash = strrchr(en->hardlink, '/');
	autofree char *parent = slash ? strndup(en->hardlink, (size_t)(slash - en->hardlink)) : strdup("/");
	autoclose int fd = parent ? open_in_root(t->root_fd, parent, O_PATH | O_DIRECTORY, 0) : -ENOMEM;

	if (fd < 0)
		return fd;
	return linkat(fd, slash ? slash + 1 : en->hardlink, t->parent_fd, name, 0) < 0 ? -errno : 0;
}

/* One entry that is not there yet: 0, a descriptor for a regular file, or -errno. */
static int make_entry(struct tree *t, const struct entry *en, const char *name)
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
static bool is_same_file(struct tree *t, const struct entry *en, const struct stat *st)
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
static int clear_place(struct tree *t, const struct entry *en, const char *name, bool *ret_was_whiteout,
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
	r = remove_tree(t->parent_fd, name);
	return r < 0 ? err_sys(e, -r, "remove what is there") : 0;
}

static int set_opaque(struct tree *t, const char *name, struct err *e)
{
	const struct xattr opaque = { "trusted.overlay.opaque", "y", 1 };

	return set_xattr(t, -1, name, &opaque, e);
}

/* Makes the entry in the place of whatever is there: 0 or a descriptor. */
static int make_in_place(struct tree *t, const struct entry *en, const char *name, struct err *e)
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

static int put_directory(struct tree *t, const struct entry *en, const char *name, struct err *e)
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

int tree_put(struct tree *t, const struct entry *en, int *ret_fd, struct err *e)
{
	bool is_file = !en->hardlink && S_ISREG(en->mode), is_dir = !en->hardlink && S_ISDIR(en->mode);
	const char *name;
	int r = count_entry(t, is_file ? en->size : 0, e);

	*ret_fd = -1;
	if (r < 0)
		return r;
	if (!*en->path && !is_dir)
		return err_set(e, EINVAL, "the root of the layer must be a directory");
	if (!en->hardlink && S_ISCHR(en->mode) && en->rdev == 0)
		return err_set(e, EINVAL, "the character device 0:0 is kept for whiteouts");
	r = open_parent(t, en->path, &name, e);
	if (r < 0)
		return r;
	if (is_dir)
		return put_directory(t, en, name, e);
	r = make_in_place(t, en, name, e);
	if (r < 0 || en->hardlink)
		return r < 0 ? r : 0;
	if (is_file) {
		*ret_fd = r;
		return 0;
	}
	return set_metadata(t, name, en, e);
}

int tree_whiteout(struct tree *t, const char *path, struct err *e)
{
	const char *name;
	struct stat st;
	int r = count_entry(t, 0, e);

	if (r == 0)
		r = open_parent(t, path, &name, e);
	if (r < 0)
		return r;
	if (mknodat(t->parent_fd, name, S_IFCHR, 0) == 0)
		return 0;
	if (errno != EEXIST || fstatat(t->parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, errno, "make a whiteout");
	/* image-spec, layer.md: a whiteout hides lower layers only, so what this layer brings stays */
	return S_ISDIR(st.st_mode) ? set_opaque(t, name, e) : 0;
}

int tree_opaque(struct tree *t, const char *path, struct err *e)
{
	const struct xattr opaque = { "trusted.overlay.opaque", "y", 1 };
	autoclose int made = -1, fd = -1;
	int r = count_entry(t, 0, e);
	struct stat st, root;

	if (r < 0)
		return r;
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

int tree_finish(struct tree *t, struct err *e)
{
	return times_apply(t->times, t->root_fd, e);
}
