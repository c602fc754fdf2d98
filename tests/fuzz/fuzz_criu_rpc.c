/* fuzz_criu_rpc.c - what CRIU answers over its RPC: it reads images that may come from anywhere */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "criu/rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct criu_response r;

	if (criu_rpc_parse(data, size, &r) == 0)
		assert(strnlen(r.script, sizeof(r.script)) < sizeof(r.script));
	return 0;
}
