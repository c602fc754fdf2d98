/* tar.c - a tar stream (ustar, PAX, GNU; libarchive) as the entries of a layer
 *
 * Any warning of libarchive is an error here, two readers of one archive must not come to different trees, but one:
 * names are bytes, and those that are no UTF-8 (GNU tar writes them into pax headers as they are) it gives unchanged.
 */
#include "unpack/tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "unpack/limits.h"

#define WHITEOUT	".wh." /* image-spec, layer.md */
#define WHITEOUT_OPAQUE ".wh..wh..opq"
#define WHITEOUT_META	".wh..wh." /* of AUFS: says nothing about the tree */
#define END_BYTES	512 /* of the two blocks of zeros one is enough, as for GNU tar */

struct reader {
	struct source *source;
	const struct tar_into *into;
	struct archive *archive;
	struct err source_err;
	bool begun; /* there was a first byte */
	bool at_end; /* of the entries: nothing that comes is content */
	size_t zeros; /* at the end of what was read so far, at most END_BYTES counted */
};

/* What archive_entry_* gave, in the form that the tree takes. */
struct tar_entry {
	struct entry entry;
	char path[PATH_BYTES_MAX + 1], hardlink[PATH_BYTES_MAX + 1];
	struct xattr xattrs[XATTR_COUNT_MAX];
};

static void free_archive(struct archive **a)
{
	archive_read_free(*a);
}

/* --- input */

static void count_zeros(struct reader *rd, const unsigned char *data, size_t n)
{
	size_t zeros = 0;

	while (zeros < n && zeros < END_BYTES && !data[n - zeros - 1])
		zeros++;
	rd->zeros = zeros == n ? rd->zeros + zeros : zeros;
}

/* archive_filter_bytes: what libarchive has used up of the tar */
static ssize_t next_piece(struct reader *rd, const void **ret, struct err *e)
{
	struct skeleton *sk = rd->into->skeleton;
	uint64_t used = rd->at_end ? UINT64_MAX : (uint64_t)archive_filter_bytes(rd->archive, 0);
	int r = sk ? skeleton_before(sk, used, e) : 0;
	ssize_t n = r < 0 ? r : source_read(rd->source, ret, e);

	if (n <= 0)
		return n;
	rd->begun = true;
	count_zeros(rd, *ret, (size_t)n);
	if (sk)
		skeleton_piece(sk, *ret, (size_t)n);
	return n;
}

static ssize_t read_piece(struct archive *a, void *arg, const void **ret)
{
	struct reader *rd = arg;
	ssize_t n = next_piece(rd, ret, &rd->source_err);

	if (n < 0)
		archive_set_error(a, (int)-n, "%s", rd->source_err.msg);
	return n < 0 ? -1 : n;
}

/* The one good warning has no number of its own. */
static bool is_only_charset(struct archive *a)
{
	const char *why = archive_error_string(a);

	return why && strstr(why, "can't be converted from UTF-8 to current locale");
}

/* The next header: ARCHIVE_OK, ARCHIVE_EOF, or a failure. */
static int next_header(struct archive *a, struct archive_entry **ret)
{
	int x = archive_read_next_header(a, ret);

	return x == ARCHIVE_WARN && is_only_charset(a) ? ARCHIVE_OK : x;
}

/* What is behind the end belongs to the digest. */
static int drain(struct reader *rd, struct err *e)
{
	const void *data;
	ssize_t n;

	rd->at_end = true;
	do
		n = next_piece(rd, &data, e);
	while (n > 0);
	return (int)n;
}

static int archive_failed(struct reader *rd, struct err *e)
{
	const char *why = archive_error_string(rd->archive);

	if (rd->source_err.no)
		return err_set(e, rd->source_err.no, "%s", rd->source_err.msg);
	if (archive_errno(rd->archive) == ENOMEM)
		return err_set(e, ENOMEM, "the tar archive wants too much memory");
	if (!rd->begun) /* libarchive calls it an unknown format */
		return err_set(e, EINVAL, "the archive is empty");
	return err_set(e, EINVAL, "bad tar archive: %s", why ? why : "unknown reason");
}

/* --- one entry */

