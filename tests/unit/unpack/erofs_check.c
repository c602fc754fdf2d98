/* erofs_check.c - is this an EROFS as ours must be?
 *
 * From the root down: every offset within the file, every name in order and once, each type that of its inode, ".." the way
 * back, as many links as names, and every directory reached once.
 */
#include "erofs_check.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/crc32c.h"
#include "unpack/erofs_format.h"

#define REQUIRE(ok, rule)                                                                                    \
	do {                                                                                                 \
		if (!(ok))                                                                                   \
			return rule;                                                                         \
	} while (0)

struct seen {
	uint64_t nid;
	uint32_t names, links;
	bool dir;
};

struct check {
	const unsigned char *file;
	size_t n;
	uint64_t meta;
	struct seen *seen;
	size_t n_seen, room;
};

static const void *at(const struct check *c, uint64_t offset, uint64_t n)
{
	return offset <= c->n && n <= c->n - offset ? c->file + offset : NULL;
}

/* An inode, its attributes, and where its data is: block by block. */
struct node {
	struct erofs_inode in;
	uint64_t behind; /* the end of its attributes */
};

static const char *check_xattrs(const struct check *c, uint64_t from, uint32_t n)
{
	const struct erofs_xattr_header *head = at(c, from, n);
	uint32_t i = sizeof(*head);

	REQUIRE(head, "attributes behind the end");
	REQUIRE(n >= sizeof(*head) && !head->shared_count, "bad head of attributes");
	while (i < n) {
		struct erofs_xattr x;

		REQUIRE(n - i >= sizeof(x), "an attribute is cut");
		memcpy(&x, c->file + from + i, sizeof(x));
		REQUIRE(x.prefix >= 1 && x.prefix <= 6 && x.prefix != 5, "unknown prefix of an attribute");
		REQUIRE(!x.name_len == (x.prefix == 2 || x.prefix == 3), "bad name of an attribute");
		i += (uint32_t)(sizeof(x) + x.name_len + x.value_size + 3) & ~3U;
		REQUIRE(i <= n, "an attribute is too long");
	}
	return NULL;
}

static const char *read_node(const struct check *c, uint64_t nid, struct node *ret)
{
	uint64_t offset = c->meta + nid * EROFS_SLOT;
	const void *p = nid < UINT32_MAX ? at(c, offset, sizeof(ret->in)) : NULL;
	uint32_t attrs, layout;

	REQUIRE(p, "an inode behind the end");
	memcpy(&ret->in, p, sizeof(ret->in));
	REQUIRE(offset % EROFS_BLOCK + sizeof(ret->in) <= EROFS_BLOCK, "an inode across two blocks");
	layout = ret->in.format >> 1;
	REQUIRE((ret->in.format & 1) && (layout == EROFS_PLAIN || layout == EROFS_INLINE), "bad format");
	REQUIRE(ret->in.mtime_ns < 1000000000, "bad time");
	attrs = erofs_xattr_bytes(ret->in.xattr_count);
	ret->behind = offset + sizeof(ret->in) + attrs;
	return attrs ? check_xattrs(c, offset + sizeof(ret->in), attrs) : NULL;
}

/* The data of block i of it, *ret_n bytes. */
static const char *read_block(const struct check *c, const struct node *nd, uint64_t i,
			      const unsigned char **ret, size_t *ret_n)
{
	uint64_t left = nd->in.size - i * EROFS_BLOCK;
	bool tail = nd->in.format >> 1 == EROFS_INLINE && left < EROFS_BLOCK;
	uint64_t offset = tail ? nd->behind : ((uint64_t)nd->in.place + i) * EROFS_BLOCK;

	*ret_n = left < EROFS_BLOCK ? (size_t)left : EROFS_BLOCK;
	*ret = at(c, offset, *ret_n);
	REQUIRE(*ret, "data behind the end");
	REQUIRE(!tail || offset % EROFS_BLOCK + *ret_n <= EROFS_BLOCK, "inline data across two blocks");
	REQUIRE(tail || (offset >= EROFS_BLOCK && offset + *ret_n <= c->meta), "data outside the data area");
	return NULL;
}

static const char *check_data(const struct check *c, const struct node *nd)
{
	const unsigned char *data;
	const char *rule = NULL;
	size_t n;

	for (uint64_t i = 0; !rule && i * EROFS_BLOCK < nd->in.size; i++)
		rule = read_block(c, nd, i, &data, &n);
	return rule;
}

static bool type_fits(unsigned mode, unsigned type)
{
	static const struct {
		unsigned mode, type;
	} pairs[] = { { S_IFREG, EROFS_REG }, { S_IFDIR, EROFS_DIR },  { S_IFCHR, EROFS_CHR },
		      { S_IFBLK, EROFS_BLK }, { S_IFIFO, EROFS_FIFO }, { S_IFLNK, EROFS_LNK } };

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		if (pairs[i].mode == (mode & S_IFMT))
			return pairs[i].type == type;
	return false;
}

static struct seen *note(struct check *c, uint64_t nid)
{
	for (size_t i = 0; i < c->n_seen; i++)
		if (c->seen[i].nid == nid)
			return &c->seen[i];
	if (c->n_seen == c->room) {
		c->room = c->room * 2 + 64;
		c->seen = realloc(c->seen, c->room * sizeof(*c->seen));
		if (!c->seen)
			abort();
	}
	c->seen[c->n_seen] = (struct seen){ .nid = nid };
	return &c->seen[c->n_seen++];
}

static const char *check_dir(struct check *c, uint64_t nid, uint64_t parent, const struct node *nd);

