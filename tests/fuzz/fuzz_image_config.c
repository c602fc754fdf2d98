/* fuzz_image_config.c - any text as an image config: refused, or printed again as something that parses */
#include <stdlib.h>

#include "base/auto.h"
#include "oci/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image_config c = { 0 }, again = { 0 };
	AUTO(strv_done) struct strv stack = { 0 };
	AUTO(buf_done) struct buf text = { 0 };
	struct err e = { 0 };

	if (image_config_parse((const char *)data, size, &c, &e) < 0)
		return 0;
	if (image_config_stack(&c, &stack) < 0 || stack.n > c.rootfs.diff_ids.n)
		abort();
	if (json_print(&image_config_table, &c, 0, &text) < 0 ||
	    image_config_parse(text.data, text.len, &again, &e) < 0)
		abort();
	json_done(&image_config_table, &c);
	json_done(&image_config_table, &again);
	return 0;
}
