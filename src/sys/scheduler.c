/* scheduler.c - how the kernel schedules the calling process: CPU, policy, I/O */
#include "sys/scheduler.h"

#include <errno.h>
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"

#define MAX_CPUS  8192 /* the largest CONFIG_NR_CPUS of x86 */
#define WORD_BITS (8 * sizeof(unsigned long))

struct word {
	const char *name;
	int value;
};

static const struct word policies[] = {
	{ "SCHED_OTHER", SCHED_NORMAL },      { "SCHED_FIFO", SCHED_FIFO }, { "SCHED_RR", SCHED_RR },
	{ "SCHED_BATCH", SCHED_BATCH },	      { "SCHED_ISO", 4 },	    { "SCHED_IDLE", SCHED_IDLE },
	{ "SCHED_DEADLINE", SCHED_DEADLINE },
};

static const struct word flags[] = {
	{ "SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK },
	{ "SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM },
	{ "SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN },
	{ "SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY },
	{ "SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS },
	{ "SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN },
	{ "SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX },
};

static const struct word io_classes[] = {
	{ "IOPRIO_CLASS_RT", IOPRIO_CLASS_RT },
	{ "IOPRIO_CLASS_BE", IOPRIO_CLASS_BE },
	{ "IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE },
};

static int find(const struct word *words, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(words[i].name, name))
			return words[i].value;
	return -EINVAL;
}

int sched_policy_from_name(const char *name)
{
	return find(policies, ARRAY_LEN(policies), name);
}

int sched_flag_from_name(const char *name, uint64_t *ret)
{
	int flag = find(flags, ARRAY_LEN(flags), name);

	if (flag < 0)
		return flag;
	*ret = (uint64_t)flag;
	return 0;
}

int io_class_from_name(const char *name)
{
	return find(io_classes, ARRAY_LEN(io_classes), name);
}

int sched_set(const struct sched_values *v)
{
	struct sched_attr a = {
		.size = sizeof(a),
		.sched_policy = (uint32_t)v->policy,
		.sched_flags = v->flags,
		.sched_nice = v->nice,
		.sched_priority = v->priority,
		.sched_runtime = v->runtime,
		.sched_deadline = v->deadline,
		.sched_period = v->period,
	};

	return syscall(SYS_sched_setattr, 0, &a, 0) < 0 ? -errno : 0;
}

/* Reads a number and moves *p behind it. */
static int read_cpu(const char **p, unsigned *ret)
{
	size_t n = strspn(*p, "0123456789");
	unsigned v = 0;

	if (!n || n > 5)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		v = v * 10 + (unsigned)((*p)[i] - '0');
	if (v >= MAX_CPUS)
		return -EINVAL;
	*p += n;
	*ret = v;
	return 0;
}

static int read_range(const char **p, unsigned long *set)
{
	unsigned first, last;

	if (read_cpu(p, &first) < 0)
		return -EINVAL;
	last = first;
	if (**p == '-') {
		++*p;
		if (read_cpu(p, &last) < 0)
			return -EINVAL;
	}
	if (last < first)
		return -EINVAL;
	for (unsigned i = first; i <= last; i++)
		set[i / WORD_BITS] |= 1UL << i % WORD_BITS;
	return 0;
}

int sched_set_cpus(const char *list)
{
	unsigned long set[MAX_CPUS / WORD_BITS] = { 0 };
	const char *p = list;
	int r = read_range(&p, set);

	while (r == 0 && *p == ',') {
		p++;
		r = read_range(&p, set);
	}
	if (r < 0 || *p)
		return -EINVAL;
	return syscall(SYS_sched_setaffinity, 0, sizeof(set), set) < 0 ? -errno : 0;
}

int io_priority_set(int class, unsigned level)
{
	unsigned value = (unsigned)class << IOPRIO_CLASS_SHIFT | level;

	return syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, value) < 0 ? -errno : 0;
}
