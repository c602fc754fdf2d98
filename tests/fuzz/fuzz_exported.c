/* fuzz_exported.c - any text as an instance that was exported: what is taken can be printed, and is taken again */
#include <assert.h>
#include <stdint.h>

#include "base/parse.h"
#include "instance/exported.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct exported x = { 0 }, again = { 0 };
	struct buf b = { 0 };
	struct err e;

	if (exported_parse((const char *)data, size, &x, &e) < 0)
		return 0;
	assert(x.n_snapshots < EXPORTED_MOST && x.now.spec.id && x.now.spec.process.args.n);
	for (size_t i = 0; i < x.n_snapshots; i++)
		assert(x.snapshots[i].name && is_snapshot_name(x.snapshots[i].name));
	assert(json_print(&exported_table, &x, 0, &b) == 0);
	assert(exported_parse(b.data, b.len, &again, &e) == 0);
	buf_done(&b);
	exported_done(&x);
	exported_done(&again);
	return 0;
}
