/* untar.c - reads a tar stream (ustar, PAX, GNU's long names) entry by entry; any byte of it may be hostile
 *
 * Sources: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Interchange Format"; GNU tar manual, "Basic Tar
 * Format" (types L and K, numbers in base 256).
 */
#include "files/untar.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "files/pax.h"

#define BLOCK	  512
#define PIECE	  65536
#define EXTRA_MAX (1 << 20) /* of one PAX header or GNU long name: attributes of 64 KiB are in it, too */
#define DRAIN_MAX (1 << 20) /* GNU tar fills up to 10 KiB, or what -b says */

struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type;
	char linkname[100], magic[8], uname[32], gname[32], major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a tar header is one block");

struct untar {
	int fd;
	bool begun; /* the first header was read */
	size_t at, have; /* of `read`: what was not taken yet */
	uint64_t left, fill; /* of the content now: bytes, and what fills its last block */
	struct pax pax; /* what the headers in front of its own say about the entry */
	char path[PATH_BYTES_MAX + 1], hardlink[PATH_BYTES_MAX + 1], symlink[LINK_BYTES_MAX + 1];
	char piece[PIECE], read[PIECE];
};

struct untar *untar_new(int fd)
{
	struct untar *u = calloc(1, sizeof(*u));

	if (u)
		u->fd = fd;
	return u;
}

struct untar *untar_free(struct untar *u)
{
	if (u)
		pax_done(&u->pax);
	free(u);
	return NULL;
}

/* --- bytes */

static int bad(struct err *e, const char *what)
{
	return err_set(e, EINVAL, "bad tar archive: %s", what);
}

/* Some bytes, at most n, or 0 at the end: of small files a read(2) brings many. */
static ssize_t get_some(struct untar *u, void *to, size_t n, struct err *e)
{
	ssize_t k;

	if (u->at == u->have) {
		do
			k = read(u->fd, u->read, sizeof(u->read));
		while (k < 0 && errno == EINTR);
		if (k < 0)
			return err_sys(e, errno, "cannot read the archive");
		u->at = 0;
		u->have = (size_t)k;
	}
	if (n > u->have - u->at)
		n = u->have - u->at;
	memcpy(to, u->read + u->at, n);
	u->at += n;
	return (ssize_t)n;
}

/* All n bytes, or the archive is cut. */
static int get(struct untar *u, void *to, size_t n, struct err *e)
{
	for (size_t done = 0; done < n;) {
		ssize_t k = get_some(u, (char *)to + done, n - done, e);

		if (k <= 0)
			return k < 0 ? (int)k : bad(e, "it is cut short");
		done += (size_t)k;
	}
	return 0;
}

ssize_t untar_read(struct untar *u, const void **ret, struct err *e)
{
	size_t n = u->left < PIECE ? (size_t)u->left : PIECE;
	int r = 0;

	if (n)
		r = get(u, u->piece, n, e);
	u->left -= n;
	if (r == 0 && !u->left && u->fill) {
		char fill[BLOCK];

		r = get(u, fill, u->fill, e);
		u->fill = 0;
	}
	*ret = u->piece;
	return r < 0 ? r : (ssize_t)n;
}

static void set_content(struct untar *u, uint64_t size)
{
	u->left = size;
	u->fill = (BLOCK - size % BLOCK) % BLOCK;
}

static int skip_content(struct untar *u, struct err *e)
{
	const void *piece;
	ssize_t n;

	while ((n = untar_read(u, &piece, e)) > 0)
		;
	return (int)n;
}

/* The content as a string; *ret_n is its length, without the NUL that is put behind it. */
static int get_text(struct untar *u, uint64_t size, char **ret, size_t *ret_n, struct err *e)
{
	autofree char *text = size <= EXTRA_MAX ? malloc((size_t)size + 1) : NULL;
	const void *piece;
	size_t at = 0;
	ssize_t n;

	if (!text)
		return size > EXTRA_MAX ? bad(e, "an extended header is too long")
					: err_set(e, ENOMEM, "out of memory");
	set_content(u, size);
	while ((n = untar_read(u, &piece, e)) > 0) {
		memcpy(text + at, piece, (size_t)n);
		at += (size_t)n;
	}
	if (n < 0)
		return (int)n;
	text[at] = '\0';
	*ret = take_ptr(text);
	*ret_n = at;
	return 0;
}

/* --- numbers */

