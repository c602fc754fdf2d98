/* scheduler.h - how the kernel schedules the calling process: CPU, policy, I/O */
#ifndef SYS_SCHEDULER_H
#define SYS_SCHEDULER_H

#include <stdint.h>

/* sched_setattr(2) */
struct sched_values {
	int policy; /* SCHED_* */
	uint64_t flags; /* SCHED_FLAG_* */
	int nice; /* of SCHED_OTHER and SCHED_BATCH */
	uint32_t priority; /* of SCHED_FIFO and SCHED_RR */
	uint64_t runtime, deadline, period; /* of SCHED_DEADLINE; ns */
};

/* "SCHED_OTHER" -> its number; -EINVAL. */
int sched_policy_from_name(const char *name);
/* "SCHED_FLAG_RECLAIM" -> its bit; -EINVAL. */
int sched_flag_from_name(const char *name, uint64_t *ret);
/* 0 or -errno. */
int sched_set(const struct sched_values *v);
/* "0-3,7": the CPUs that the process may use from now on.  -EINVAL: no such list, or none of them is there; -errno. */
int sched_set_cpus(const char *list);
/* "IOPRIO_CLASS_BE" -> its number; -EINVAL. */
int io_class_from_name(const char *name);
/* ioprio_set(2) */
int io_priority_set(int class, unsigned level);

#endif
