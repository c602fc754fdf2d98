/* send_layer.c - the tree of a layer, with overlayfs's deletions, becomes the archive of a layer */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/strv.h"
#include "files/sender.h"

#define WHITEOUT                                                                                             \
	"."                                                                                                  \
	"wh."
#define OPAQUE WHITEOUT WHITEOUT ".opq"

/* Documentation/filesystems/overlayfs.rst: a character device 0:0 hides a name. */
bool sender_is_deletion(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

int sender_put_deletion(struct sender *s, struct err *e)
{
	const char *slash = strrchr(s->path, '/');
	size_t n = slash ? (size_t)(slash + 1 - s->path) : 0;
	autofree char *path = str_printf("%.*s" WHITEOUT "%s", (int)n, s->path, s->path + n);

	return path ? sender_put_empty(s, path, e) : err_set(e, ENOMEM, "out of memory");
}

int sender_put_opaque(struct sender *s, int fd, struct err *e)
{
	autofree char *path = NULL;
	char value = 'n';

	if (fgetxattr(fd, "trusted.overlay.opaque", &value, 1) != 1 || value != 'y')
		return 0;
	path = str_printf("%s%s" OPAQUE, s->path, *s->path ? "/" : "");
	return path ? sender_put_empty(s, path, e) : err_set(e, ENOMEM, "out of memory");
}

/* What steers overlayfs, or is this host's, was not brought by the image. */
bool sender_keeps_attribute(const char *name)
{
	return strncmp(name, "trusted.overlay.", 16) && strcmp(name, "security.selinux");
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_sorted(int fd, struct strv *ret, struct err *e)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *de;

	if (!d) {
		r = err_sys(e, errno, "cannot read it");
		auto_close(&copy);
		return r;
	}
	while (r == 0 && (de = readdir(d)))
		if (strcmp(de->d_name, ".") && strcmp(de->d_name, ".."))
			r = strv_add(ret, de->d_name);
	closedir(d);
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(ret->v[0]), compare_names);
	return r < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

int sender_put_sorted(struct sender *s, int fd, struct err *e)
{
	AUTO(strv_done) struct strv names = { 0 };
	int r = list_sorted(fd, &names, e);

	if (++s->depth > PATH_DEPTH_MAX)
		r = err_set(e, ENAMETOOLONG, "it is deeper than %d directories", PATH_DEPTH_MAX);
	for (size_t i = 0; i < names.n && r == 0; i++)
		r = sender_put_child(s, fd, names.v[i], e);
	s->depth--;
	return r;
}

static void free_sender(struct sender **s)
{
	sender_free(*s);
}

int files_send_layer(int dir_fd, int out_fd, struct layer_sum *ret, struct err *e)
{
	AUTO(free_sender) struct sender *s = sender_new(out_fd);
	struct place root = { .dir_fd = dir_fd, .name = "." };
	struct sha256 hash;
	int r;

	if (!s)
		return err_set(e, ENOMEM, "out of memory");
	sha256_init(&hash);
	s->hash = &hash;
	s->layer = true;
	r = sender_end(s, sender_put(s, &root, e), e);
	if (r < 0)
		return r;
	sha256_end(&hash, ret->sha256);
	ret->bytes = s->bytes;
	return 0;
}
