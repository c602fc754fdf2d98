/* erofs_dirs.c - the end of an EROFS: directories, metadata, superblock
 *
 * A directory names its parent and its children by number, and a number is a place: so first every directory gets its
 * place, which follows from its names alone, and then all are written.  The root has its own, in the first block.
 */
#include "unpack/erofs_dirs.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/crc32c.h"
#include "unpack/tree_int.h"

#define ROOT_SLOT  2 /* a number that is not 0; its block is the first, for it must be below 65536 */
#define INLINE_MAX 3072 /* of a directory */

int erofs_image_init(struct erofs_image *im, int fd, int scratch_fd, struct err *e)
{
	static const char zeros[EROFS_BLOCK];
	int r = names_open(&im->names, e);

	if (r == 0)
		r = erofs_meta_open(scratch_fd, &im->meta, e);
	if (r == 0)
		r = erofs_out_open(fd, &im->out, e);
	return r < 0 ? r : erofs_meta_add(im->meta, 0, zeros, sizeof(zeros), e);
}

void erofs_image_done(struct erofs_image *im)
{
	names_close(im->names);
	erofs_meta_close(im->meta);
	erofs_out_close(im->out);
}

/* --- the entries of a directory, in order; "." and ".." are among them */

struct cursor {
	const struct erofs_image *im;
	const struct names_dir *dir;
	uint32_t child;
	int dots; /* how many of the two are done */
};

struct item {
	const char *text;
	size_t len;
	uint32_t name;
};

static bool next_item(struct cursor *c, struct item *ret)
{
	const struct names *n = c->im->names;
	bool more = c->child != NAMES_NONE;

	if (more) {
		ret->name = c->child;
		ret->len = names_text(n, c->child, &ret->text);
	}
	if (c->dots < 2 && (!more || names_compare("..", (size_t)c->dots + 1, ret->text, ret->len) < 0)) {
		ret->text = "..";
		ret->len = (size_t)++c->dots;
		ret->name = c->dots == 1 ? c->dir->name : names_parent(n, c->dir->name);
		return true;
	}
	if (more)
		c->child = names_next(n, c->child);
	return more;
}

static struct cursor first_item(const struct erofs_image *im, const struct names_dir *d)
{
	return (struct cursor){ .im = im, .dir = d, .child = d->child };
}

/* How many of the items from here on fill a block, and their bytes; 0: there are none. */
static size_t fit_block(struct cursor *c, size_t *ret_bytes)
{
	struct cursor ahead = *c;
	struct item it;
	size_t n = 0;

	*ret_bytes = 0;
	while (next_item(&ahead, &it) && *ret_bytes + sizeof(struct erofs_dirent) + it.len <= EROFS_BLOCK) {
		*ret_bytes += sizeof(struct erofs_dirent) + it.len;
		*c = ahead;
		n++;
	}
	return n;
}

static uint64_t measure(const struct erofs_image *im, const struct names_dir *d)
{
	struct cursor c = first_item(im, d);
	uint64_t bytes = 0;
	size_t last;

	while (fit_block(&c, &last)) {
		bytes = (bytes + EROFS_BLOCK - 1) / EROFS_BLOCK * EROFS_BLOCK;
		bytes += last;
	}
	return bytes;
}

static uint32_t count_subdirs(const struct names *n, const struct names_dir *d)
{
	uint32_t count = 0;

	for (uint32_t i = d->child; i != NAMES_NONE; i = names_next(n, i))
		count += names_type(n, i) == EROFS_DIR;
	return count;
}

/* n items, which fit_block has counted. */
static void print_block(struct cursor *c, size_t n, char block[EROFS_BLOCK])
{
	const struct names *names = c->im->names;
	size_t at = n * sizeof(struct erofs_dirent);
	struct item it;

	memset(block, 0, EROFS_BLOCK);
	for (size_t i = 0; i < n && next_item(c, &it); i++) {
		const struct erofs_dirent de = { .nid = names_slot(names, it.name),
						 .name_offset = (uint16_t)at,
						 .type = (uint8_t)names_type(names, it.name) };

		memcpy(block + i * sizeof(de), &de, sizeof(de));
		memcpy(block + at, it.text, it.len);
		at += it.len;
	}
}

/* --- directories */

/* A directory with its inode and attributes, read back from its record. */
struct directory {
	struct names_dir *d;
	struct erofs_inode inode;
	struct buf attrs;
	uint64_t bytes;
	bool is_inline;
};

static int read_record(struct erofs_image *im, struct directory *dir, struct err *e)
{
	uint64_t at = (uint64_t)dir->d->record * EROFS_SLOT;
	int r = erofs_meta_read(im->meta, at, &dir->inode, sizeof(dir->inode), e);
	size_t n = r < 0 ? 0 : erofs_xattr_bytes(dir->inode.xattr_count);
	char *room;

	dir->attrs.len = 0;
	if (r < 0)
		return r;
	room = buf_room(&dir->attrs, n + 1);
	if (!room)
		return err_set(e, ENOMEM, "out of memory");
	r = n ? erofs_meta_read(im->meta, at + sizeof(dir->inode), room, n, e) : 0;
	dir->attrs.len = n;
	if (r == 0 && dir->d->opaque)
		r = erofs_xattrs_add(&(const struct xattr){ OVERLAY_OPAQUE, "y", 1 }, &dir->attrs, e);
	dir->bytes = measure(im, dir->d);
	dir->is_inline = dir->bytes <= INLINE_MAX;
	dir->inode.size = dir->bytes;
	dir->inode.nlink = 2 + count_subdirs(im->names, dir->d);
	return r;
}

