/* send.c - a file, or a directory with all that is below it, becomes a tar stream
 *
 * Each name is looked up once, in the descriptor of its directory, and never followed: whoever changes the tree
 * meanwhile can change what is read, not where.
 */
#include "files/send.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "files/sender.h"

#define PAGE_BYTES 4096 /* of sysfs */

/* --- output */

static void give(struct sender *s, const void *data, size_t n)
{
	if (s->hash)
		sha256_add(s->hash, data, n);
	s->bytes += n;
	if (s->failed == 0 && s->out_fd >= 0)
		s->failed = write_full(s->out_fd, data, n);
}

static void flush(struct sender *s)
{
	if (s->filled)
		give(s, s->out, s->filled);
	s->filled = 0;
}

static void put(void *arg, const void *data, size_t n)
{
	struct sender *s = arg;

	if (s->filled + n > SEND_PIECE)
		flush(s);
	if (n > SEND_PIECE - s->filled) {
		give(s, data, n);
		return;
	}
	memcpy(s->out + s->filled, data, n);
	s->filled += n;
}

static int put_entry(struct sender *s, const struct entry *en, struct err *e)
{
	if (canon_entry(&s->canon, en) < 0)
		return err_set(e, ENOMEM, "out of memory");
	s->rooted = true;
	return s->failed < 0 ? err_sys(e, -s->failed, "cannot write the archive") : 0;
}

/* --- entries */

/* -ENOENT without a message: it has gone, and may be left out. */
static int gone_or(int no, struct sender *s, struct err *e)
{
	return no == ENOENT && s->rooted ? -ENOENT : err_sys(e, no, "cannot read it");
}

/* Those of files and directories: what else has any, cannot be opened to be asked. */
static int read_attributes(struct sender *s, int fd, struct entry *en, struct err *e)
{
	int r = xattrs_read(fd, NULL, s->layer ? sender_keeps_attribute : NULL, &s->attributes, e);

	en->xattrs = s->attributes.list;
	en->n_xattrs = s->attributes.n;
	return r;
}

static int send_content(struct sender *s, int fd, uint64_t size, struct err *e)
{
	for (uint64_t left = size; left && s->failed == 0;) {
		ssize_t n = read_full(fd, s->data, left < SEND_PIECE ? (size_t)left : SEND_PIECE);

		if (n < 0)
			return err_sys(e, (int)-n, "cannot read it");
		if (!n)
			return err_set(e, EAGAIN, "it became shorter while it was copied");
		put(s, s->data, (size_t)n);
		left -= (uint64_t)n;
	}
	canon_pad(&s->canon, size);
	return s->failed < 0 ? err_sys(e, -s->failed, "cannot write the archive") : 0;
}

/* A file that the kernel makes up when it is read (/proc, /sys) says that it has no bytes, or a page of them. */
static bool may_be_made_up(const struct stat *st)
{
	return !st->st_blocks && st->st_size <= PAGE_BYTES;
}

/* Its size is what is read: the header comes after that. */
static int send_made_up(struct sender *s, int fd, struct entry *en, struct err *e)
{
	ssize_t n = read_full(fd, s->data, SEND_PIECE);
	int r;

	if (n < 0)
		return err_sys(e, (int)-n, "cannot read it");
	if (n == SEND_PIECE)
		return err_set(e, EFBIG, "it has more than %d bytes and does not say how many", SEND_PIECE);
	en->size = (uint64_t)n;
	r = put_entry(s, en, e);
	if (r < 0)
		return r;
	put(s, s->data, (size_t)n);
	canon_pad(&s->canon, en->size);
	return s->failed < 0 ? err_sys(e, -s->failed, "cannot write the archive") : 0;
}

static int send_file(struct sender *s, const struct place *at, struct entry *en, struct err *e)
{
	/* what took the place of the file meanwhile must not hold us up, nor become our terminal */
	autoclose int fd =
		openat(at->dir_fd, at->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0)
		return gone_or(errno, s, e);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, EAGAIN, "it changed while it was copied");
	en->size = (uint64_t)st.st_size;
	r = read_attributes(s, fd, en, e);
	if (r == 0 && may_be_made_up(&st))
		return send_made_up(s, fd, en, e);
	if (r == 0)
		r = put_entry(s, en, e);
	return r < 0 ? r : send_content(s, fd, en->size, e);
}

static int send_link(struct sender *s, const struct place *at, struct entry *en, struct err *e)
{
	char target[LINK_BYTES_MAX + 1];
	ssize_t n = readlinkat(at->dir_fd, at->name, target, sizeof(target));

	if (n < 0)
		return gone_or(errno, s, e);
	if (n == sizeof(target))
		return err_set(e, ENAMETOOLONG, "the target of the link is too long");
	target[n] = '\0';
	en->symlink = target;
	return put_entry(s, en, e);
}

static int send_children(struct sender *s, int fd, struct err *e);

static bool is_the_kernels(const struct sender *s, const char *name)
{
	return s->whole_root && s->depth == 1 &&
	       (!strcmp(name, "dev") || !strcmp(name, "proc") || !strcmp(name, "sys"));
}