static int take_xattrs(struct archive_entry *ae, struct tar_entry *t, struct err *e)
{
	size_t bytes = 0;

	archive_entry_xattr_reset(ae);
	for (;;) {
		struct xattr *x = &t->xattrs[t->entry.n_xattrs];

		if (archive_entry_xattr_next(ae, &x->name, &x->value, &x->n) != ARCHIVE_OK || !x->name)
			return 0;
		bytes += strlen(x->name) + x->n;
		if (strlen(x->name) > PATH_NAME_MAX || x->n > XATTR_VALUE_MAX || bytes > XATTR_BYTES_MAX ||
		    t->entry.n_xattrs + 1 == XATTR_COUNT_MAX)
			return err_set(e, E2BIG, "too many or too large attributes");
		t->entry.n_xattrs++;
	}
}

static int take_ids(struct archive_entry *ae, struct entry *en, struct err *e)
{
	int64_t uid = archive_entry_uid(ae), gid = archive_entry_gid(ae);

	/* (uid_t)-1 means "leave it" to chown(2) */
	if (uid < 0 || gid < 0 || uid >= UINT32_MAX || gid >= UINT32_MAX)
		return err_set(e, EINVAL, "its owner %lld:%lld is out of range", (long long)uid,
			       (long long)gid);
	en->uid = (uid_t)uid;
	en->gid = (gid_t)gid;
	return 0;
}

static int take_links(struct archive_entry *ae, struct tar_entry *t, struct err *e)
{
	const char *hard = archive_entry_hardlink(ae), *soft = archive_entry_symlink(ae);
	int r;

	if (hard) {
		r = entry_clean_path(hard, t->hardlink, e);
		t->entry.hardlink = t->hardlink;
		return r < 0 ? err_wrap(e, r, "its target") : 0;
	}
	if (!S_ISLNK(t->entry.mode))
		return 0;
	if (!soft || !*soft || strlen(soft) > LINK_BYTES_MAX)
		return err_set(e, EINVAL, "it is a link with no good target");
	t->entry.symlink = soft;
	return 0;
}

static int take_type(struct archive_entry *ae, struct entry *en, struct err *e)
{
	switch (archive_entry_filetype(ae)) {
	case AE_IFREG:
	case AE_IFDIR:
	case AE_IFLNK:
	case AE_IFCHR:
	case AE_IFBLK:
	case AE_IFIFO:
		en->mode = archive_entry_filetype(ae) | (archive_entry_perm(ae) & 07777);
		en->rdev = archive_entry_rdev(ae);
		return 0;
	default:
		if (!archive_entry_hardlink(ae))
			return err_set(e, EINVAL, "it is of a type that no image has");
		en->mode = S_IFREG;
		return 0;
	}
}

static int take_entry(struct archive_entry *ae, struct tar_entry *t, struct err *e)
{
	const char *path = archive_entry_pathname(ae);
	int64_t size = archive_entry_size(ae);
	struct entry *en = &t->entry;
	int r;

	if (!path)
		return err_set(e, EINVAL, "it has no name");
	if (size < 0)
		return err_set(e, EINVAL, "it has a negative size");
	*en = (struct entry){ .path = t->path,
			      .mtime = { archive_entry_mtime(ae), archive_entry_mtime_nsec(ae) },
			      .size = (uint64_t)size,
			      .xattrs = t->xattrs };
	r = entry_clean_path(path, t->path, e);
	if (r == 0)
		r = take_type(ae, en, e);
	if (r == 0)
		r = take_ids(ae, en, e);
	if (r == 0)
		r = take_links(ae, t, e);
	return r < 0 ? r : take_xattrs(ae, t, e);
}

/* --- its content */

static int take_content(struct reader *rd, const void *data, size_t n, uint64_t offset, struct err *e)
{
	const struct tar_into *into = rd->into;
	int r = 0;

	if (n && into->skeleton) /* what is given out now is used up with the next call only */
		r = skeleton_content(into->skeleton, (uint64_t)archive_filter_bytes(rd->archive, 0), n,
				     offset, e);
	return r == 0 && n && into->tree ? tree_write(into->tree, data, n, offset, e) : r;
}

