/* fuzz_oci_config.c - a config.json from anybody: refused with a reason, or read, printed and read again alike */
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "oci/runtime_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print(const struct oci_spec *s, struct buf *out)
{
	if (json_print(&oci_spec_table, s, JSON_ALL, out) < 0)
		abort();
}

/* Words whose absence cannot be printed are there. */
static bool is_printable(const struct oci_spec *s)
{
	return s->has_process && s->process.scheduler.policy && s->process.io_priority.class &&
	       s->lnx.personality_domain;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(buf_done) struct buf first = { 0 }, second = { 0 };
	struct oci_spec s, again;
	struct err e = { 0 };

	if (oci_spec_parse((const char *)data, size, &s, &e) < 0) {
		if (!e.msg[0])
			abort();
		return 0;
	}
	if (is_printable(&s)) {
		print(&s, &first);
		if (oci_spec_parse(first.data, first.len, &again, &e) < 0)
			abort();
		print(&again, &second);
		if (strcmp(first.data, second.data) != 0)
			abort();
		oci_spec_done(&again);
	}
	oci_spec_done(&s);
	return 0;
}
