/* stats.h - what an instance uses now: the answer to MSG_STATS */
#ifndef INSTANCE_STATS_H
#define INSTANCE_STATS_H

#include <stdint.h>

#include "base/json.h"

/* 0: not known. */
struct stats {
	uint64_t memory_bytes;
	uint64_t cpu_ns; /* since the start */
	uint64_t pids;
};

extern const struct jtable stats_table;

#endif
