/* rlimit.c - resource limits by the names that --ulimit takes */
#include "sys/rlimit.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>

#include "base/auto.h"

static const struct {
	const char *name;
	int number;
} limits[] = {
	{ "core", RLIMIT_CORE },	 { "cpu", RLIMIT_CPU },
	{ "data", RLIMIT_DATA },	 { "fsize", RLIMIT_FSIZE },
	{ "locks", RLIMIT_LOCKS },	 { "memlock", RLIMIT_MEMLOCK },
	{ "msgqueue", RLIMIT_MSGQUEUE }, { "nice", RLIMIT_NICE },
	{ "nofile", RLIMIT_NOFILE },	 { "nproc", RLIMIT_NPROC },
	{ "rss", RLIMIT_RSS },		 { "rtprio", RLIMIT_RTPRIO },
	{ "rttime", RLIMIT_RTTIME },	 { "sigpending", RLIMIT_SIGPENDING },
	{ "stack", RLIMIT_STACK },	 { "as", RLIMIT_AS },
};

int rlimit_number(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		if (!strcmp(limits[i].name, name))
			return limits[i].number;
	return -EINVAL;
}

int rlimit_get(int number, uint64_t *ret_soft, uint64_t *ret_hard)
{
	struct rlimit l;

	if (getrlimit((__rlimit_resource_t)number, &l) < 0)
		return -errno;
	*ret_soft = l.rlim_cur;
	*ret_hard = l.rlim_max;
	return 0;
}

int rlimit_set(int number, uint64_t soft, uint64_t hard)
{
	struct rlimit l = { soft, hard };

	return setrlimit((__rlimit_resource_t)number, &l) < 0 ? -errno : 0;
}
