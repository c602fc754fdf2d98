/* chunks_index.c - an image and chunks under one name of a registry: an index of both (OCI image-spec 1.1)
 *
 * The image has its platform; the artifact has one that nobody asks for ("unknown", as others do it), so that whoever
 * pulls the name gets the image.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/sha256.h"
#include "image/chunks_int.h"
#include "oci/manifest.h"

#define MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"
#define INDEX_TYPE    "application/vnd.oci.image.index.v1+json"
#define EMPTY_TYPE    "application/vnd.oci.empty.v1+json"
#define ARTIFACT_TYPE "application/vnd.ketch.memory.v1"
#define CHUNK_TYPE    "application/vnd.ketch.memory.chunk.v1+zstd"
#define EMPTY	      "{}"

void chunks_index_done(struct chunks_index *x)
{
	free(x->index);
	free(x->artifact);
	strv_done(&x->blobs);
}

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

/* *ret: its digest, owned. */
static int put(int blobs_fd, const char *text, size_t n, char **ret, struct err *e)
{
	char hex[SHA256_HEX];
	int r;

	sha256_hex(text, n, hex);
	r = write_file_swap(blobs_fd, hex, 0644, text, n);
	if (r < 0)
		return err_sys(e, -r, "hand over %.12s", hex);
	*ret = str_printf("sha256:%s", hex);
	return *ret ? 0 : no_memory(e);
}

static int add_blob(struct chunks_index *x, const char *digest, uint64_t size)
{
	autofree char *word = str_printf("%s %llu", digest, (unsigned long long)size);

	if (!word)
		return -ENOMEM;
	return strv_has(&x->blobs, word) ? 0 : strv_add(&x->blobs, word);
}

static int add_chunk(const struct image_chunks *c, size_t i, int blobs_fd, struct chunks_index *x,
		     struct buf *artifact, struct err *e)
{
	char hex[DIGEST_HEX], text[DIGEST_TEXT];
	struct chunk k;

	if (chunk_parse(c->list.chunks.v[i], &k) < 0)
		return no_memory(e);
	digest_hex(&k.blob, hex);
	digest_text(&k.blob, text);
	if (linkat(c->stage.fd, hex, blobs_fd, hex, 0) < 0 && errno != EEXIST)
		return err_sys(e, errno, "hand over a chunk");
	buf_addf(artifact, "%s{\"mediaType\":\"" CHUNK_TYPE "\",\"digest\":\"%s\",\"size\":%llu}",
		 i ? "," : "", text, (unsigned long long)k.size);
	return add_blob(x, text, k.size) < 0 ? no_memory(e) : 0;
}

static int manifest_bytes(int blobs_fd, const char *manifest, uint64_t *ret, struct err *e)
{
	struct stat st;

	if (fstatat(blobs_fd, strchr(manifest, ':') + 1, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, errno, "what was saved");
	*ret = (uint64_t)st.st_size;
	return 0;
}

static int make_artifact(const struct image_chunks *c, int blobs_fd, const char *manifest, uint64_t bytes,
			 struct chunks_index *x, size_t *ret_bytes, struct err *e)
{
	AUTO(buf_done) struct buf text = { 0 };
	autofree char *empty = NULL;
	int r = put(blobs_fd, EMPTY, strlen(EMPTY), &empty, e);

	if (r < 0)
		return r;
	buf_addf(&text,
		 "{\"schemaVersion\":2,\"mediaType\":\"" MANIFEST_TYPE "\",\"artifactType\":\"" ARTIFACT_TYPE
		 "\",\"config\":{\"mediaType\":\"" EMPTY_TYPE "\",\"digest\":\"%s\",\"size\":%zu},"
		 "\"layers\":[",
		 empty, strlen(EMPTY));
	if (add_blob(x, empty, strlen(EMPTY)) < 0)
		r = no_memory(e);
	for (size_t i = 0; i < c->list.chunks.n && r == 0; i++)
		r = add_chunk(c, i, blobs_fd, x, &text, e);
	buf_addf(&text,
		 "],\"subject\":{\"mediaType\":\"" MANIFEST_TYPE "\",\"digest\":\"%s\",\"size\":%llu}}",
		 manifest, (unsigned long long)bytes);
	if (r == 0 && !buf_ok(&text))
		r = no_memory(e);
	if (r == 0 && text.len > IMAGE_DOCUMENT_MAX)
		r = err_set(e, EFBIG, "its list of chunks is larger than %d MiB", IMAGE_DOCUMENT_MAX >> 20);
	*ret_bytes = text.len;
	return r < 0 ? r : put(blobs_fd, text.data, text.len, &x->artifact, e);
}

int chunks_index_make(const struct image_chunks *c, int blobs_fd, const char *manifest,
		      struct chunks_index *ret, struct err *e)
{
	AUTO(buf_done) struct buf text = { 0 };
	struct chunks_index x = { 0 };
	size_t artifact_bytes = 0;
	uint64_t bytes = 0;
	int r = manifest_bytes(blobs_fd, manifest, &bytes, e);

	if (r == 0)
		r = make_artifact(c, blobs_fd, manifest, bytes, &x, &artifact_bytes, e);
	if (r == 0) {
		buf_addf(&text,
			 "{\"schemaVersion\":2,\"mediaType\":\"" INDEX_TYPE "\",\"manifests\":["
			 "{\"mediaType\":\"" MANIFEST_TYPE "\",\"digest\":\"%s\",\"size\":%llu,"
			 "\"platform\":{\"architecture\":\"%s\",\"os\":\"linux\"}},"
			 "{\"mediaType\":\"" MANIFEST_TYPE "\",\"digest\":\"%s\",\"size\":%zu,"
			 "\"artifactType\":\"" ARTIFACT_TYPE "\","
			 "\"platform\":{\"architecture\":\"unknown\",\"os\":\"unknown\"}}]}",
			 manifest, (unsigned long long)bytes, platform_host(), x.artifact, artifact_bytes);
		r = buf_ok(&text) ? put(blobs_fd, text.data, text.len, &x.index, e) : no_memory(e);
	}
	if (r < 0)
		chunks_index_done(&x);
	else
		*ret = x;
	return r;
}
