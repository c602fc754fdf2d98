/* fuzz_bzimage.c - headers of kernel images: parsed or refused, never read past their end */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "kernel/bzimage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bzimage b;
	struct err e;

	if (bzimage_parse(data, size, &b, &e) == 0)
		assert(*b.release && !strchr(b.release, '/') && strcmp(b.release, ".."));
	return 0;
}
