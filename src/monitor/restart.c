/* restart.c - does an instance that has ended run again, and when? */
#include "monitor/restart.h"

#include "base/clock.h"

static bool is_due(const struct restart_policy *p, const struct instance_state *s)
{
	switch ((enum restart_kind)p->kind) {
	case RESTART_ALWAYS:
	case RESTART_UNLESS_STOPPED:
		return true;
	case RESTART_ON_FAILURE:
		return s->exit_code != 0 && (!p->max_retries || (uint32_t)s->restarts < p->max_retries);
	case RESTART_NO:
	case RESTART_N:
		break;
	}
	return false;
}

int restart_wait_ms(const struct restart_policy *p, const struct instance_state *s)
{
	bool steady = s->finished_ns - s->started_ns >= RESTART_STEADY_S * NS_PER_S;

	if (s->stopped_by_user || !is_due(p, s))
		return -1;
	if (steady || s->backoff_ms < RESTART_MIN_MS)
		return RESTART_MIN_MS;
	return s->backoff_ms < RESTART_MAX_MS / 2 ? s->backoff_ms * 2 : RESTART_MAX_MS;
}
