/* canon.c - the canonical tar stream of a tree: what the diff id of an imported directory is the SHA-256 of */
#include "files/canon.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/auto.h"
#include "base/buf.h"

#define BLOCK	       512
#define SIZE_MAX_USTAR 077777777777ULL
#define ID_MAX_USTAR   07777777U

/* POSIX.1-2017, pax, "ustar Interchange Format" */
struct ustar {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type;
	char linkname[100], magic[6], version[2], uname[32], gname[32], major[8], minor[8], prefix[155],
		pad[12];
};
_Static_assert(sizeof(struct ustar) == BLOCK, "a tar header is one block");

static void octal(char *field, size_t n, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%0*llo", (int)n - 1, (unsigned long long)value);
	memcpy(field, text, n);
}

static void copy_text(char *field, size_t n, const char *s)
{
	memcpy(field, s, strnlen(s, n));
}

static void put_header(const struct canon *c, struct ustar *h)
{
	const unsigned char *p = (const unsigned char *)h;
	unsigned sum = 0;

	memcpy(h->magic, "ustar", 6);
	memcpy(h->version, "00", 2);
	memset(h->checksum, ' ', sizeof(h->checksum));
	for (size_t i = 0; i < sizeof(*h); i++)
		sum += p[i];
	snprintf(h->checksum, sizeof(h->checksum), "%06o", sum);
	c->out(c->arg, h, sizeof(*h));
}

static size_t count_digits(size_t n)
{
	size_t digits = 1;

	while (n /= 10)
		digits++;
	return digits;
}

/* "LENGTH KEY=VALUE\n", where LENGTH counts itself. */
static void add_record(struct buf *b, const char *key, const void *value, size_t n)
{
	size_t rest = strlen(key) + n + 3, len = rest + count_digits(rest);

	if (count_digits(len) != count_digits(rest))
		len = rest + count_digits(len);
	buf_addf(b, "%zu %s=", len, key);
	buf_add(b, value, n);
	buf_addc(b, '\n');
}

static void add_number(struct buf *b, const char *key, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	add_record(b, key, text, strlen(text));
}

static bool is_plain_time(const struct timespec *t)
{
	return !t->tv_nsec && t->tv_sec >= 0 && (uint64_t)t->tv_sec <= SIZE_MAX_USTAR;
}

/* Seconds and a fraction without zeros at its end; a time before 1970 is -(s) + fraction turned round. */
static void add_time(struct buf *b, const struct timespec *t)
{
	long long s = t->tv_sec, ns = t->tv_nsec;
	char text[48];
	int n;

	if (s < 0 && ns) {
		s++;
		ns = 1000000000 - ns;
	}
	n = snprintf(text, sizeof(text), "%s%lld.%09lld", t->tv_sec < 0 && s == 0 ? "-" : "", s, ns);
	while (text[n - 1] == '0')
		n--;
	n -= text[n - 1] == '.';
	add_record(b, "mtime", text, (size_t)n);
}

static int put_pax(const struct canon *c, const struct entry *en, const char *path, const char *link)
{
	AUTO(buf_done) struct buf b = { 0 };
	struct ustar h = { .type = 'x' };

	if (strlen(path) > sizeof(h.name))
		add_record(&b, "path", path, strlen(path));
	if (strlen(link) > sizeof(h.linkname))
		add_record(&b, "linkpath", link, strlen(link));
	if (en->size > SIZE_MAX_USTAR)
		add_number(&b, "size", en->size);
	if (en->uid > ID_MAX_USTAR)
		add_number(&b, "uid", en->uid);
	if (en->gid > ID_MAX_USTAR)
		add_number(&b, "gid", en->gid);
	if (!is_plain_time(&en->mtime))
		add_time(&b, &en->mtime);
	for (size_t i = 0; i < en->n_xattrs; i++) {
		autofree char *key = str_printf("SCHILY.xattr.%s", en->xattrs[i].name);

		if (!key)
			return -ENOMEM;
		add_record(&b, key, en->xattrs[i].value, en->xattrs[i].n);
	}
	if (!buf_ok(&b))
		return -ENOMEM;
	if (!b.len)
		return 0;
	copy_text(h.name, sizeof(h.name), "PaxHeaders/ketch");
	octal(h.mode, sizeof(h.mode), 0644);
	octal(h.uid, sizeof(h.uid), 0);
	octal(h.gid, sizeof(h.gid), 0);
	octal(h.size, sizeof(h.size), b.len);
	octal(h.mtime, sizeof(h.mtime), 0);
	octal(h.major, sizeof(h.major), 0);
	octal(h.minor, sizeof(h.minor), 0);
	put_header(c, &h);
	c->out(c->arg, b.data, b.len);
	canon_pad(c, b.len);
	return 0;
}

static char type_flag(const struct entry *en)
{
	if (en->hardlink)
		return '1';
	switch (en->mode & S_IFMT) {
	case S_IFLNK:
		return '2';
	case S_IFCHR:
		return '3';
	case S_IFBLK:
		return '4';
	case S_IFDIR:
		return '5';
	case S_IFIFO:
		return '6';
	default:
		return '0';
	}
}

static void put_ustar(const struct canon *c, const struct entry *en, const char *path, const char *link)
{
	struct ustar h = { .type = type_flag(en) };
	bool is_device = !en->hardlink && (S_ISCHR(en->mode) || S_ISBLK(en->mode));

	copy_text(h.name, sizeof(h.name), path);
	copy_text(h.linkname, sizeof(h.linkname), link);
	octal(h.mode, sizeof(h.mode), en->mode & 07777);
	octal(h.uid, sizeof(h.uid), en->uid > ID_MAX_USTAR ? 0 : en->uid);
	octal(h.gid, sizeof(h.gid), en->gid > ID_MAX_USTAR ? 0 : en->gid);
	octal(h.size, sizeof(h.size), h.type == '0' && en->size <= SIZE_MAX_USTAR ? en->size : 0);
	octal(h.mtime, sizeof(h.mtime), is_plain_time(&en->mtime) ? (uint64_t)en->mtime.tv_sec : 0);
	octal(h.major, sizeof(h.major), is_device ? major(en->rdev) : 0);
	octal(h.minor, sizeof(h.minor), is_device ? minor(en->rdev) : 0);
	put_header(c, &h);
}

int canon_entry(const struct canon *c, const struct entry *en)
{
	bool is_dir = !en->hardlink && S_ISDIR(en->mode);
	autofree char *path = str_printf("%s%s", *en->path ? en->path : ".", is_dir ? "/" : "");
	const char *link = en->hardlink ? en->hardlink : en->symlink ? en->symlink : "";
	int r = path ? put_pax(c, en, path, link) : -ENOMEM;

	if (r == 0)
		put_ustar(c, en, path, link);
	return r;
}

void canon_pad(const struct canon *c, uint64_t size)
{
	static const char zeros[BLOCK];

	if (size % BLOCK)
		c->out(c->arg, zeros, BLOCK - size % BLOCK);
}

void canon_end(const struct canon *c)
{
	static const char zeros[2 * BLOCK];

	c->out(c->arg, zeros, sizeof(zeros));
}
