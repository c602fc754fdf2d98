/* chunk.c - large files cut into pieces, each a blob of a registry of its own; pure */
#include "oci/chunk.h"

#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "base/parse.h"

enum { WORD_FILE, WORD_AT, WORD_BLOB, WORD_SIZE, WORD_PLAIN, WORDS };

const char *const chunked_file_names[] = { "disk", "state", "ram", NULL };

static const struct jfield chunked_fields[] = {
	JK(J_U64, struct chunked, bytes[CHUNKED_DISK], "disk"),
	JK(J_U64, struct chunked, bytes[CHUNKED_STATE], "state"),
	JK(J_U64, struct chunked, bytes[CHUNKED_RAM], "ram"),
	J(J_STRV, struct chunked, chunks),
	{ 0 },
};
const struct jtable chunked_table = { sizeof(struct chunked), chunked_fields };

static int parse_file(const char *word, unsigned *ret)
{
	for (unsigned i = 0; i < CHUNKED_FILES; i++)
		if (!strcmp(word, chunked_file_names[i])) {
			*ret = i;
			return 0;
		}
	return -EINVAL;
}

int chunk_parse(const char *text, struct chunk *ret)
{
	AUTO(strv_done) struct strv words = { 0 };
	struct chunk k = { 0 };

	if (strv_split(&words, text, " ") < 0)
		return -ENOMEM;
	if (words.n != WORDS || parse_file(words.v[WORD_FILE], &k.file) < 0 ||
	    parse_u64(words.v[WORD_AT], &k.at) < 0 || digest_parse(words.v[WORD_BLOB], &k.blob) < 0 ||
	    parse_u64(words.v[WORD_SIZE], &k.size) < 0 || digest_parse(words.v[WORD_PLAIN], &k.plain) < 0)
		return -EINVAL;
	*ret = k;
	return 0;
}

int chunk_add(struct chunked *c, const struct chunk *k)
{
	char blob[DIGEST_TEXT], plain[DIGEST_TEXT];

	digest_text(&k->blob, blob);
	digest_text(&k->plain, plain);
	return strv_addf(&c->chunks, "%s %llu %s %llu %s", chunked_file_names[k->file],
			 (unsigned long long)k->at, blob, (unsigned long long)k->size, plain);
}

uint64_t chunk_plain_bytes(const struct chunked *c, const struct chunk *k)
{
	uint64_t left = c->bytes[k->file] - k->at;

	return left < CHUNK_BYTES ? left : CHUNK_BYTES;
}

static bool is_behind(const struct chunk *k, const struct chunk *before)
{
	return k->file > before->file || (k->file == before->file && k->at > before->at);
}

static int check_chunk(const struct chunked *c, size_t i, struct chunk *before, struct err *e)
{
	struct chunk k;

	if (chunk_parse(c->chunks.v[i], &k) < 0)
		return err_set(e, EINVAL, "chunk %zu: \"%.60s\" is none", i, c->chunks.v[i]);
	if (k.at % CHUNK_BYTES || k.at >= c->bytes[k.file])
		return err_set(e, EINVAL, "chunk %zu is outside of the %s", i, chunked_file_names[k.file]);
	if (!k.size || k.size > CHUNK_BLOB_MAX)
		return err_set(e, EINVAL, "chunk %zu has %llu bytes, not 1 to %u", i,
			       (unsigned long long)k.size, CHUNK_BLOB_MAX);
	if (i && !is_behind(&k, before))
		return err_set(e, EINVAL, "chunk %zu is there twice, or not in its order", i);
	*before = k;
	return 0;
}

int chunked_check(const struct chunked *c, struct err *e)
{
	struct chunk before = { 0 };
	int r = 0;

	for (unsigned i = 0; i < CHUNKED_FILES; i++)
		if (c->bytes[i] > CHUNKED_BYTES_MAX)
			return err_set(e, EFBIG, "the %s is larger than %llu GiB", chunked_file_names[i],
				       (unsigned long long)(CHUNKED_BYTES_MAX >> 30));
	if (c->chunks.n > CHUNKS_MAX)
		return err_set(e, E2BIG, "more than %d chunks of %u MiB", CHUNKS_MAX, CHUNK_BYTES >> 20);
	for (size_t i = 0; i < c->chunks.n && r == 0; i++)
		r = check_chunk(c, i, &before, e);
	return r;
}