/* Octal digits between blanks; or, as GNU writes what does not fit, base 256 behind a set first bit. */
static int field_number(const char *field, size_t n, uint64_t *ret)
{
	const unsigned char *p = (const unsigned char *)field;
	uint64_t v = 0;
	size_t i = 0;

	if (p[0] == 0x80) {
		for (i = 1; i < n; i++) {
			if (v >> 56)
				return -ERANGE;
			v = v << 8 | p[i];
		}
		*ret = v;
		return 0;
	}
	while (i < n && p[i] == ' ')
		i++;
	for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
		v = v << 3 | (p[i] - '0'); /* 12 digits are 36 bits */
	for (; i < n; i++)
		if (p[i] && p[i] != ' ')
			return -EINVAL;
	*ret = v;
	return 0;
}

#define NUMBER(field, ret) field_number(field, sizeof(field), ret)

static bool has_checksum(const struct header *h)
{
	const unsigned char *p = (const unsigned char *)h;
	uint64_t want, sum = 0;
	int64_t signed_sum = 0; /* of writers before POSIX */

	for (size_t i = 0; i < BLOCK; i++) {
		bool own = i >= offsetof(struct header, checksum) && i < offsetof(struct header, type);

		sum += own ? ' ' : p[i];
		signed_sum += own ? ' ' : (signed char)p[i];
	}
	return NUMBER(h->checksum, &want) == 0 && (want == sum || (int64_t)want == signed_sum);
}

/* --- headers in front of an entry's own */

/* `git archive` puts a comment there; a word about files would hold for all that follow. */
static int take_global(char *text, size_t n, struct err *e)
{
	struct pax x = { 0 };
	int r = pax_parse(&x, text, n, e);
	bool says = x.path || x.link || x.has_size || x.has_uid || x.has_gid || x.has_mtime || x.n_xattrs;

	pax_done(&x);
	return r == 0 && says ? bad(e, "a global PAX header describes files") : r;
}

static int take_extra(struct untar *u, const struct header *h, uint64_t size, struct err *e)
{
	autofree char *text = NULL;
	size_t n = 0;
	int r = get_text(u, size, &text, &n, e);

	if (r < 0)
		return r;
	if (h->type == 'x')
		return pax_parse(&u->pax, text, n, e);
	if (h->type == 'g')
		return take_global(text, n, e);
	/* GNU: the name with its NUL */
	return pax_set_text(h->type == 'L' ? &u->pax.path : &u->pax.link, text, n && !text[n - 1] ? n - 1 : n,
			    e);
}

/* --- the entry */

static const mode_t kinds[] = {
	['0'] = S_IFREG, ['7'] = S_IFREG, ['\0'] = S_IFREG, ['1'] = S_IFREG, ['2'] = S_IFLNK,
	['3'] = S_IFCHR, ['4'] = S_IFBLK, ['5'] = S_IFDIR,  ['6'] = S_IFIFO,
};

static int take_path(struct untar *u, const struct header *h, bool *ret_slash, struct err *e)
{
	char name[sizeof(h->prefix) + sizeof(h->name) + 2];
	const char *path = u->pax.path;
	bool is_ustar = !memcmp(h->magic, "ustar", 6);

	if (!path) {
		/* only POSIX has a prefix; GNU keeps times there */
		snprintf(name, sizeof(name), "%.155s%s%.100s", is_ustar ? h->prefix : "",
			 is_ustar && h->prefix[0] ? "/" : "", h->name);
		path = name;
	}
	if (!*path)
		return bad(e, "an entry has no name");
	*ret_slash = path[strlen(path) - 1] == '/';
	return entry_clean_path(path, u->path, e);
}

static int take_link(struct untar *u, const struct header *h, struct entry *en, struct err *e)
{
	const char *link = u->pax.link;
	char name[sizeof(h->linkname) + 1];

	if (!link) {
		snprintf(name, sizeof(name), "%.100s", h->linkname);
		link = name;
	}
	if (!*link || strlen(link) > LINK_BYTES_MAX)
		return bad(e, "a link has no good target");
	if (h->type == '1') {
		en->hardlink = u->hardlink;
		return entry_clean_path(link, u->hardlink, e);
	}
	en->symlink = strcpy(u->symlink, link);
	return 0;
}

