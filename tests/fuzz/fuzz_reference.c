/* fuzz_reference.c - any text as the name of an image: refused, or a short form that is a name again */
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "oci/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(reference_done) struct reference ref = { 0 }, again = { 0 };
	autofree char *text = strndup((const char *)data, size), *kept = NULL;
	struct err e = { 0 };

	if (!text || reference_parse(text, &ref, &e) < 0)
		return 0;
	kept = reference_text(&ref);
	/* docker.io/HEX is kept as HEX, which alone would be an id */
	if (!kept || (reference_parse(kept, &again, &e) < 0 && strspn(kept, "0123456789abcdef") < 64))
		abort();
	if (again.name && strcmp(again.name, ref.name) != 0)
		abort();
	return 0;
}
