/* fuzz_oci_resources.c - the resources of update, from anybody: refused with a reason, or read and freed */
#include <stdlib.h>

#include "oci/runtime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct oci_resources parsed;
	struct err e = { 0 };

	if (oci_resources_parse((const char *)data, size, &parsed, &e) == 0)
		oci_resources_done(&parsed);
	else if (!e.msg[0])
		abort();
	return 0;
}
