/* schedule.h - snapshots of a running instance by its policy: a timer, and the command that makes them */
#ifndef MONITOR_SCHEDULE_H
#define MONITOR_SCHEDULE_H

#include "base/loop.h"
#include "instance/spec.h"

struct monitor;

/* Start from { 0 }. */
struct schedule {
	struct watch timer; /* the next one is due */
	struct watch maker; /* pidfd of the command that makes one */
	bool armed, making;
};

/* The main process has started. */
void schedule_start(struct monitor *m);
/* The policy has changed. */
void schedule_change(struct monitor *m, const struct snapshot_policy *policy);

#endif
