/* fuzz_pool.c - any bytes as what the pool of a network hands out: refused, or the name of a link of ours */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "network/pool_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool_message m = { .link = "" };

	memcpy(&m, data, size < sizeof(m) ? size : sizeof(m));
	if (!pool_message_check(&m))
		return 0;
	if (strnlen(m.link, sizeof(m.link)) == sizeof(m.link) || strncmp(m.link, "kv-", 3) != 0 ||
	    strspn(m.link + 3, "0123456789abcdef") != strlen(m.link + 3) || m.index <= 0)
		abort();
	return 0;
}
