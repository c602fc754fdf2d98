/* tree_erofs.c - a layer's tree as one EROFS file, made while the layer goes by
 *
 * Contents go into the file as they come, each from a block of its own on; the bytes that do not fill a block lie behind
 * the inode, if they are few.  Inodes go into the metadata area, names stay in memory.  Directories are written at the end
 * (erofs_dirs.c), then the metadata area is copied behind all, then the superblock.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "unpack/tree_erofs_int.h"

static struct erofs_tree *erofs_of(struct tree *t)
{
	return (struct erofs_tree *)t;
}

static int change_links(struct erofs_tree *t, uint32_t slot, int by, struct err *e)
{
	struct erofs_inode in;
	int r = erofs_read_inode(t, slot, &in, e);

	if (r < 0)
		return r;
	in.nlink += (uint32_t)by;
	return erofs_meta_change(t->image.meta, (uint64_t)slot * EROFS_SLOT, &in, sizeof(in), e);
}

/* --- what is in the place of an entry */

static int kill_below(struct erofs_tree *t, uint32_t dir, struct err *e)
{
	const struct names *n = t->image.names;
	int r = 0;

	for (uint32_t i = names_dir(n, dir)->child; r == 0 && i != NAMES_NONE; i = names_next(n, i)) {
		if (names_is_dead(n, i))
			continue;
		r = names_dir(n, i) ? kill_below(t, i, e) : change_links(t, names_slot(n, i), -1, e);
		names_kill(t->image.names, i);
	}
	return r;
}

/* The name stays, for what comes now. */
static int clear_place(struct erofs_tree *t, uint32_t name, struct err *e)
{
	enum erofs_type type = names_type(t->image.names, name);

	if (!type)
		return 0;
	if (type == EROFS_DIR || type == EROFS_LNK)
		t->parent_name = NAMES_NONE;
	return type == EROFS_DIR ? kill_below(t, name, e)
				 : change_links(t, names_slot(t->image.names, name), -1, e);
}

/* The file that a hard link names: *ret is NAMES_NONE where there is none. */
static int find_target(struct erofs_tree *t, const char *path, uint32_t *ret, struct err *e)
{
	const char *slash = strrchr(path, '/'), *last = slash ? slash + 1 : path;
	struct erofs_walk w = { .at = NAMES_ROOT };
	int r = erofs_walk(t, &w, path, slash ? (size_t)(slash - path) : 0, e);

	*ret = NAMES_NONE;
	if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP)
		return 0;
	if (r < 0)
		return r;
	*ret = names_find(t->image.names, w.at, last, strlen(last));
	if (*ret != NAMES_NONE && names_type(t->image.names, *ret) == EROFS_DIR)
		*ret = NAMES_NONE;
	return 0;
}

static int no_target(const struct entry *en, struct err *e)
{
	return err_set(e, EINVAL, "it is a hard link to %.200s, which is no file of this layer",
		       en->hardlink);
}

static int put_hardlink(struct erofs_tree *t, const struct entry *en, uint32_t name, struct err *e)
{
	struct names *n = t->image.names;
	uint32_t target, slot;
	int r = find_target(t, en->hardlink, &target, e);

	if (r < 0)
		return r;
	if (target == NAMES_NONE || !names_type(n, target))
		return no_target(en, e);
	slot = names_slot(n, target);
	/* a link of a file to itself must not remove the file first */
	if (names_type(n, name) && !names_dir(n, name) && names_slot(n, name) == slot)
		return 0;
	r = clear_place(t, name, e);
	if (r == 0 && names_is_dead(n, target))
		return no_target(en, e);
	if (r == 0)
		r = change_links(t, slot, 1, e);
	if (r == 0)
		names_set_file(n, name, names_type(n, target), names_is_whiteout(n, target), slot);
	return r;
}

static int put_directory(struct erofs_tree *t, const struct entry *en, uint32_t name, struct err *e)
{
	bool was_whiteout = names_is_whiteout(t->image.names, name);
	int r = 0;

	if (!names_dir(t->image.names, name)) {
		r = erofs_check_depth(t, names_parent(t->image.names, name), e);
		if (r == 0)
			r = clear_place(t, name, e);
	}
	if (r == 0)
		r = erofs_set_directory(t, name, en, e);
	/* a name that was hidden first and is a directory now shows nothing of the layers below */
	if (r == 0 && was_whiteout)
		names_dir(t->image.names, name)->opaque = true;
	return r;
}

/* A link, a device, a fifo. */
static int put_special(struct erofs_tree *t, const struct entry *en, uint32_t name, struct erofs_inode *in,
		       struct err *e)
{
	size_t n = en->symlink ? strlen(en->symlink) : 0;
	bool fits = n <= EROFS_BLOCK - sizeof(*in);
	uint32_t slot;
	int r = 0;

