/* stats.c - the statistics: JSON <-> struct */
#include "instance/stats.h"

#include <errno.h>

static const struct jfield stats_fields[] = {
	JK(J_U64, struct stats, memory_bytes, "memoryBytes"),
	JK(J_U64, struct stats, cache_bytes, "cacheBytes"),
	JK(J_U64, struct stats, cpu_ns, "cpuNs"),
	J(J_U64, struct stats, pids),
	JK(J_U64, struct stats, read_bytes, "readBytes"),
	JK(J_U64, struct stats, written_bytes, "writtenBytes"),
	JK(J_U64, struct stats, received_bytes, "receivedBytes"),
	JK(J_U64, struct stats, sent_bytes, "sentBytes"),
	JK(J_U64, struct stats, machine_bytes, "machineBytes"),
	JK(J_U64, struct stats, machine_available_bytes, "machineAvailableBytes"),
	{ 0 },
};
const struct jtable stats_table = { sizeof(struct stats), stats_fields };

int stats_parse(const char *text, size_t n, struct stats *ret, struct err *e)
{
	struct stats st = { 0 };
	int r = json_parse(&stats_table, text, n, JSON_STRICT | JSON_UNIQUE, &st, e);

	if (r < 0)
		return r;
	if (st.machine_available_bytes > st.machine_bytes)
		return err_set(e, EINVAL, "statistics: more memory is available than there is");
	if (st.cache_bytes > st.memory_bytes)
		return err_set(e, EINVAL, "statistics: more memory is cache than there is");
	*ret = st;
	return 0;
}
