/* stats.c - table of the statistics: JSON <-> struct */
#include "instance/stats.h"

static const struct jfield stats_fields[] = {
	JK(J_U64, struct stats, memory_bytes, "memoryBytes"),
	JK(J_U64, struct stats, cpu_ns, "cpuNs"),
	J(J_U64, struct stats, pids),
	{ 0 },
};
const struct jtable stats_table = { sizeof(struct stats), stats_fields };
