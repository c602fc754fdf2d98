/* members.c - the files of an archive by name: a directory, a tar file, or a stream that is written down first
 *
 * A tar file is not taken apart: an index tells where each file begins, so that a layer of a gigabyte is read once,
 * from where it lies.
 */
#include "unpack/members.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "unpack/limits.h"

#define NAME_MAX_BYTES 512 /* of a file in an image archive */
#define LINKS_MAX      8
#define SPOOL_NAME     "spool" /* while it is opened */

struct indexed {
	char *name;
	char *link; /* where it leads, as a name in the archive; NULL: it is a file */
	off_t offset;
	int64_t size;
};

struct members {
	int dir_fd; /* borrowed; -1: an archive */
	int file_fd; /* of the tar */
	int spool_fd; /* the same if we made it, else -1 */
	struct indexed *files;
	size_t n;
};

/* Writes "a/./b/../c" as "a/c"; false: it leaves the archive or is too long.  `base`, which may be NULL, is the file
 * beside which a relative name is looked for. */
static bool resolve_name(const char *base, const char *name, char ret[NAME_MAX_BYTES])
{
	const char *slash = base ? strrchr(base, '/') : NULL;
	size_t len = slash && *name != '/' ? (size_t)(slash - base) : 0;

	memcpy(ret, base ? base : "", len);
	while (*(name += strspn(name, "/"))) {
		size_t n = strcspn(name, "/");

		if (n == 2 && name[0] == '.' && name[1] == '.') {
			if (!len)
				return false;
			while (len && ret[len - 1] != '/')
				len--;
			len -= len > 0;
		} else if (n != 1 || *name != '.') {
			if (len + n + 2 > NAME_MAX_BYTES)
				return false;
			if (len)
				ret[len++] = '/';
			memcpy(ret + len, name, n);
			len += n;
		}
		name += n;
	}
	ret[len] = '\0';
	return len > 0;
}