static int send_directory(struct sender *s, const struct place *at, struct entry *en, struct err *e)
{
	autoclose int fd = openat(at->dir_fd, at->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 ? gone_or(errno, s, e) : read_attributes(s, fd, en, e);

	if (r == 0)
		r = put_entry(s, en, e);
	if (r == 0 && s->layer)
		r = sender_put_opaque(s, fd, e);
	if (r < 0 || s->flat || is_the_kernels(s, at->name))
		return r;
	return s->layer ? sender_put_sorted(s, fd, e) : send_children(s, take_fd(&fd), e);
}

int sender_put(struct sender *s, const struct place *at, struct err *e)
{
	struct entry en = { .path = s->path };
	const char *first = s->path;
	struct stat st;

	if (fstatat(at->dir_fd, at->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return gone_or(errno, s, e);
	if (S_ISSOCK(st.st_mode))
		return 0;
	if (s->layer && sender_is_deletion(&st))
		return sender_put_deletion(s, e);
	if (s->layer && !strncmp(at->name, ".wh.", 4))
		return err_set(e, EINVAL, "%.200s: in a layer that name would delete another", s->path);
	en.mode = st.st_mode;
	en.uid = st.st_uid;
	en.gid = st.st_gid;
	en.rdev = st.st_rdev;
	en.mtime = st.st_mtim;
	if (st.st_nlink > 1 && !S_ISDIR(st.st_mode))
		first = links_first(s->links, st.st_dev, st.st_ino, s->path);
	if (!first)
		return err_set(e, ENOMEM, "out of memory");
	if (strcmp(first, s->path)) {
		en.hardlink = first;
		return put_entry(s, &en, e);
	}
	if (S_ISDIR(st.st_mode))
		return send_directory(s, at, &en, e);
	if (S_ISREG(st.st_mode))
		return send_file(s, at, &en, e);
	if (S_ISLNK(st.st_mode))
		return send_link(s, at, &en, e);
	return put_entry(s, &en, e); /* a device or a FIFO, which is not opened */
}

/* s->path is the directory; the name is put behind it and, unless it fails, taken away again. */
int sender_put_child(struct sender *s, int dirfd, const char *name, struct err *e)
{
	struct place at = { .dir_fd = dirfd };
	size_t len = strlen(s->path), n = strlen(name);
	int r;

	if (n > PATH_NAME_MAX || len + n + 1 > PATH_BYTES_MAX)
		return err_set(e, ENAMETOOLONG, "a path is longer than %d bytes", PATH_BYTES_MAX);
	memcpy(at.name, name, n + 1);
	stpcpy(stpcpy(s->path + len, len ? "/" : ""), name);
	r = sender_put(s, &at, e);
	if (r == -ENOENT)
		r = 0;
	if (r == 0)
		s->path[len] = '\0';
	return r;
}

/* Takes fd. */
static int send_children(struct sender *s, int fd, struct err *e)
{
	DIR *d = fdopendir(fd);
	struct dirent *de;
	int r = 0;

	if (!d) {
		r = err_sys(e, errno, "cannot read it");
		close(fd);
		return r;
	}
	if (++s->depth > PATH_DEPTH_MAX)
		r = err_set(e, ENAMETOOLONG, "it is deeper than %d directories", PATH_DEPTH_MAX);
	while (r == 0 && (errno = 0, de = readdir(d)))
		if (strcmp(de->d_name, ".") && strcmp(de->d_name, ".."))
			r = sender_put_child(s, fd, de->d_name, e);
	if (r == 0 && errno && errno != ENOENT) /* ENOENT: the directory itself was removed */
		r = err_sys(e, errno, "cannot read it");
	s->depth--;
	closedir(d);
	return r;
}

/* --- */

int files_check(const struct place *from)
{
	struct stat st;

	if (fstatat(from->dir_fd, from->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return S_ISSOCK(st.st_mode) ? -EOPNOTSUPP : 0;
}

struct sender *sender_new(int out_fd)
{
	struct sender *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->links = links_new();
	if (!s->links) {
		free(s);
		return NULL;
	}
	s->out_fd = out_fd;
	s->canon = (struct canon){ put, s };
	return s;
}

void sender_free(struct sender *s)
{
	if (!s)
		return;
	links_free(s->links);
	xattrs_done(&s->attributes);
	free(s);
}

int sender_put_empty(struct sender *s, const char *path, struct err *e)
{
	return put_entry(s, &(struct entry){ .path = path, .mode = S_IFREG }, e);
}

int sender_end(struct sender *s, int r, struct err *e)
{
	if (r < 0)
		return err_wrap(e, r, "%.200s", *s->path ? s->path : "/");
	canon_end(&s->canon);
	flush(s);
	return s->failed < 0 ? err_sys(e, -s->failed, "cannot write the archive") : 0;
}

static void free_sender(struct sender **s)
{
	sender_free(*s);
}

static int send(const struct place *from, const char *as, int out_fd, bool whole_root, struct err *e)
{
	AUTO(free_sender) struct sender *s = sender_new(out_fd);

	if (!s)
		return err_set(e, ENOMEM, "out of memory");
	s->whole_root = whole_root;
	strcpy(s->path, as);
	return sender_end(s, sender_put(s, from, e), e);
}

int files_send(const struct place *from, const char *as, int out_fd, struct err *e)
{
	return send(from, as, out_fd, false, e);
}

int files_send_root(const struct place *root, const char *as, int out_fd, struct err *e)
{
	return send(root, as, out_fd, true, e);
}

int files_send_below(int dir_fd, int out_fd, struct err *e)
{
	AUTO(free_sender) struct sender *s = sender_new(out_fd);
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	if (fd < 0)
		return err_sys(e, errno, "cannot open the directory");
	if (!s) {
		close(fd);
		return err_set(e, ENOMEM, "out of memory");
	}
	s->rooted = true;
	r = send_children(s, fd, e);
	return sender_end(s, r, e);
}