static const char *check_file(struct check *c, uint64_t nid, uint64_t parent, unsigned type)
{
	struct node nd;
	const char *rule = read_node(c, nid, &nd);
	struct seen *s;

	if (rule)
		return rule;
	REQUIRE(type_fits(nd.in.mode, type), "a type that is not that of the inode");
	s = note(c, nid);
	s->names++;
	s->links = nd.in.nlink;
	s->dir = type == EROFS_DIR;
	REQUIRE(!s->dir || s->names == 1, "a directory has two names");
	if (type == EROFS_DIR)
		return check_dir(c, nid, parent, &nd);
	if (type != EROFS_REG && type != EROFS_LNK)
		return nd.in.size ? "a device with data" : NULL;
	REQUIRE(type != EROFS_LNK || (nd.in.size && nd.in.size < EROFS_BLOCK), "a link of a bad length");
	return check_data(c, &nd);
}

/* The name before, over all blocks. */
struct last {
	char name[256];
	size_t n;
	unsigned dots;
};

static const char *check_entry(struct check *c, uint64_t nid, uint64_t parent, const struct erofs_dirent *de,
			       const char *name, size_t n, struct last *last, uint32_t *subdirs)
{
	size_t common = n < last->n ? n : last->n;
	int order = memcmp(last->name, name, common);

	REQUIRE(n && n < sizeof(last->name) && !memchr(name, 0, n) && !memchr(name, '/', n), "a bad name");
	REQUIRE(order < 0 || (order == 0 && last->n < n), "names out of order");
	memcpy(last->name, name, n);
	last->n = n;
	if (n <= 2 && !memcmp(name, "..", n)) {
		last->dots++;
		return de->nid == (n == 1 ? nid : parent) && de->type == EROFS_DIR ? NULL
										   : "a dot leads astray";
	}
	*subdirs += de->type == EROFS_DIR;
	return check_file(c, de->nid, nid, de->type);
}

static const char *check_dir_block(struct check *c, uint64_t nid, uint64_t parent, const unsigned char *data,
				   size_t n, struct last *last, uint32_t *subdirs)
{
	struct erofs_dirent first, de, next;
	const char *rule = NULL;
	size_t count;

	REQUIRE(n >= sizeof(first), "a directory block is cut");
	memcpy(&first, data, sizeof(first));
	count = first.name_offset / sizeof(first);
	REQUIRE(count && first.name_offset % sizeof(first) == 0 && first.name_offset < n,
		"a bad first entry");
	for (size_t i = 0; !rule && i < count; i++) {
		size_t end = n;

		memcpy(&de, data + i * sizeof(de), sizeof(de));
		if (i + 1 < count) {
			memcpy(&next, data + (i + 1) * sizeof(next), sizeof(next));
			end = next.name_offset;
		} else if (de.name_offset < n) {
			end = de.name_offset +
			      strnlen((const char *)data + de.name_offset, n - de.name_offset);
		}
		REQUIRE(de.name_offset < end && end <= n, "a bad place of a name");
		rule = check_entry(c, nid, parent, &de, (const char *)data + de.name_offset,
				   end - de.name_offset, last, subdirs);
	}
	return rule;
}

static const char *check_dir(struct check *c, uint64_t nid, uint64_t parent, const struct node *nd)
{
	struct last last = { .n = 0 };
	const unsigned char *data;
	const char *rule = NULL;
	uint32_t subdirs = 0;
	size_t n;

	for (uint64_t i = 0; !rule && i * EROFS_BLOCK < nd->in.size; i++) {
		rule = read_block(c, nd, i, &data, &n);
		if (!rule)
			rule = check_dir_block(c, nid, parent, data, n, &last, &subdirs);
	}
	if (rule)
		return rule;
	REQUIRE(last.dots == 2, "a directory without its dots");
	REQUIRE(nd->in.nlink == 2 + subdirs, "a directory with wrong links");
	return NULL;
}

static const char *check_all(struct check *c)
{
	unsigned char *first;
	struct erofs_super s;
	const char *rule;
	uint32_t sum;

	REQUIRE(c->n >= EROFS_BLOCK && c->n % EROFS_BLOCK == 0, "not whole blocks");
	memcpy(&s, c->file + EROFS_SUPER_OFFSET, sizeof(s));
	REQUIRE(s.magic == EROFS_MAGIC && s.block_bits == EROFS_BLOCK_BITS && !s.feature_incompat,
		"bad superblock");
	REQUIRE((uint64_t)s.blocks * EROFS_BLOCK == c->n, "wrong number of blocks");
	first = malloc(EROFS_BLOCK);
	if (!first)
		abort();
	memcpy(first, c->file, EROFS_BLOCK);
	memset(first + EROFS_SUPER_OFFSET + 4, 0, 4);
	sum = crc32c(~0U, first + EROFS_SUPER_OFFSET, EROFS_BLOCK - EROFS_SUPER_OFFSET);
	free(first);
	REQUIRE(s.checksum == sum, "wrong checksum");
	c->meta = (uint64_t)s.meta_block * EROFS_BLOCK;
	rule = check_file(c, s.root_nid, s.root_nid, EROFS_DIR);
	for (size_t i = 0; !rule && i < c->n_seen; i++)
		if (!c->seen[i].dir && c->seen[i].names != c->seen[i].links)
			rule = "a file with wrong links";
	return rule;
}

const char *erofs_check(const unsigned char *file, size_t n)
{
	struct check c = { .file = file, .n = n };
	const char *rule = check_all(&c);

	free(c.seen);
	return rule;
}
