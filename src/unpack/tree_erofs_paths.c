/* tree_erofs_paths.c - an EROFS as it is made: where a path of the layer leads */
#include <errno.h>
#include <string.h>

#include "unpack/limits.h"
#include "unpack/tree_erofs_int.h"

#define LINKS_MAX 40 /* on the way of one path, as in the kernel */

/* --- inodes */

int erofs_read_inode(struct erofs_tree *t, uint32_t slot, struct erofs_inode *ret, struct err *e)
{
	return erofs_meta_read(t->image.meta, (uint64_t)slot * EROFS_SLOT, ret, sizeof(*ret), e);
}

int erofs_add_inode(struct erofs_tree *t, struct erofs_inode *in, const struct erofs_piece *behind,
		    uint32_t *ret_slot, struct err *e)
{
	in->ino = ++t->image.inodes;
	return erofs_inode_add(t->image.meta, in, &t->attrs, behind, ret_slot, e);
}

int erofs_set_directory(struct erofs_tree *t, uint32_t name, const struct entry *en, struct err *e)
{
	struct names_dir *d = names_dir(t->image.names, name);
	struct erofs_inode in;
	uint32_t record;
	int r = erofs_xattrs_fill(en, &t->attrs, e);

	if (r == 0)
		r = erofs_inode_fill(en, &in, e);
	if (r == 0)
		r = erofs_add_inode(t, &in, &(const struct erofs_piece){ 0 }, &record, e);
	if (r < 0)
		return r;
	if (!d)
		return names_set_dir(t->image.names, name, record, e);
	d->record = record;
	return 0;
}

/* --- paths */

int erofs_check_depth(struct erofs_tree *t, uint32_t dir, struct err *e)
{
	int depth = 1;

	for (; dir != NAMES_ROOT; dir = names_parent(t->image.names, dir))
		if (++depth > TREE_DEPTH_MAX)
			return err_set(e, ENAMETOOLONG, "it is deeper than %d directories", TREE_DEPTH_MAX);
	return 0;
}

static int add_directory(struct erofs_tree *t, uint32_t parent, const char *text, size_t len, uint32_t *ret,
			 struct err *e)
{
	const struct entry implicit = { .mode = S_IFDIR | IMPLICIT_MODE };
	int r = erofs_check_depth(t, parent, e);

	if (r == 0)
		r = names_add(t->image.names, parent, text, len, ret, e);
	return r < 0 ? r : erofs_set_directory(t, *ret, &implicit, e);
}

/* What a link leads to must be there. */
static int follow(struct erofs_tree *t, struct erofs_walk *w, uint32_t link, struct err *e)
{
	char target[EROFS_BLOCK];
	struct erofs_inode in;
	uint32_t slot = names_slot(t->image.names, link);
	bool make = w->make;
	int r = ++w->links > LINKS_MAX ? -ELOOP : erofs_read_inode(t, slot, &in, e);

	/* one that lies among the contents is longer than any that leads to a directory */
	if (r == 0 && in.format != EROFS_FORMAT(EROFS_INLINE))
		r = -ENOENT;
	if (r == 0)
		r = erofs_meta_read(t->image.meta,
				    (uint64_t)slot * EROFS_SLOT + sizeof(in) +
					    erofs_xattr_bytes(in.xattr_count),
				    target, (size_t)in.size, e);
	if (r < 0)
		return r;
	if (in.size && *target == '/')
		w->at = NAMES_ROOT;
	w->make = false;
	r = erofs_walk(t, w, target, (size_t)in.size, e);
	w->make = make;
	return r;
}

static int walk_component(struct erofs_tree *t, struct erofs_walk *w, const char *text, size_t len,
			  struct err *e)
{
	uint32_t name;

	if (len == 1 && *text == '.')
		return 0;
	if (len == 2 && !memcmp(text, "..", 2)) {
		w->at = names_parent(t->image.names, w->at);
		return 0;
	}
	name = names_find(t->image.names, w->at, text, len);
	if (name == NAMES_NONE)
		return w->make ? add_directory(t, w->at, text, len, &w->at, e) : -ENOENT;
	if (names_type(t->image.names, name) == EROFS_LNK)
		return follow(t, w, name, e);
	if (names_type(t->image.names, name) != EROFS_DIR)
		return -ENOTDIR;
	w->at = name;
	return 0;
}

int erofs_walk(struct erofs_tree *t, struct erofs_walk *w, const char *path, size_t len, struct err *e)
{
	int r = 0;

	for (size_t i = 0, n; r == 0 && i < len; i += n + 1) {
		const char *slash = memchr(path + i, '/', len - i);

		n = slash ? (size_t)(slash - path) - i : len - i;
		if (n)
			r = walk_component(t, w, path + i, n, e);
	}
	return r;
}

int erofs_find_directory(struct erofs_tree *t, const char *path, size_t len, uint32_t *ret, struct err *e)
{
	struct erofs_walk w = { .at = NAMES_ROOT, .make = true };
	int r = erofs_walk(t, &w, path, len, e);

	if (r == -ENOENT)
		return err_set(e, EINVAL, "its directory is a link to nowhere");
	if (r == -ENOTDIR || r == -ELOOP)
		return err_set(e, EINVAL, "its directory is none");
	*ret = w.at;
	return r;
}

int erofs_find_parent(struct erofs_tree *t, const char *path, uint32_t *ret, const char **ret_name,
		      struct err *e)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	int r = 0;

	*ret_name = slash ? slash + 1 : path;
	if (t->parent_name == NAMES_NONE || strlen(t->parent) != n || memcmp(t->parent, path, n) != 0) {
		t->parent_name = NAMES_NONE;
		r = erofs_find_directory(t, path, n, ret, e);
		if (r < 0)
			return r;
		memcpy(t->parent, path, n);
		t->parent[n] = '\0';
		t->parent_name = *ret;
	}
	*ret = t->parent_name;
	return r;
}

int erofs_find_file(struct erofs_tree *t, const char *path, uint32_t *ret_slot, struct erofs_inode *ret,
		    struct err *e)
{
	const char *slash = strrchr(path, '/'), *last = slash ? slash + 1 : path;
	const struct names *n = t->image.names;
	struct erofs_walk w = { .at = NAMES_ROOT };
	uint32_t name;
	int r = erofs_walk(t, &w, path, slash ? (size_t)(slash - path) : 0, e);

	if (r == 0 || r == -ENOENT || r == -ENOTDIR)
		r = w.links ? -ELOOP : r == 0 ? 0 : -ENOENT;
	if (r < 0)
		return r;
	name = names_find(n, w.at, last, strlen(last));
	if (name == NAMES_NONE || names_type(n, name) != EROFS_REG)
		return name != NAMES_NONE && names_type(n, name) == EROFS_LNK ? -ELOOP : -ENOENT;
	*ret_slot = names_slot(n, name);
	return erofs_read_inode(t, *ret_slot, ret, e);
}
