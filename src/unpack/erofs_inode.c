/* erofs_inode.c - what is told about a file, as EROFS keeps it */
#include "unpack/erofs_inode.h"

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/auto.h"
#include "unpack/acl.h"
#include "unpack/tree.h"

#define NS_MAX	  999999999L
#define MAJOR_MAX 0xfff
#define MINOR_MAX 0xfffff
#define COUNT_MAX 65535

/* As the kernel's new_encode_dev. */
static uint32_t encode_device(dev_t d)
{
	unsigned a = major(d), b = minor(d);

	return (b & 0xff) | a << 8 | (b & ~0xffU) << 12;
}

int erofs_inode_fill(const struct entry *en, struct erofs_inode *ret, struct err *e)
{
	bool is_device = S_ISCHR(en->mode) || S_ISBLK(en->mode);

	if (en->mtime.tv_nsec < 0 || en->mtime.tv_nsec > NS_MAX)
		return err_set(e, EINVAL, "its time is out of range");
	if (is_device && (major(en->rdev) > MAJOR_MAX || minor(en->rdev) > MINOR_MAX))
		return err_set(e, EINVAL, "its device number is out of range");
	*ret = (struct erofs_inode){ .mode = (uint16_t)en->mode,
				     .place = is_device ? encode_device(en->rdev) : 0,
				     .uid = en->uid,
				     .gid = en->gid,
				     .mtime = en->mtime.tv_sec,
				     .mtime_ns = (uint32_t)en->mtime.tv_nsec,
				     .nlink = 1 };
	return 0;
}

enum erofs_type erofs_type_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return EROFS_REG;
	case S_IFDIR:
		return EROFS_DIR;
	case S_IFLNK:
		return EROFS_LNK;
	case S_IFCHR:
		return EROFS_CHR;
	case S_IFBLK:
		return EROFS_BLK;
	default:
		return EROFS_FIFO;
	}
}

/* --- attributes */

/* Splits a name as EROFS does: a number for what it begins with, 0: none fits. */
static uint8_t prefix_of(const char *name, const char **ret_rest)
{
	static const struct {
		const char *text;
		uint8_t number;
	} prefixes[] = {
		{ "user.", 1 }, { ACL_ACCESS, 2 }, { ACL_DEFAULT, 3 }, { "trusted.", 4 }, { "security.", 6 }
	};

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		size_t n = strlen(prefixes[i].text);
		bool whole = prefixes[i].text[n - 1] != '.';

		*ret_rest = name + n;
		if (!strncmp(name, prefixes[i].text, n) && whole == !name[n])
			return prefixes[i].number;
	}
	return 0;
}

int erofs_xattrs_add(const struct xattr *x, struct buf *to, struct err *e)
{
	static const struct erofs_xattr_header header;
	static const char zeros[4];
	struct erofs_xattr head = { .value_size = (uint16_t)x->n };
	const char *rest;
	size_t len;

	head.prefix = prefix_of(x->name, &rest);
	if (!head.prefix)
		return err_set(e, EOPNOTSUPP, "a layer cannot keep the attribute %.80s", x->name);
	if (x->n > UINT16_MAX)
		return err_set(e, E2BIG, "too many or too large attributes");
	len = strlen(rest);
	head.name_len = (uint8_t)len; /* PATH_NAME_MAX is the limit of the whole */
	if (!to->len)
		buf_add(to, &header, sizeof(header));
	buf_add(to, &head, sizeof(head));
	buf_add(to, rest, len);
	buf_add(to, x->value, x->n);
	buf_add(to, zeros, -(len + x->n) % sizeof(zeros));
	return buf_ok(to) ? 0 : err_set(e, ENOMEM, "out of memory");
}

/* Named again later? */
static bool is_last(const struct entry *en, size_t i)
{
	for (size_t k = i + 1; k < en->n_xattrs; k++)
		if (!strcmp(en->xattrs[k].name, en->xattrs[i].name))
			return false;
	return true;
}

int erofs_xattrs_fill(const struct entry *en, struct buf *ret, struct err *e)
{
	int r = 0;

	ret->len = 0;
	for (size_t i = 0; r == 0 && i < en->n_xattrs; i++) {
		const struct xattr *x = &en->xattrs[i];

		if (!tree_keeps_xattr(x->name) || !is_last(en, i))
			continue;
		r = acl_check(x, en->mode, e);
		if (r == 0)
			r = erofs_xattrs_add(x, ret, e);
	}
	if (r == 0 && ret->len > erofs_xattr_bytes(COUNT_MAX))
		r = err_set(e, E2BIG, "too many or too large attributes");
	return r;
}

/* --- inodes */

void erofs_inode_close(struct erofs_inode *in, const struct buf *attrs, bool is_inline)
{
	in->format = EROFS_FORMAT(is_inline ? EROFS_INLINE : EROFS_PLAIN);
	in->xattr_count =
		attrs->len ? (uint16_t)((attrs->len - sizeof(struct erofs_xattr_header)) / 4 + 1) : 0;
}

int erofs_inode_add(struct erofs_meta *m, struct erofs_inode *in, const struct buf *attrs,
		    const struct erofs_piece *behind, uint32_t *ret_slot, struct err *e)
{
	uint64_t at = erofs_meta_place(erofs_meta_at(m), sizeof(*in) + attrs->len, behind->n);
	int r;

	erofs_inode_close(in, attrs, behind->n > 0);
	*ret_slot = (uint32_t)(at / EROFS_SLOT);
	r = erofs_meta_add(m, at, in, sizeof(*in), e);
	if (r == 0 && attrs->len)
		r = erofs_meta_add(m, erofs_meta_at(m), attrs->data, attrs->len, e);
	if (r == 0 && behind->n)
		r = erofs_meta_add(m, erofs_meta_at(m), behind->data, behind->n, e);
	return r;
}
