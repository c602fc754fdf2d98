/* fuzz_conf.c - any bytes as a configuration file: refused with a place, or pairs that read the same when written */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "opts/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int write_pair(void *arg, const char *key, const char *value, struct err *e)
{
	if (!*key || strpbrk(key, " \t\r\n=#\"_"))
		abort();
	/* a quote cannot be quoted; such a value has neither blanks at its ends nor a comment */
	buf_addf(arg, strchr(value, '"') ? "%s = %s\n" : "%s = \"%s\"\n", key, value);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf first = { 0 }, second = { 0 };
	struct err e = { 0 };

	if (conf_parse("f", (const char *)data, size, write_pair, &first, &e) < 0) {
		if (strncmp(e.msg, "f:", 2) != 0)
			abort();
	} else if (first.len && first.len <= CONF_MAX) {
		if (conf_parse("g", first.data, first.len, write_pair, &second, &e) < 0)
			abort();
		if (first.len != second.len || memcmp(first.data, second.data, first.len) != 0)
			abort();
	}
	buf_done(&first);
	buf_done(&second);
	return 0;
}
