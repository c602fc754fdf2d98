/* health.h - the checks of a running instance: run by a timer, one at a time, as an exec is */
#ifndef MONITOR_HEALTH_H
#define MONITOR_HEALTH_H

#include "base/loop.h"
#include "instance/health.h"
#include "wire/msg.h"

struct monitor;

/* Start from { 0 }. */
struct health {
	struct watch timer; /* the next check, or the end of the one that runs */
	bool armed; /* there are checks */
	uint32_t stream; /* of the check that runs; 0: none */
	int64_t start_ns, start_mono_ns; /* of the check */
	bool timed_out;
	struct buf output;
};

/* The main process has started. */
void monitor_health_start(struct monitor *m);
/* A message of the process of a check. */
void monitor_health_message(struct monitor *m, const struct msg *msg);

#endif
