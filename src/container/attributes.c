/* attributes.c - what an OCI process has besides its rights: OOM score, scheduling, CPUs, personality */
#include "container/attributes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/parse.h"
#include "sys/procfs.h"
#include "sys/scheduler.h"

/* --- OOM score */

static int read_score(int fd, int64_t *ret)
{
	char text[24];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return n < 0 ? -errno : -EPROTO;
	text[n - (text[n - 1] == '\n')] = '\0';
	return parse_i64(text, ret);
}

static int write_score(int fd, int64_t score)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%lld", (long long)score);

	return write(fd, text, (size_t)n) < 0 ? -errno : 0;
}

int attributes_set_score(int64_t want, int proc, int64_t *ret_before, struct err *e)
{
	autoclose int fd = procfs_open_self(proc, "oom_score_adj", O_RDWR);
	int64_t now;
	int r;

	if (fd < 0)
		return err_sys(e, -fd, "process.oomScoreAdj: cannot open oom_score_adj");
	r = read_score(fd, &now);
	if (r < 0)
		return err_sys(e, -r, "process.oomScoreAdj: cannot be read");
	r = write_score(fd, want);
	/* below the lowest that we ever had, which only CAP_SYS_RESOURCE may: what we have is the nearest */
	if (r < 0 && !(r == -EACCES && want < now))
		return err_sys(e, -r, "process.oomScoreAdj: cannot be set");
	*ret_before = now;
	return 0;
}

int attributes_warnings(const struct oci_process *p, bool can_raise, struct strv *ret)
{
	AUTO(buf_done) struct buf text = { 0 };
	int64_t now;

	if (!p->oom_score_adj.set || can_raise ||
	    read_file(AT_FDCWD, "/proc/self/oom_score_adj", 24, &text) < 0 || !text.len)
		return 0;
	text.data[strcspn(text.data, "\n")] = '\0';
	if (parse_i64(text.data, &now) < 0 || p->oom_score_adj.v >= now)
		return 0;
	return strv_addf(ret, "the OOM score stays at %lld: this host does not let it be lowered to %lld",
			 (long long)now, (long long)p->oom_score_adj.v);
}

/* --- scheduling */

static int set_scheduler(const struct oci_scheduler *s, struct err *e)
{
	struct sched_values v = {
		.nice = (int)s->nice,
		.priority = (uint32_t)s->priority,
		.runtime = s->runtime,
		.deadline = s->deadline,
		.period = s->period,
	};
	uint64_t flag;
	int r;

	if (!s->policy)
		return 0;
	v.policy = sched_policy_from_name(s->policy);
	if (v.policy < 0)
		return err_set(e, EINVAL, "process.scheduler.policy: unknown policy \"%.40s\"", s->policy);
	for (size_t i = 0; i < s->flags.n; i++) {
		if (sched_flag_from_name(s->flags.v[i], &flag) < 0)
			return err_set(e, EINVAL, "process.scheduler.flags[%zu]: unknown flag \"%.40s\"", i,
				       s->flags.v[i]);
		v.flags |= flag;
	}
	r = sched_set(&v);
	return r < 0 ? err_sys(e, -r, "process.scheduler: cannot set %s", s->policy) : 0;
}

static int set_io_priority(const struct oci_io_priority *io, struct err *e)
{
	int class, r;

	if (!io->class)
		return 0;
	class = io_class_from_name(io->class);
	if (class < 0)
		return err_set(e, EINVAL, "process.ioPriority.class: unknown class \"%.40s\"", io->class);
	r = io_priority_set(class, (unsigned)io->priority);
	return r < 0 ? err_sys(e, -r, "process.ioPriority: cannot set %s", io->class) : 0;
}

int attributes_apply(const struct oci_process *p, struct err *e)
{
	int r = set_scheduler(&p->scheduler, e);

	return r == 0 ? set_io_priority(&p->io_priority, e) : r;
}

int attributes_set_cpus(const char *list, const char *key, struct err *e)
{
	int r = list && *list ? sched_set_cpus(list) : 0;

	return r < 0 ? err_sys(e, -r, "process.execCPUAffinity.%s: cannot use the CPUs \"%.60s\"", key, list)
		     : 0;
}

/* --- personality */

int attributes_set_personality(const char *domain, struct err *e)
{
	unsigned long value;

	if (!domain)
		return 0;
	if (!strcmp(domain, "LINUX"))
		value = PER_LINUX;
	else if (!strcmp(domain, "LINUX32"))
		value = PER_LINUX32;
	else
		return err_set(e, EINVAL, "linux.personality.domain: unknown domain \"%.40s\"", domain);
	return personality(value) < 0 ? err_sys(e, errno, "linux.personality: cannot set %s", domain) : 0;
}
