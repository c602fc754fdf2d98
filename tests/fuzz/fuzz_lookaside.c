/* fuzz_lookaside.c - any bytes as a file of registries.d: refused, or places of a kind that is known */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "registry/lookaside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(lookasides_done) struct lookasides l = { 0 };
	autofree char *url = NULL;
	struct err e = { 0 };

	if (lookaside_parse((const char *)data, size, &l, &e) < 0) {
		if (!e.no || !*e.msg)
			abort();
		return 0;
	}
	if (lookaside_find(&l, "a.example/library/x", "1", &url, &e) < 0 ||
	    (strncmp(url, "file:///", 8) != 0 && strncmp(url, "http", 4) != 0) ||
	    strcmp(url + strlen(url) - strlen("/library/x"), "/library/x") != 0)
		abort();
	return 0;
}
