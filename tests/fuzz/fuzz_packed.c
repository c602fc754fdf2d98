/* fuzz_packed.c - any text as the memory of a machine in an image: what is taken is within its limits, and is taken again */
#include <assert.h>
#include <stdint.h>

#include "instance/packed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at_chunks(const struct chunked *c)
{
	assert(c->chunks.n <= CHUNKS_MAX);
	for (size_t i = 0; i < c->chunks.n; i++) {
		struct chunk k;

		assert(chunk_parse(c->chunks.v[i], &k) == 0);
		assert(k.file < CHUNKED_FILES && k.at < c->bytes[k.file] && k.size <= CHUNK_BLOB_MAX);
		assert(chunk_plain_bytes(c, &k) > 0 && chunk_plain_bytes(c, &k) <= CHUNK_BYTES);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packed p = { 0 }, again = { 0 };
	struct buf b = { 0 };
	struct err e;

	if (packed_parse((const char *)data, size, &p, &e) < 0)
		return 0;
	assert(p.format && p.processor && p.spec.vm.kernel && p.verities.n == p.spec.layers.n);
	look_at_chunks(&p.chunked);
	assert(json_print(&packed_table, &p, 0, &b) == 0);
	assert(packed_parse(b.data, b.len, &again, &e) == 0);
	buf_done(&b);
	packed_done(&p);
	packed_done(&again);
	return 0;
}
