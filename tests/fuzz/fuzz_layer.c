/* fuzz_layer.c - any bytes as a layer, compressed or not: read to the end or refused, in bounded memory */
#include <locale.h>

#include "unpack/tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source *s = source_decode(source_memory(data, size));
	struct err e = { 0 };
	bool complete;

	if (s)
		tar_unpack(s, &(const struct tar_into){ 0 }, &complete, &e);
	source_free(s);
	return 0;
}
