/* request_limits.c - --memory, --cpus, --cpuset-*, --blkio-*, --device-*-bps ... -> resources, with Docker's rules */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/auto.h"
#include "base/parse.h"
#include "base/ranges.h"
#include "engine/request_int.h"

#define MIN_MEMORY (UINT64_C(6) << 20) /* Docker's: below it a process cannot start */
#define MAX_MEMORY (UINT64_C(1) << 46)

/* --- memory */

static int take_swap(const char *text, struct resources *res, struct err *e)
{
	uint64_t bytes;

	if (!strcmp(text, "-1")) {
		res->memory_swap_bytes = -1;
		return 0;
	}
	if (parse_bytes(text, &bytes) < 0 || bytes > MAX_MEMORY * 2)
		return err_set(e, EINVAL, "--memory-swap: '%.40s' is not a size such as 1g, nor -1", text);
	res->memory_swap_bytes = (int64_t)bytes;
	return 0;
}

static int take_swappiness(const char *text, struct resources *res, struct err *e)
{
	int64_t v;

	if (parse_i64(text, &v) < 0 || v < -1 || v > 100)
		return err_set(e, EINVAL, "--memory-swappiness: '%.40s' is not in 0 to 100", text);
	res->memory_swappiness = (struct opt_i64){ .set = v >= 0, .v = v >= 0 ? v : 0 };
	return 0;
}

static int check_memory(const struct resources *res, struct err *e)
{
	uint64_t memory = res->memory_bytes, kept = res->memory_reservation_bytes;
	int64_t swap = res->memory_swap_bytes;

	if (memory && memory < MIN_MEMORY)
		return err_set(e, EINVAL, "--memory: the least is 6m");
	if (memory > MAX_MEMORY)
		return err_set(e, EINVAL, "--memory: too large");
	if (swap > 0 && !memory)
		return err_set(e, EINVAL, "--memory-swap: needs --memory, of which it is the sum with swap");
	if (swap > 0 && (uint64_t)swap < memory)
		return err_set(e, EINVAL,
			       "--memory-swap: less than --memory; it is the sum of memory and swap");
	if (kept && kept < MIN_MEMORY)
		return err_set(e, EINVAL, "--memory-reservation: the least is 6m");
	if (kept > (memory ? memory : MAX_MEMORY))
		return err_set(e, EINVAL, "--memory-reservation: more than --memory");
	return 0;
}

static int take_memory(const struct limits_request *rq, struct resources *res, struct err *e)
{
	int r = 0;

	if (rq->memory_bytes)
		res->memory_bytes = rq->memory_bytes;
	if (rq->memory_reservation_bytes)
		res->memory_reservation_bytes = rq->memory_reservation_bytes;
	if (rq->memory_swap && *rq->memory_swap)
		r = take_swap(rq->memory_swap, res, e);
	if (r == 0 && rq->memory_swappiness)
		r = take_swappiness(rq->memory_swappiness, res, e);
	if (rq->oom_kill_disable)
		res->oom_kill_disable = true;
	if (r == 0 && (rq->oom_score_adj < -1000 || rq->oom_score_adj > 1000))
		r = err_set(e, EINVAL, "--oom-score-adj: the range is -1000 to 1000");
	if (r == 0 && rq->oom_score_adj)
		res->oom_score_adj = (int)rq->oom_score_adj;
	return r < 0 ? r : check_memory(res, e);
}

/* --- CPU time */

static int check_range(const char *flag, int64_t v, int64_t least, int64_t most, struct err *e)
{
	if (!v || (v >= least && v <= most))
		return 0;
	return err_set(e, EINVAL, "%s: the range is %" PRId64 " to %" PRId64, flag, least, most);
}

/* -1 is Docker's "no quota". */
static int take_quota(int64_t quota, struct resources *res, struct err *e)
{
	if (quota > 0 && quota < 1000)
		return err_set(e, EINVAL, "--cpu-quota: the least is 1000 (a millisecond)");
	if (quota)
		res->cpu_quota_us = quota > 0 ? (uint64_t)quota : 0;
	return 0;
}

static int take_cpu(const struct limits_request *rq, const struct host_facts *h, struct resources *res,
		    struct err *e)
{
	int r = 0;

	if (rq->cpu_milli && (rq->cpu_milli < 10 || rq->cpu_milli > (uint64_t)h->cpus * 1000))
		r = err_set(e, EINVAL, "--cpus: this host has %d; the range is 0.01 to %d.00", h->cpus,
			    h->cpus);
	if (r == 0)
		r = check_range("--cpu-shares", rq->cpu_shares, 2, 262144, e);
	if (r == 0)
		r = check_range("--cpu-period", rq->cpu_period_us, 1000, 1000000, e);
	if (r == 0)
		r = take_quota(rq->cpu_quota_us, res, e);
	if (r < 0)
		return r;
	if (rq->cpu_milli)
		res->cpu_milli = rq->cpu_milli;
	if (rq->cpu_shares)
		res->cpu_shares = (uint64_t)rq->cpu_shares;
	if (rq->cpu_period_us)
		res->cpu_period_us = (uint64_t)rq->cpu_period_us;
	if (res->cpu_milli && (res->cpu_period_us || res->cpu_quota_us))
		return err_set(e, EINVAL, "--cpus and %s exclude each other",
			       res->cpu_period_us ? "--cpu-period" : "--cpu-quota");
	return 0;
}

