/* fuzz_mountinfo.c - lines of mountinfo, whose paths other users choose */
#include "base/auto.h"
#include "base/buf.h"
#include "cgroup/detect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool nothing_is_mounted_or_all(const char *path, const char *fs_type)
{
	return path[0] != fs_type[0];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(buf_done) struct buf text = { 0 };
	struct host_facts h = { 0 };

	buf_add(&text, data, size);
	if (text.data)
		cgroup_detect_text(text.data, NULL, nothing_is_mounted_or_all, &h);
	json_done(&host_facts_table, &h);
	if (text.data)
		cgroup_detect_text(text.data, text.data, nothing_is_mounted_or_all, &h);
	json_done(&host_facts_table, &h);
	return 0;
}