	in->size = n;
	if (!fits) {
		in->place = (uint32_t)(erofs_out_at(t->image.out) / EROFS_BLOCK);
		r = erofs_out_add(t->image.out, en->symlink, n, e);
		if (r == 0)
			r = erofs_out_align(t->image.out, e);
	}
	if (r == 0)
		r = erofs_add_inode(t, in, &(const struct erofs_piece){ en->symlink, fits ? n : 0 }, &slot,
				    e);
	if (r == 0)
		names_set_file(t->image.names, name, erofs_type_of(en->mode), false, slot);
	return r;
}

/* The blocks of its content begin where the file ends now. */
static void begin_file(struct erofs_tree *t, const struct entry *en, uint32_t name,
		       const struct erofs_inode *in)
{
	struct file *f = &t->file;
	f->name = name;
	f->inode = *in;
	f->inode.size = en->size;
	f->done = 0;
	f->in_blocks = erofs_bytes_in_blocks(en->size);
	f->inode.place = f->in_blocks ? (uint32_t)(erofs_out_at(t->image.out) / EROFS_BLOCK) : 0;
}

static int erofs_put(struct tree *tree, const struct entry *en, struct err *e)
{
	struct erofs_tree *t = erofs_of(tree);
	uint32_t parent, name = NAMES_ROOT;
	struct erofs_inode in;
	const char *text;
	int r;

	if (!*en->path)
		return put_directory(t, en, NAMES_ROOT, e);
	r = erofs_find_parent(t, en->path, &parent, &text, e);
	if (r < 0)
		return r;
	name = names_find(t->image.names, parent, text, strlen(text));
	if (name == NAMES_NONE)
		r = names_add(t->image.names, parent, text, strlen(text), &name, e);
	if (r < 0)
		return r;
	if (en->hardlink)
		return put_hardlink(t, en, name, e);
	if (S_ISDIR(en->mode))
		return put_directory(t, en, name, e);
	r = clear_place(t, name, e);
	if (r == 0)
		r = erofs_inode_fill(en, &in, e);
	if (r == 0)
		r = erofs_xattrs_fill(en, &t->attrs, e);
	if (r == 0 && !S_ISREG(en->mode))
		return put_special(t, en, name, &in, e);
	if (r == 0)
		begin_file(t, en, name, &in);
	return r;
}

/* --- contents */

/* Nothing comes between an inode and the content of its file: so it is known where it will go. */
static void erofs_place(const struct tree *tree, const struct entry *en, struct content_place *ret)
{
	const struct erofs_tree *t = (const struct erofs_tree *)tree;
	size_t head = sizeof(struct erofs_inode) + t->attrs.len;
	size_t tail = (size_t)(en->size - t->file.in_blocks);

	*ret = (struct content_place){ .size = en->size,
				       .block = erofs_out_at(t->image.out) / EROFS_BLOCK,
				       .tail = erofs_meta_place(erofs_meta_at(t->image.meta), head, tail) +
					       head };
}

/* NULL: zeros. */
static int add_content(struct erofs_tree *t, const char *data, uint64_t n, struct err *e)
{
	struct file *f = &t->file;
	uint64_t room = f->in_blocks > f->done ? f->in_blocks - f->done : 0, part = n < room ? n : room;
	int r = part ? erofs_out_add(t->image.out, data, part, e) : 0;

	f->done += part;
	if (n > part) {
		char *to = f->tail + (f->done - f->in_blocks);

		if (data)
			memcpy(to, data + part, (size_t)(n - part));
		else
			memset(to, 0, (size_t)(n - part));
		f->done += n - part;
	}
	return r;
}

static int erofs_write(struct tree *tree, const void *data, size_t n, uint64_t offset, struct err *e)
{
	struct erofs_tree *t = erofs_of(tree);
	int r = add_content(t, NULL, offset - t->file.done, e);

	return r < 0 ? r : add_content(t, data, n, e);
}

static int erofs_end_file(struct tree *tree, const struct entry *en, struct err *e)
{
	struct erofs_tree *t = erofs_of(tree);
	struct file *f = &t->file;
	uint32_t slot;
	int r = add_content(t, NULL, en->size - f->done, e);

	if (r == 0)
		r = erofs_out_align(t->image.out, e);
	if (r == 0)
		r = erofs_add_inode(t, &f->inode,
				    &(const struct erofs_piece){ f->tail, (size_t)(en->size - f->in_blocks) },
				    &slot, e);
	if (r == 0)
		names_set_file(t->image.names, f->name, EROFS_REG, false, slot);
	return r;
}

/* --- deletions */

