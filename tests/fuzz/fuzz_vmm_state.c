/* fuzz_vmm_state.c - saved states whose checksum is right: refused, or read and printed as the same bytes again */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "vmm/state.h"

#define HEAD 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct machine_state state;
static uint8_t bytes[STATE_MAX], again[STATE_MAX];

/* What a forger would do first. */
static void repair(size_t n)
{
	const uint32_t words[2] = { STATE_VERSION, (uint32_t)n };
	struct sha256 h;

	memcpy(bytes, "KETCHVM\n", 8);
	memcpy(bytes + 8, words, sizeof(words));
	sha256_init(&h);
	sha256_add(&h, bytes, n - SHA256_BYTES);
	sha256_end(&h, bytes + n - SHA256_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = { 0 };

	if (size < HEAD + SHA256_BYTES || size > sizeof(bytes))
		return 0;
	memcpy(bytes, data, size);
	repair(size);
	memset(&state, 0, sizeof(state));
	if (state_parse(bytes, size, &state, &e) < 0) {
		assert(e.msg[0]);
		return 0;
	}
	assert(state_print(&state, again, sizeof(again)) == (long)size);
	assert(!memcmp(bytes, again, size));
	return 0;
}