static int add_file(struct members *m, const char *name, const char *link, struct indexed at, struct err *e)
{
	struct indexed *files = m->files;

	if (m->n == ARCHIVE_FILES_MAX)
		return err_set(e, E2BIG, "the archive has more than %d files", ARCHIVE_FILES_MAX);
	if ((m->n & (m->n - 1)) == 0) { /* grows at powers of two */
		files = reallocarray(files, m->n ? m->n * 2 : 1, sizeof(*files));
		if (!files)
			return err_set(e, ENOMEM, "out of memory");
		m->files = files;
	}
	at.name = strdup(name);
	at.link = link ? strdup(link) : NULL;
	files[m->n++] = at;
	return at.name && (!link || at.link) ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int index_entry(struct members *m, struct archive *a, struct archive_entry *ae, struct err *e)
{
	const char *raw = archive_entry_pathname(ae), *soft = archive_entry_symlink(ae),
		   *hard = archive_entry_hardlink(ae);
	struct indexed at = { .offset = archive_filter_bytes(a, 0), .size = archive_entry_size(ae) };
	char name[NAME_MAX_BYTES], link[NAME_MAX_BYTES];

	if (!raw || !resolve_name(NULL, raw, name))
		return !raw || archive_entry_filetype(ae) != AE_IFDIR
			       ? err_set(e, EINVAL, "bad name in the archive: %.200s", raw ? raw : "none")
			       : 0;
	if (soft || hard) {
		if (!resolve_name(soft ? name : NULL, soft ? soft : hard, link))
			return err_set(e, EINVAL, "%.200s: a link that leaves the archive", name);
		return add_file(m, name, link, at, e);
	}
	if (archive_entry_filetype(ae) != AE_IFREG)
		return 0;
	if (archive_entry_sparse_count(ae) > 0)
		return err_set(e, EINVAL, "%.200s: a sparse file in an image archive", name);
	return add_file(m, name, NULL, at, e);
}

static void free_archive(struct archive **a)
{
	archive_read_free(*a);
}

static int make_index(struct members *m, struct err *e)
{
	AUTO(free_archive) struct archive *a = archive_read_new();
	struct archive_entry *ae;
	off_t size = lseek(m->file_fd, 0, SEEK_END);
	int x, r = 0;

	if (!a)
		return err_set(e, ENOMEM, "out of memory");
	if (!size) /* libarchive calls it an unknown format */
		return err_set(e, EINVAL, "the archive is empty");
	archive_read_support_format_tar(a);
	if (lseek(m->file_fd, 0, SEEK_SET) < 0)
		return err_sys(e, errno, "read the archive");
	x = archive_read_open_fd(a, m->file_fd, 16384);
	while (x == ARCHIVE_OK && (x = archive_read_next_header(a, &ae)) == ARCHIVE_OK && r == 0)
		r = index_entry(m, a, ae, e);
	if (r == 0 && x != ARCHIVE_EOF)
		r = err_set(e, EINVAL, "bad tar archive: %s", archive_error_string(a));
	return r;
}

/* Writes the stream, expanded, to a nameless file. */
static int spool(struct members *m, int fd, int scratch_fd, struct err *e)
{
	struct source *s = source_decode(source_file(fd, 0, -1));
	const void *data;
	ssize_t n;
	int r = 0;

	m->spool_fd = openat(scratch_fd, SPOOL_NAME, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	m->file_fd = m->spool_fd;
	if (!s || m->spool_fd < 0) {
		source_free(s);
		return err_sys(e, s ? errno : ENOMEM, "make a temporary file");
	}
	unlinkat(scratch_fd, SPOOL_NAME, 0);
	while (r == 0 && (n = source_read(s, &data, e)) != 0) {
		r = n < 0 ? (int)n : write_full(m->spool_fd, data, (size_t)n);
		if (n > 0 && r < 0)
			r = err_sys(e, -r, "write the archive down");
	}
	source_free(s);
	return r;
}

/* Does it begin like an uncompressed tar file that can be read anywhere? */
static bool is_plain_tar(int fd, const struct stat *st)
{
	char head[512];

	return S_ISREG(st->st_mode) && pread(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
	       !memcmp(head + 257, "ustar", 5);
}

int members_open(int fd, int scratch_fd, struct members **ret, struct err *e)
{
	struct members *m = calloc(1, sizeof(*m));
	struct stat st;
	int r = 0;

	if (!m)
		return err_set(e, ENOMEM, "out of memory");
	m->dir_fd = m->spool_fd = -1;
	m->file_fd = fd;
	if (fstat(fd, &st) < 0)
		r = err_sys(e, errno, "look at the archive");
	else if (S_ISDIR(st.st_mode))
		m->dir_fd = fd;
	else if (!is_plain_tar(fd, &st))
		r = spool(m, fd, scratch_fd, e);
	if (r == 0 && m->dir_fd < 0)
		r = make_index(m, e);
	if (r < 0) {
		members_close(m);
		return r;
	}
	*ret = m;
	return 0;
}

struct members *members_close(struct members *m)
{
	if (!m)
		return NULL;
	for (size_t i = 0; i < m->n; i++) {
		free(m->files[i].name);
		free(m->files[i].link);
	}
	free(m->files);
	auto_close(&m->spool_fd);
	free(m);
	return NULL;
}

static int find_in_dir(struct members *m, const char *name, struct member *ret, struct err *e)
{
	autoclose int fd = open_in_root(m->dir_fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	struct stat st;

	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR ? -ENOENT : err_sys(e, -fd, "open %.200s", name);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "%.200s is not a file", name);
	*ret = (struct member){ .size = st.st_size, .owned = true };
	ret->fd = take_fd(&fd);
	return 0;
}

/* -ENOENT; an archive that has the name twice would be read differently by others. */
static int find_indexed(struct members *m, const char *name, const struct indexed **ret, struct err *e)
{
	const struct indexed *found = NULL;

	for (size_t i = 0; i < m->n; i++) {
		if (strcmp(m->files[i].name, name) != 0)
			continue;
		if (found)
			return err_set(e, EINVAL, "the archive has %.200s twice", name);
		found = &m->files[i];
	}
	*ret = found;
	return found ? 0 : -ENOENT;
}

int members_find(struct members *m, const char *name, struct member *ret, struct err *e)
{
	const struct indexed *at = NULL;
	char clean[NAME_MAX_BYTES];
	int r;

	if (!resolve_name(NULL, name, clean))
		return err_set(e, EINVAL, "bad name of a file in the archive: %.200s", name);
	if (m->dir_fd >= 0)
		return find_in_dir(m, clean, ret, e);
	r = find_indexed(m, clean, &at, e);
	for (int i = 0; r == 0 && at->link; i++) {
		if (i == LINKS_MAX)
			return err_set(e, ELOOP, "%.200s: too many links", name);
		r = find_indexed(m, at->link, &at, e);
	}
	if (r < 0)
		return r;
	*ret = (struct member){ .fd = m->file_fd, .offset = at->offset, .size = at->size };
	return 0;
}

void member_done(struct member *mb)
{
	if (mb->owned)
		auto_close(&mb->fd);
	*mb = (struct member){ .fd = -1 };
}

int members_read(struct members *m, const char *name, size_t max, struct buf *ret, struct err *e)
{
	AUTO(member_done) struct member mb = { .fd = -1 };
	int r = members_find(m, name, &mb, e);
	char *p;
	ssize_t n;

	if (r < 0)
		return r;
	if ((uint64_t)mb.size > max)
		return err_set(e, EFBIG, "%.200s is larger than %zu bytes", name, max);
	p = buf_room(ret, (size_t)mb.size);
	if (!p)
		return err_set(e, ENOMEM, "out of memory");
	n = pread(mb.fd, p, (size_t)mb.size, mb.offset);
	if (n != mb.size)
		return n < 0 ? err_sys(e, errno, "read %.200s", name)
			     : err_set(e, EINVAL, "%.200s is truncated", name);
	ret->len += (size_t)n;
	ret->data[ret->len] = '\0';
	return 0;
}
