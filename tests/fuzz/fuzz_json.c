/* fuzz_json.c - any text into an instance_spec: refused, or printed again as something that parses the same */
#include <stdlib.h>
#include <string.h>

#include "instance/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool print(const struct instance_spec *s, struct buf *out)
{
	return json_print(&instance_spec_table, s, 0, out) == 0 && buf_ok(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct instance_spec spec = { 0 }, again = { 0 };
	struct buf first = { 0 }, second = { 0 };
	struct err e = { 0 };

	if (json_parse(&instance_spec_table, (const char *)data, size, 0, &spec, &e) < 0)
		return 0;
	if (!print(&spec, &first))
		abort();
	if (json_parse(&instance_spec_table, first.data, first.len, JSON_STRICT, &again, &e) < 0)
		abort();
	if (!print(&again, &second) || strcmp(first.data, second.data) != 0)
		abort();
	json_done(&instance_spec_table, &spec);
	json_done(&instance_spec_table, &again);
	buf_done(&first);
	buf_done(&second);
	return 0;
}