/* --- which CPUs and nodes */

static int take_set(const char *flag, const char *list, const char *available, char **ret, struct err *e)
{
	struct ranges want, have;
	char *copy;

	if (!list || !*list)
		return 0;
	if (ranges_parse(list, &want) < 0)
		return err_set(e, EINVAL, "%s: '%.80s' is not a list such as 0-2,5", flag, list);
	if (!available)
		available = "0";
	if (ranges_parse(available, &have) == 0 && !ranges_within(&want, &have))
		return err_set(e, EINVAL, "%s: '%.80s' is not available here: there are %.80s", flag, list,
			       available);
	copy = strdup(list);
	if (!copy)
		return err_set(e, ENOMEM, "out of memory");
	free(*ret);
	*ret = copy;
	return 0;
}

/* --- block devices */

struct device_flag {
	const char *name;
	int (*parse)(const char *text, uint64_t *ret);
	const char *wanted; /* what the value is */
	uint64_t least, most;
};

/* "/dev/sda:1m" */
static int parse_device(const struct device_flag *f, const char *text, struct device_limit *ret,
			struct err *e)
{
	const char *colon = strrchr(text, ':');
	struct stat st;

	if (*text != '/' || !colon)
		return err_set(e, EINVAL, "%s: '%.200s' is not PATH:%s", f->name, text, f->wanted);
	if (f->parse(colon + 1, &ret->value) < 0 || ret->value < f->least || ret->value > f->most)
		return err_set(e, EINVAL, "%s: '%.80s' is not a valid %s", f->name, colon + 1, f->wanted);
	ret->path = strndup(text, (size_t)(colon - text));
	if (!ret->path)
		return err_set(e, ENOMEM, "out of memory");
	if (stat(ret->path, &st) < 0)
		return err_sys(e, errno, "%s: %.200s", f->name, ret->path);
	if (!S_ISBLK(st.st_mode))
		return err_set(e, EINVAL, "%s: %.200s is not a block device", f->name, ret->path);
	ret->major = major(st.st_rdev);
	ret->minor = minor(st.st_rdev);
	return 0;
}

static int take_devices(const struct device_flag *f, const struct strv *texts, struct device_limits *ret,
			struct err *e)
{
	int r = 0;

	if (!texts->n)
		return 0;
	ret->v = calloc(texts->n, sizeof(*ret->v));
	if (!ret->v)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < texts->n && r == 0; i++) {
		ret->n = i + 1;
		r = parse_device(f, texts->v[i], &ret->v[i], e);
	}
	return r;
}

static int take_block_io(const struct limits_request *rq, struct resources *res, struct err *e)
{
	const struct {
		struct device_flag flag;
		const struct strv *texts;
		struct device_limits *into;
	} rows[] = {
		{ { "--blkio-weight-device", parse_u64, "WEIGHT", 10, 1000 },
		  &rq->blkio_weights,
		  &res->blkio_weights },
		{ { "--device-read-bps", parse_bytes, "BYTES", 1, INT64_MAX },
		  &rq->read_bps,
		  &res->read_bps },
		{ { "--device-write-bps", parse_bytes, "BYTES", 1, INT64_MAX },
		  &rq->write_bps,
		  &res->write_bps },
		{ { "--device-read-iops", parse_u64, "NUMBER", 1, INT64_MAX },
		  &rq->read_iops,
		  &res->read_iops },
		{ { "--device-write-iops", parse_u64, "NUMBER", 1, INT64_MAX },
		  &rq->write_iops,
		  &res->write_iops },
	};
	int r = check_range("--blkio-weight", rq->blkio_weight, 10, 1000, e);

	if (r == 0 && rq->blkio_weight)
		res->blkio_weight = (uint64_t)rq->blkio_weight;
	for (size_t i = 0; i < ARRAY_LEN(rows) && r == 0; i++)
		r = take_devices(&rows[i].flag, rows[i].texts, rows[i].into, e);
	return r;
}

int request_limits(const struct limits_request *rq, const struct host_facts *h, struct resources *res,
		   struct err *e)
{
	int r = take_memory(rq, res, e);

	if (r == 0)
		r = take_cpu(rq, h, res, e);
	if (r == 0)
		r = take_set("--cpuset-cpus", rq->cpuset_cpus, h->cpu_list, &res->cpuset_cpus, e);
	if (r == 0)
		r = take_set("--cpuset-mems", rq->cpuset_mems, h->node_list, &res->cpuset_mems, e);
	if (r == 0)
		r = take_block_io(rq, res, e);
	if (r < 0)
		return r;
	if (rq->pids_limit < -1 || rq->pids_limit > INT32_MAX)
		return err_set(e, EINVAL, "--pids-limit: out of range");
	if (rq->pids_limit)
		res->pids = rq->pids_limit < 0 ? 0 : (uint64_t)rq->pids_limit;
	return 0;
}
