/* request_health.c - --health-cmd and its like, and the image's Healthcheck -> the check of an instance */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/parse.h"
#include "base/when.h"
#include "engine/request_int.h"
#include "instance/health.h"

#define INTERVAL_NS (30 * NS_PER_S) /* Docker's defaults */
#define TIMEOUT_NS  (30 * NS_PER_S)
#define RETRIES	    3
#define LEAST_NS    1000000

static int take_duration(const char *flag, const char *text, int64_t least_ns, int64_t *ret, struct err *e)
{
	int64_t ns;

	if (!text)
		return 0;
	if (parse_duration(text, &ns) < 0 || ns < least_ns)
		return err_set(e, EINVAL, "--health-%s: '%.60s' is not a duration such as 30s", flag, text);
	*ret = ns;
	return 0;
}

static int take_retries(const char *text, int *ret, struct err *e)
{
	uint32_t n;

	if (!text)
		return 0;
	if (parse_u32(text, &n) < 0 || !n || n > 1000000)
		return err_set(e, EINVAL, "--health-retries: '%.60s' is not a number from 1 on", text);
	*ret = (int)n;
	return 0;
}

static int take_command(const char *command, struct image_healthcheck *c, struct err *e)
{
	if (!command)
		return 0;
	strv_done(&c->test);
	if (!*command || !strcmp(command, "none")) /* Podman's word */
		return 0;
	return strv_add(&c->test, "CMD-SHELL") < 0 || strv_add(&c->test, command) < 0
		       ? err_set(e, ENOMEM, "out of memory")
		       : 0;
}

static bool is_given(const struct health_request *rq)
{
	return rq->command || rq->interval || rq->timeout || rq->start_period || rq->start_interval ||
	       rq->retries;
}

static void fill_in(struct image_healthcheck *c)
{
	if (c->interval_ns < LEAST_NS)
		c->interval_ns = INTERVAL_NS;
	if (c->timeout_ns < LEAST_NS)
		c->timeout_ns = TIMEOUT_NS;
	if (c->start_period_ns < 0)
		c->start_period_ns = 0;
	if (c->start_interval_ns < LEAST_NS)
		c->start_interval_ns = 0;
	if (c->retries < 1)
		c->retries = RETRIES;
}

int request_health(const struct health_request *rq, const struct image_run_config *image,
		   struct image_healthcheck *c, struct err *e)
{
	int r;

	if (rq->none && is_given(rq))
		return err_set(e, EINVAL, "--no-healthcheck conflicts with --health-* options");
	if (rq->none)
		return 0;
	if (json_copy(&image_healthcheck_table, &image->healthcheck, c) < 0)
		return err_set(e, ENOMEM, "out of memory");
	r = take_command(rq->command, c, e);
	if (r == 0)
		r = take_duration("interval", rq->interval, LEAST_NS, &c->interval_ns, e);
	if (r == 0)
		r = take_duration("timeout", rq->timeout, LEAST_NS, &c->timeout_ns, e);
	if (r == 0)
		r = take_duration("start-period", rq->start_period, 0, &c->start_period_ns, e);
	if (r == 0)
		r = take_duration("start-interval", rq->start_interval, LEAST_NS, &c->start_interval_ns, e);
	if (r == 0)
		r = take_retries(rq->retries, &c->retries, e);
	if (r < 0)
		return r;
	if (health_is_checked(c))
		fill_in(c);
	else
		json_done(&image_healthcheck_table, c);
	return 0;
}