static size_t inode_bytes(const struct directory *dir)
{
	return sizeof(dir->inode) + dir->attrs.len;
}

static int place_root(struct directory *dir, struct err *e)
{
	size_t at = ROOT_SLOT * EROFS_SLOT + inode_bytes(dir);

	if (at > EROFS_BLOCK)
		return err_set(e, E2BIG, "/: too many or too large attributes");
	dir->is_inline = dir->is_inline && at + dir->bytes <= EROFS_BLOCK;
	dir->d->slot = ROOT_SLOT;
	return 0;
}

/* Gives every directory its place; `end` of the metadata area goes on as it will when they are written. */
static int place_all(struct erofs_image *im, struct directory *dir, struct err *e)
{
	uint64_t end = erofs_meta_at(im->meta);
	uint32_t at = 0;
	int r = 0;

	while (r == 0 && (dir->d = names_dir_at(im->names, &at))) {
		names_sort(im->names, dir->d);
		r = read_record(im, dir, e);
		if (r == 0 && dir->d->name == NAMES_ROOT) {
			r = place_root(dir, e);
		} else if (r == 0) {
			end = erofs_meta_place(end, inode_bytes(dir),
					       dir->is_inline ? (size_t)dir->bytes : 0);
			dir->d->slot = (uint32_t)(end / EROFS_SLOT);
			end += inode_bytes(dir) + (dir->is_inline ? dir->bytes : 0);
			if (end > EROFS_META_MAX)
				r = err_set(e, EFBIG, "the names and attributes of the layer are too large");
		}
	}
	return r;
}

/* The blocks of a directory that is too large to lie behind its inode. */
static int write_blocks(struct erofs_image *im, struct directory *dir, struct err *e)
{
	struct cursor c = first_item(im, dir->d), ahead = c;
	char block[EROFS_BLOCK];
	size_t n, bytes;
	int r = 0;

	dir->inode.place = (uint32_t)(erofs_out_at(im->out) / EROFS_BLOCK);
	while (r == 0 && (n = fit_block(&ahead, &bytes)) > 0) {
		print_block(&c, n, block);
		r = erofs_out_add(im->out, block, EROFS_BLOCK, e);
	}
	return r;
}

/* Inode, attributes and, inline, the entries: at its place, which is the end, or the root's. */
static int put_directory(struct erofs_image *im, struct directory *dir, struct err *e)
{
	struct cursor c = first_item(im, dir->d), ahead = c;
	uint64_t at = (uint64_t)dir->d->slot * EROFS_SLOT;
	int (*put)(struct erofs_meta *, uint64_t, const void *, size_t, struct err *) =
		dir->d->slot == ROOT_SLOT ? erofs_meta_change : erofs_meta_add;
	char block[EROFS_BLOCK];
	size_t n, bytes;
	int r;

	erofs_inode_close(&dir->inode, &dir->attrs, dir->is_inline);
	r = put(im->meta, at, &dir->inode, sizeof(dir->inode), e);
	at += sizeof(dir->inode);
	if (r == 0 && dir->attrs.len)
		r = put(im->meta, at, dir->attrs.data, dir->attrs.len, e);
	if (r < 0 || !dir->is_inline)
		return r;
	n = fit_block(&ahead, &bytes);
	print_block(&c, n, block);
	return put(im->meta, at + dir->attrs.len, block, bytes, e);
}

static int write_all(struct erofs_image *im, struct directory *dir, struct err *e)
{
	uint32_t at = 0;
	int r = 0;

	while (r == 0 && (dir->d = names_dir_at(im->names, &at))) {
		r = read_record(im, dir, e);
		if (r == 0 && dir->d->name == NAMES_ROOT)
			r = place_root(dir, e);
		if (r == 0 && !dir->is_inline)
			r = write_blocks(im, dir, e);
		if (r == 0)
			r = put_directory(im, dir, e);
	}
	return r;
}

/* --- the superblock */

static int write_super(struct erofs_image *im, uint32_t meta_block, uint8_t ret_verity[SHA256_BYTES],
		       struct err *e)
{
	char block[EROFS_BLOCK] = { 0 };
	struct erofs_super s = { .magic = EROFS_MAGIC,
				 .feature_compat = EROFS_COMPAT_CHECKSUM,
				 .block_bits = EROFS_BLOCK_BITS,
				 .root_nid = ROOT_SLOT,
				 .inodes = im->inodes,
				 .blocks = (uint32_t)(erofs_out_at(im->out) / EROFS_BLOCK),
				 .meta_block = meta_block,
				 .volume_name = "ketch" };

	memcpy(block + EROFS_SUPER_OFFSET, &s, sizeof(s));
	s.checksum = crc32c(~0U, block + EROFS_SUPER_OFFSET, EROFS_BLOCK - EROFS_SUPER_OFFSET);
	memcpy(block + EROFS_SUPER_OFFSET, &s, sizeof(s));
	return erofs_out_end(im->out, block, ret_verity, e);
}

int erofs_image_finish(struct erofs_image *im, uint8_t ret_verity[SHA256_BYTES], struct err *e)
{
	struct directory dir = { 0 };
	uint64_t meta;
	int r = place_all(im, &dir, e);

	if (r == 0)
		r = write_all(im, &dir, e);
	buf_done(&dir.attrs);
	if (r < 0)
		return r;
	meta = erofs_out_at(im->out) / EROFS_BLOCK;
	if (meta > UINT32_MAX - EROFS_META_MAX / EROFS_BLOCK)
		return err_set(e, EFBIG, "the layer is too large for EROFS");
	r = erofs_meta_copy(im->meta, im->out, e);
	return r < 0 ? r : write_super(im, (uint32_t)meta, ret_verity, e);
}