static int take_numbers(struct untar *u, const struct header *h, struct entry *en, struct err *e)
{
	const struct pax *x = &u->pax;
	uint64_t mode = 0, uid = 0, gid = 0, mtime = 0, dev[2] = { 0, 0 };

	if (NUMBER(h->mode, &mode) < 0 || (!x->has_uid && NUMBER(h->uid, &uid) < 0) ||
	    (!x->has_gid && NUMBER(h->gid, &gid) < 0) || (!x->has_mtime && NUMBER(h->mtime, &mtime) < 0))
		return bad(e, "a number in a header is malformed");
	if ((S_ISCHR(en->mode) || S_ISBLK(en->mode)) &&
	    (NUMBER(h->major, &dev[0]) < 0 || NUMBER(h->minor, &dev[1]) < 0))
		return bad(e, "a device number is malformed");
	uid = x->has_uid ? x->uid : uid;
	gid = x->has_gid ? x->gid : gid;
	/* (uid_t)-1 means "leave it" to chown(2) */
	if (uid >= UINT32_MAX || gid >= UINT32_MAX || mtime > INT64_MAX / 2)
		return bad(e, "an owner or a time is out of range");
	en->mode |= mode & 07777;
	en->uid = (uid_t)uid;
	en->gid = (gid_t)gid;
	en->rdev = makedev((unsigned)dev[0], (unsigned)dev[1]);
	en->mtime = x->has_mtime ? x->mtime : (struct timespec){ (time_t)mtime, 0 };
	return 0;
}

static int take_entry(struct untar *u, const struct header *h, uint64_t size, struct entry *en, struct err *e)
{
	unsigned char type = (unsigned char)h->type;
	bool slash = false;
	int r;

	if (type >= ARRAY_LEN(kinds) || !kinds[type])
		return bad(e, "an entry is of a type that is not supported");
	*en = (struct entry){
		.path = u->path, .mode = kinds[type], .xattrs = u->pax.xattrs, .n_xattrs = u->pax.n_xattrs
	};
	r = take_path(u, h, &slash, e);
	if (r == 0 && S_ISREG(en->mode) && type != '1' && slash)
		en->mode = S_IFDIR; /* of writers before POSIX */
	if (r == 0)
		r = take_numbers(u, h, en, e);
	if (r == 0 && (type == '1' || type == '2'))
		r = take_link(u, h, en, e);
	if (r < 0)
		return r;
	if (type != '1' && S_ISREG(en->mode)) {
		en->size = size;
		set_content(u, size);
	} else if (size && !S_ISDIR(en->mode)) { /* of a directory it is a hint (POSIX) */
		return bad(e, "what is no file has content");
	}
	return 0;
}

static bool is_zero(const struct header *h)
{
	const char *p = (const char *)h;

	return !*p && !memcmp(p, p + 1, BLOCK - 1);
}

/* tar -z by habit: what was read first tells, in most cases. */
static bool is_compressed(const struct untar *u)
{
	static const char *const magics[] = { "\37\213", "\50\265\57\375", "\3757zXZ" }; /* gzip, zstd, xz */

	for (size_t i = 0; i < ARRAY_LEN(magics); i++)
		if (!memcmp(u->read, magics[i], strlen(magics[i])))
			return true;
	return false;
}

static int get_header(struct untar *u, struct header *ret, struct err *e)
{
	int r = get(u, ret, sizeof(*ret), e);

	if (r == 0 && !is_zero(ret) && !has_checksum(ret))
		r = bad(e, "a header is damaged, or this is no tar archive");
	if (r == -EINVAL && !u->begun && is_compressed(u))
		r = bad(e, "it is compressed: unpack it first, with gunzip, unzstd or unxz in the pipe");
	u->begun = true;
	return r;
}

int untar_next(struct untar *u, struct entry *ret, struct err *e)
{
	struct header h;
	uint64_t size;
	int r = skip_content(u, e);

	pax_done(&u->pax);
	while (r == 0) {
		r = get_header(u, &h, e);
		if (r < 0 || is_zero(&h))
			return r;
		if (NUMBER(h.size, &size) < 0)
			return bad(e, "a size is malformed");
		if (!h.type || !strchr("xgLK", h.type))
			break;
		r = take_extra(u, &h, size, e);
	}
	if (r == 0 && u->pax.has_size)
		size = u->pax.size;
	if (r == 0 && size > INT64_MAX)
		r = bad(e, "a size is out of range");
	if (r == 0)
		r = take_entry(u, &h, size, ret, e);
	return r < 0 ? r : 1;
}

int untar_drain(struct untar *u, struct err *e)
{
	for (size_t all = 0; all < DRAIN_MAX;) {
		ssize_t n = get_some(u, u->piece, PIECE, e);

		if (n <= 0)
			return (int)n;
		all += (size_t)n;
	}
	return bad(e, "much follows its end");
}