/* Without a tree: only reads it.  A sparse file has no blocks where it has holes. */
static int copy_content(struct reader *rd, uint64_t size, struct err *e)
{
	const void *data;
	size_t n;
	la_int64_t offset, end = 0;
	int x, r;

	while ((x = archive_read_data_block(rd->archive, &data, &n, &offset)) == ARCHIVE_OK) {
		if (offset < end || __builtin_add_overflow(offset, (la_int64_t)n, &end) ||
		    (uint64_t)end > size)
			return err_set(e, EINVAL, "bad tar archive: data out of order");
		r = take_content(rd, data, n, (uint64_t)offset, e);
		if (r < 0)
			return r;
	}
	return x != ARCHIVE_EOF ? archive_failed(rd, e) : 0;
}

static int begin_skeleton(const struct tar_into *into, const struct entry *en, struct err *e)
{
	struct content_place place;

	if (!into->skeleton || !en->size)
		return 0;
	tree_place(into->tree, en, &place);
	return skeleton_file(into->skeleton, &place, e);
}

static int put_entry(struct reader *rd, const struct entry *en, struct err *e)
{
	struct tree *tree = rd->into->tree;
	int r = tree ? tree_put(tree, en, e) : 0;

	if (r < 0 || en->hardlink || !S_ISREG(en->mode))
		return r;
	r = begin_skeleton(rd->into, en, e);
	if (r == 0)
		r = copy_content(rd, en->size, e);
	return r < 0 || !tree ? r : tree_end_file(tree, en, e);
}

/* 1: it was a whiteout and is done; 0: it is none. */
static int put_whiteout(struct tree *tree, struct tar_entry *t, struct err *e)
{
	char *slash = strrchr(t->path, '/'), *name = slash ? slash + 1 : t->path;
	const char *hidden = name + strlen(WHITEOUT);
	int r;

	if (strncmp(name, WHITEOUT, strlen(WHITEOUT)) != 0)
		return 0;
	if (!strcmp(name, WHITEOUT_OPAQUE)) {
		*(slash ? slash : name) = '\0';
		r = tree ? tree_opaque(tree, t->path, e) : 0;
		return r < 0 ? r : 1;
	}
	if (!strncmp(name, WHITEOUT_META, strlen(WHITEOUT_META)))
		return 1;
	if (!*hidden || !strcmp(hidden, ".") || !strcmp(hidden, ".."))
		return err_set(e, EINVAL, "it is a whiteout of no name");
	memmove(name, hidden, strlen(hidden) + 1);
	r = tree ? tree_whiteout(tree, t->path, e) : 0;
	return r < 0 ? r : 1;
}

static int one_entry(struct reader *rd, struct archive_entry *ae, struct err *e)
{
	struct tar_entry t;
	int r;

	t.entry = (struct entry){ 0 };
	r = take_entry(ae, &t, e);
	if (r == 0)
		r = put_whiteout(rd->into->tree, &t, e);
	if (r == 0)
		return put_entry(rd, &t.entry, e);
	return r < 0 ? r : 0;
}

static int all_entries(struct reader *rd, struct err *e)
{
	struct archive_entry *ae;
	int x, r;

	while ((x = next_header(rd->archive, &ae)) == ARCHIVE_OK) {
		r = one_entry(rd, ae, e);
		if (r < 0) {
			const char *name = archive_entry_pathname(ae);

			return err_wrap(e, r, "%.200s", name ? name : "?");
		}
	}
	return x == ARCHIVE_EOF ? 0 : archive_failed(rd, e);
}

int tar_unpack(struct source *tar, const struct tar_into *into, bool *ret_complete, struct err *e)
{
	AUTO(free_archive) struct archive *a = archive_read_new();
	struct reader rd = { .source = tar, .into = into, .archive = a };
	int r;

	if (!a)
		return err_set(e, ENOMEM, "out of memory");
	archive_read_support_format_tar(a);
	if (archive_read_open(a, &rd, NULL, read_piece, NULL) != ARCHIVE_OK)
		return archive_failed(&rd, e);
	r = all_entries(&rd, e);
	if (r == 0)
		r = drain(&rd, e);
	if (r == 0 && into->tree)
		r = tree_finish(into->tree, e);
	if (r == 0)
		*ret_complete = rd.zeros >= END_BYTES;
	return r;
}
