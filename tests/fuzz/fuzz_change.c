/* fuzz_change.c - any bytes as a list of changes, in pieces of any size: records within their limits, or a refusal */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "instance/change.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t piece = size ? 1 + data[0] : 1, used = 0;
	struct buf in = { 0 };
	struct change c;
	int r = 0;

	for (size_t at = 0; at < size && r == 0; at += piece) {
		buf_add(&in, data + at, size - at < piece ? size - at : piece);
		while ((r = change_peek(&in, &c)) == 1) {
			assert(strchr("ACD", c.kind) && c.kind && c.path[0] == '/' && c.path[1]);
			assert(c.bytes <= CHANGE_RECORD_MAX && strlen(c.path) + 2 <= c.bytes);
			used += c.bytes;
			change_drop(&in, &c);
		}
		assert(r <= 0 && in.len <= CHANGE_RECORD_MAX + piece);
	}
	assert(r < 0 || used + in.len == size);
	buf_done(&in);
	return 0;
}
