/* chunks.c - files are cut into chunks, and put together again (oci/chunk.h) */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/auto.h"
#include "base/io.h"
#include "unpack/hash.h"
#include "unpack/job.h"

#define LEVEL 1 /* memory is much, and waits */
#define PAGE  4096 /* what is written, or left a hole */

/* Both jobs need the same: the bytes of a chunk, and the blob. */
struct pieces {
	struct job *job;
	char *plain, *blob;
	ZSTD_CCtx *in;
	ZSTD_DCtx *out;
};

static void pieces_done(struct pieces *p)
{
	free(p->plain);
	free(p->blob);
	ZSTD_freeCCtx(p->in);
	ZSTD_freeDCtx(p->out);
}

static int pieces_init(struct pieces *p, struct err *e)
{
	p->plain = malloc(CHUNK_BYTES);
	p->blob = malloc(CHUNK_BLOB_MAX);
	p->in = ZSTD_createCCtx();
	p->out = ZSTD_createDCtx();
	return p->plain && p->blob && p->in && p->out ? 0 : err_set(e, ENOMEM, "out of memory");
}

static bool is_zero(const char *data, size_t n)
{
	return !n || (!*data && !memcmp(data, data + 1, n - 1));
}

/* --- cut */

static int keep_blob(struct pieces *p, const struct chunk *k, struct err *e)
{
	char hex[DIGEST_HEX];
	autoclose int fd = -1;
	int r;

	digest_hex(&k->blob, hex);
	fd = openat(p->job->stage_fd, hex, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return errno == EEXIST ? 0 : err_sys(e, errno, "write a chunk");
	r = write_full(fd, p->blob, k->size);
	return r < 0 ? err_sys(e, -r, "write a chunk") : 0;
}

static int cut_chunk(struct pieces *p, struct chunk *k, size_t n, struct err *e)
{
	size_t size = ZSTD_compressCCtx(p->in, p->blob, CHUNK_BLOB_MAX, p->plain, n, LEVEL);
	int r;

	if (ZSTD_isError(size))
		return err_set(e, EIO, "compress a chunk: %s", ZSTD_getErrorName(size));
	k->size = size;
	hash_bytes(p->plain, n, &k->plain);
	hash_bytes(p->blob, size, &k->blob);
	r = keep_blob(p, k, e);
	if (r < 0)
		return r;
	return chunk_add(&p->job->answer->chunked, k) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

/* The first chunk at or behind `at` that is not a hole; -ENXIO: there is none. */
static int64_t next_data(int fd, uint64_t at)
{
	off_t data = lseek(fd, (off_t)at, SEEK_DATA);

	return data < 0 ? -errno : data - data % CHUNK_BYTES;
}

static int cut_file(struct pieces *p, unsigned file, int fd, struct err *e)
{
	struct chunk k = { .file = file };
	struct stat st;
	int64_t at;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "the %s is no file", chunked_file_names[file]);
	p->job->answer->chunked.bytes[file] = (uint64_t)st.st_size;
	for (at = next_data(fd, 0); at >= 0; at = next_data(fd, k.at + CHUNK_BYTES)) {
		ssize_t n = pread(fd, p->plain, CHUNK_BYTES, at);
		uint64_t want = (uint64_t)st.st_size - (uint64_t)at;
		int r;

		if (n != (ssize_t)(want < CHUNK_BYTES ? want : CHUNK_BYTES))
			return err_sys(e, n < 0 ? errno : EIO, "read the %s", chunked_file_names[file]);
		k.at = (uint64_t)at;
		r = is_zero(p->plain, (size_t)n) ? 0 : cut_chunk(p, &k, (size_t)n, e);
		if (r < 0)
			return r;
	}
	return at == -ENXIO ? 0 : err_sys(e, (int)-at, "read the %s", chunked_file_names[file]);
}

int job_cut(struct job *job, struct err *e)
{
	AUTO(pieces_done) struct pieces p = { .job = job };
	int r = pieces_init(&p, e);

	for (unsigned i = 0; i < CHUNKED_FILES && r == 0; i++) {
		const char *name = chunked_file_names[i];
		autoclose int fd = openat(job->input_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0 && errno == ENOENT)
			continue;
		job_progress(job, "cut the %s", name);
		r = fd < 0 ? err_sys(e, errno, "open the %s", name) : cut_file(&p, i, fd, e);
	}
	return r < 0 ? r : chunked_check(&job->answer->chunked, e);
}

/* --- join */

static int read_blob(struct pieces *p, const struct chunk *k, struct err *e)
{
	char hex[DIGEST_HEX];
	autoclose int fd = -1;
	struct digest is;
	ssize_t n;

	digest_hex(&k->blob, hex);
	fd = openat(p->job->input_fd, hex, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	n = fd < 0 ? -errno : read_full(fd, p->blob, k->size);
	if (n < 0)
		return err_sys(e, (int)-n, "chunk %.12s", hex);
	hash_bytes(p->blob, (size_t)n, &is);
	return digest_equal(&is, &k->blob)
		       ? 0
		       : err_set(e, EBADMSG, "wrong digest: chunk %.12s is not what it is called", hex);
}

/* No more than the chunk is to be is ever made of a blob. */
static int unpack_blob(struct pieces *p, const struct chunk *k, size_t want, struct err *e)
{
	size_t n = ZSTD_decompressDCtx(p->out, p->plain, want, p->blob, k->size);
	char hex[DIGEST_HEX];
	struct digest is;

	digest_hex(&k->blob, hex);
	if (ZSTD_isError(n))
		return err_set(e, EBADMSG, "chunk %.12s: the zstd data is corrupt: %s", hex,
			       ZSTD_getErrorName(n));
	hash_bytes(p->plain, n, &is);
	return n == want && digest_equal(&is, &k->plain)
		       ? 0
		       : err_set(e, EBADMSG, "chunk %.12s holds other bytes than the image says", hex);
}

static int write_pages(const char *data, size_t n, int fd, off_t at)
{
	size_t from = 0, to;
	int r = 0;

	while (from < n && r == 0) {
		for (to = from; to < n && !is_zero(data + to, n - to < PAGE ? n - to : PAGE); to += PAGE)
			;
		to = to < n ? to : n;
		if (to > from)
			r = pwrite_full(fd, data + from, to - from, at + (off_t)from);
		from = to > from ? to : from + PAGE;
	}
	return r;
}

static int join_chunk(struct pieces *p, const struct chunk *k, const int *fds, struct err *e)
{
	size_t want = (size_t)chunk_plain_bytes(&p->job->request->chunked, k);
	int r = read_blob(p, k, e);

	if (r == 0)
		r = unpack_blob(p, k, want, e);
	if (r < 0)
		return r;
	r = write_pages(p->plain, want, fds[k->file], (off_t)k->at);
	return r < 0 ? err_sys(e, -r, "write the %s", chunked_file_names[k->file]) : 0;
}

static int open_files(const struct job *job, int *fds, struct err *e)
{
	for (unsigned i = 0; i < CHUNKED_FILES; i++) {
		uint64_t bytes = job->request->chunked.bytes[i];

		if (!bytes)
			continue;
		fds[i] = openat(job->stage_fd, chunked_file_names[i],
				O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fds[i] < 0 || ftruncate(fds[i], (off_t)bytes) < 0)
			return err_sys(e, errno, "make the %s", chunked_file_names[i]);
	}
	return 0;
}

int job_join(struct job *job, struct err *e)
{
	const struct chunked *c = &job->request->chunked;
	AUTO(pieces_done) struct pieces p = { .job = job };
	int fds[CHUNKED_FILES] = { -1, -1, -1 }, r = chunked_check(c, e);

	if (r == 0)
		r = pieces_init(&p, e);
	if (r == 0)
		r = open_files(job, fds, e);
	for (size_t i = 0; i < c->chunks.n && r == 0; i++) {
		struct chunk k;

		r = chunk_parse(c->chunks.v[i], &k) < 0 ? err_set(e, ENOMEM, "out of memory")
							: join_chunk(&p, &k, fds, e);
	}
	for (unsigned i = 0; i < CHUNKED_FILES; i++)
		auto_close(&fds[i]);
	return r;
}
