/* save_layout.c - an OCI layout is written, as an archive or as a directory */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/sha256.h"
#include "image/save_int.h"

#define BLOBS	    "blobs/sha256/"
#define NEW_BLOB    BLOBS "new"
#define LAYOUT_TEXT "{\"imageLayoutVersion\":\"1.0.0\"}"

static void put(void *arg, const void *data, size_t n)
{
	struct layout *l = arg;

	if (l->failed == 0)
		l->failed = write_full(l->out_fd, data, n);
}

static int said(const struct layout *l, struct err *e)
{
	return l->failed < 0 ? err_sys(e, -l->failed, "cannot write the archive") : 0;
}

/* Of the archive: everything is root's, and of 1970, so that the same images are the same bytes. */
static int put_header(struct layout *l, const char *path, mode_t mode, uint64_t size, struct err *e)
{
	const struct entry en = { .path = path, .mode = mode, .size = size };

	return canon_entry(&l->canon, &en) < 0 ? err_set(e, ENOMEM, "out of memory") : said(l, e);
}

static int make_directory(struct layout *l, const char *path, struct err *e)
{
	if (l->dir_fd < 0)
		return put_header(l, path, S_IFDIR | 0755, 0, e);
	return mkdirat(l->dir_fd, path, 0755) < 0 ? err_sys(e, errno, "%s", path) : 0;
}

int layout_begin(struct layout *l, const struct image_save *rq, struct err *e)
{
	int r;

	*l = (struct layout){
		.out_fd = rq->out_fd, .dir_fd = rq->dir_fd, .gzip = rq->gzip, .canon = { put, l }
	};
	r = make_directory(l, "blobs", e);
	return r < 0 ? r : make_directory(l, "blobs/sha256", e);
}

static int open_file(struct layout *l, const char *path, struct err *e)
{
	int fd = openat(l->dir_fd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	return fd < 0 ? err_sys(e, errno, "%s", path) : fd;
}

int layout_put(struct layout *l, const char *path, const struct buf *text, struct err *e)
{
	autoclose int file = -1;
	int r;

	if (l->dir_fd >= 0) {
		file = open_file(l, path, e);
		r = file < 0 ? file : write_full(file, text->data, text->len);
		return file < 0 ? file : r < 0 ? err_sys(e, -r, "%s", path) : 0;
	}
	r = put_header(l, path, S_IFREG | 0644, text->len, e);
	if (r < 0)
		return r;
	put(l, text->data, text->len);
	canon_pad(&l->canon, text->len);
	return said(l, e);
}

/* Its path, or NULL when it is there already (or memory is out, with -ENOMEM in *ret_r). */
static char *blob_path(struct layout *l, const struct digest *d, int *ret_r)
{
	char text[DIGEST_TEXT];
	char *path;

	*ret_r = 0;
	digest_text(d, text);
	if (strv_has(&l->blobs, text))
		return NULL;
	path = str_printf(BLOBS "%s", strchr(text, ':') + 1);
	if (!path || strv_add(&l->blobs, text) < 0)
		*ret_r = -ENOMEM;
	return path;
}

int layout_put_blob(struct layout *l, const struct buf *text, struct digest *ret, struct err *e)
{
	autofree char *path = NULL;
	struct sha256 h;
	int r;

	sha256_init(&h);
	sha256_add(&h, text->data, text->len);
	sha256_end(&h, ret->sha256);
	path = blob_path(l, ret, &r);
	if (r < 0)
		return err_set(e, ENOMEM, "out of memory");
	return path ? layout_put(l, path, text, e) : 0;
}

int layout_put_layer(struct layout *l, struct layout_layer *from, struct err *e)
{
	autofree char *path = NULL;
	autoclose int file = -1;
	int r;

	path = blob_path(l, &from->digest, &r);
	if (r < 0)
		return err_set(e, ENOMEM, "out of memory");
	if (!path)
		return 0;
	if (l->dir_fd >= 0)
		r = file = open_file(l, path, e);
	else
		r = put_header(l, path, S_IFREG | 0644, from->bytes, e);
	if (r >= 0)
		r = from->send(from->arg, file >= 0 ? file : l->out_fd, from, e);
	if (r < 0 || file >= 0)
		return r;
	canon_pad(&l->canon, from->bytes);
	return said(l, e);
}

int layout_put_new_layer(struct layout *l, struct layout_layer *from, struct err *e)
{
	autofree char *path = NULL;
	autoclose int file = open_file(l, NEW_BLOB, e);
	int r = file < 0 ? file : from->send(from->arg, file, from, e);

	if (r < 0)
		return r;
	path = blob_path(l, &from->digest, &r);
	if (r < 0)
		return err_set(e, ENOMEM, "out of memory");
	r = path ? renameat(l->dir_fd, NEW_BLOB, l->dir_fd, path) : unlinkat(l->dir_fd, NEW_BLOB, 0);
	return r < 0 ? err_sys(e, errno, "name the blob of a layer") : 0;
}

static int put_list(struct layout *l, const char *path, const char *head, const struct buf *elements,
		    const char *tail, struct err *e)
{
	AUTO(buf_done) struct buf text = { 0 };

	buf_addf(&text, "%s%s%s", head, elements->data ? elements->data : "", tail);
	return buf_ok(&text) ? layout_put(l, path, &text, e) : err_set(e, ENOMEM, "out of memory");
}

int layout_end(struct layout *l, bool docker, struct err *e)
{
	static const struct buf none;
	int r = put_list(l, "index.json",
			 "{\"schemaVersion\":2,\"mediaType\":\"application/"
			 "vnd.oci.image.index.v1+json\",\"manifests\":[",
			 &l->manifests, "]}", e);

	if (r == 0 && docker)
		r = put_list(l, "manifest.json", "[", &l->images, "]\n", e);
	if (r == 0)
		r = put_list(l, "oci-layout", LAYOUT_TEXT, &none, "", e);
	if (r == 0 && l->dir_fd < 0)
		canon_end(&l->canon);
	return r < 0 ? r : said(l, e);
}

void layout_done(struct layout *l)
{
	strv_done(&l->blobs);
	buf_done(&l->manifests);
	buf_done(&l->images);
}