static int erofs_whiteout(struct tree *tree, const char *path, struct err *e)
{
	struct erofs_tree *t = erofs_of(tree);
	struct erofs_inode in = { .mode = S_IFCHR, .nlink = 1 };
	uint32_t parent, name, slot;
	struct names_dir *d;
	const char *text;
	int r = erofs_find_parent(t, path, &parent, &text, e);

	if (r < 0)
		return r;
	name = names_find(t->image.names, parent, text, strlen(text));
	if (name != NAMES_NONE) {
		/* image-spec, layer.md: a whiteout hides lower layers only, so what this layer brings stays */
		d = names_dir(t->image.names, name);
		if (d)
			d->opaque = true;
		return 0;
	}
	t->attrs.len = 0;
	r = names_add(t->image.names, parent, text, strlen(text), &name, e);
	if (r == 0)
		r = erofs_add_inode(t, &in, &(const struct erofs_piece){ 0 }, &slot, e);
	if (r == 0)
		names_set_file(t->image.names, name, EROFS_CHR, true, slot);
	return r;
}

static int erofs_opaque(struct tree *tree, const char *path, struct err *e)
{
	struct erofs_tree *t = erofs_of(tree);
	uint32_t dir;
	int r = erofs_find_directory(t, path, strlen(path), &dir, e);

	if (r < 0)
		return r;
	/* overlayfs looks at no mark on the root of a layer: what should be hidden would be seen */
	if (dir == NAMES_ROOT)
		return err_set(e, EOPNOTSUPP, "a layer that hides all layers below it is not supported");
	names_dir(t->image.names, dir)->opaque = true;
	return 0;
}

/* --- the whole */

static int erofs_finish(struct tree *tree, struct err *e)
{
	struct erofs_tree *t = erofs_of(tree);

	return erofs_image_finish(&t->image, t->verity, e);
}

static int copy_blocks(int from, uint64_t at, uint64_t n, int to_fd, struct err *e)
{
	char data[64 << 10];
	int r = 0;

	while (r == 0 && n) {
		ssize_t k = pread(from, data, n < sizeof(data) ? (size_t)n : sizeof(data), (off_t)at);

		if (k <= 0)
			return err_sys(e, k < 0 ? errno : EIO, "read a file of the layer");
		r = write_full(to_fd, data, (size_t)k);
		at += (uint64_t)k;
		n -= (uint64_t)k;
	}
	return r < 0 ? err_sys(e, -r, "copy a file of the layer") : 0;
}

static int erofs_copy_file(struct tree *tree, const char *path, uint64_t max, int to_fd, uint64_t *ret_bytes,
			   struct err *e)
{
	struct erofs_tree *t = erofs_of(tree);
	char tail[EROFS_TAIL_MAX];
	struct erofs_inode in;
	uint64_t in_blocks;
	uint32_t slot;
	int r = erofs_find_file(t, path, &slot, &in, e);

	if (r < 0)
		return r;
	if (in.size > max)
		return -EFBIG;
	in_blocks = erofs_bytes_in_blocks(in.size);
	r = copy_blocks(t->fd, (uint64_t)in.place * EROFS_BLOCK, in_blocks, to_fd, e);
	if (r == 0)
		r = erofs_meta_read(t->image.meta,
				    (uint64_t)slot * EROFS_SLOT + sizeof(in) +
					    erofs_xattr_bytes(in.xattr_count),
				    tail, (size_t)(in.size - in_blocks), e);
	if (r == 0 && in.size > in_blocks) {
		r = write_full(to_fd, tail, (size_t)(in.size - in_blocks));
		r = r < 0 ? err_sys(e, -r, "copy a file of the layer") : 0;
	}
	if (r == 0)
		*ret_bytes = in.size;
	return r;
}

static const uint8_t *erofs_verity(const struct tree *tree)
{
	return ((const struct erofs_tree *)tree)->verity;
}

static void erofs_close(struct tree *tree)
{
	struct erofs_tree *t = erofs_of(tree);

	erofs_image_done(&t->image);
	buf_done(&t->attrs);
	free(t);
}

int tree_open_erofs(int fd, int scratch_fd, struct tree **ret, struct err *e)
{
	static const struct tree_ops ops = { erofs_put,	     erofs_place,  erofs_write,	 erofs_end_file,
					     erofs_whiteout, erofs_opaque, erofs_finish, erofs_copy_file,
					     erofs_verity,   erofs_close };
	const struct entry root = { .mode = S_IFDIR | IMPLICIT_MODE };
	struct erofs_tree *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return err_set(e, ENOMEM, "out of memory");
	t->tree.ops = &ops;
	t->parent_name = NAMES_NONE;
	t->fd = fd;
	r = erofs_image_init(&t->image, fd, scratch_fd, e);
	if (r == 0)
		r = erofs_set_directory(t, NAMES_ROOT, &root, e);
	if (r < 0) {
		erofs_close(&t->tree);
		return r;
	}
	*ret = &t->tree;
	return 0;
}
