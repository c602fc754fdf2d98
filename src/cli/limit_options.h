/* limit_options.h - the rows of limits that run and update have in common
 *
 * They stand where their names do in the order of the alphabet, so they come in groups.  OWNER is the struct of the command,
 * LIMITS its member of type struct limits.
 */
#ifndef CLI_LIMIT_OPTIONS_H
#define CLI_LIMIT_OPTIONS_H

#include "opts/opts.h"

#define LIMIT_OPT_BLKIO_WEIGHT(owner, limits)                                                                \
	OPT(INT, 0, "blkio-weight", owner, limits.blkio_weight, "NUMBER",                                    \
	    "Its part where a disk is busy, 10 to 1000")

#define LIMIT_OPTS_CPU(owner, limits)                                                                        \
	OPT(INT, 0, "cpu-period", owner, limits.cpu_period_us, "MICROSECONDS",                               \
	    "How often --cpu-quota is granted; 100000"),                                                     \
		OPT(INT, 0, "cpu-quota", owner, limits.cpu_quota_us, "MICROSECONDS",                         \
		    "CPU time it may use in a period"),                                                      \
		OPT(INT, 'c', "cpu-shares", owner, limits.cpu_shares, "NUMBER",                              \
		    "Its part where CPUs are busy; 1024 is everybody's"),                                    \
		OPT(MILLI, 0, "cpus", owner, limits.cpu_milli, "NUMBER",                                     \
		    "How many CPUs it may use, such as 1.5"),                                                \
		OPT(STR, 0, "cpuset-cpus", owner, limits.cpuset_cpus, "LIST",                                \
		    "CPUs it may run on, such as 0-2,5"),                                                    \
		OPT(STR, 0, "cpuset-mems", owner, limits.cpuset_mems, "LIST",                                \
		    "Memory nodes it may use, such as 0,1")

#define LIMIT_OPTS_MEMORY(owner, limits)                                                                     \
	OPT(BYTES, 'm', "memory", owner, limits.memory_bytes, "BYTES", "Memory limit, such as 512m"),        \
		OPT(BYTES, 0, "memory-reservation", owner, limits.memory_reservation_bytes, "BYTES",         \
		    "Memory it keeps where memory is short"),                                                \
		OPT(STR, 0, "memory-swap", owner, limits.memory_swap, "BYTES",                               \
		    "Limit of memory and swap together; -1: none")

/* Not in `limits`: 0 means another thing on the command line. */
#define LIMIT_OPT_PIDS(owner, pids_limit)                                                                    \
	OPT(INT, 0, "pids-limit", owner, pids_limit, "NUMBER", "Limit of processes and threads; -1: none")

#endif
