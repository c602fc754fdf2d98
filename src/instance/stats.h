/* stats.h - what an instance uses now: the answer to MSG_STATS */
#ifndef INSTANCE_STATS_H
#define INSTANCE_STATS_H

#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

/* 0: not known. */
struct stats {
	uint64_t memory_bytes; /* of its processes and their page cache, as its cgroup counts */
	uint64_t
		cache_bytes; /* the part of it that can be had back at once: files that nobody has looked at lately */
	uint64_t cpu_ns; /* since the start */
	uint64_t pids;
	uint64_t read_bytes, written_bytes; /* from and to block devices */
	uint64_t received_bytes, sent_bytes; /* over the network, but for the loopback */
	/* Of the virtual machine, as its kernel tells: all that it has, and what a new process could get.  A container
	 * has no machine of its own, so these are 0; its ceiling is resources.memory_bytes of its spec. */
	uint64_t machine_bytes, machine_available_bytes;
};

extern const struct jtable stats_table;

/* Parses an answer and checks it: a guest may send anything. */
int stats_parse(const char *text, size_t n, struct stats *ret, struct err *e);

#endif
