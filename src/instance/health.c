/* health.c - health checks: what is run, and what its results mean; pure */
#include "instance/health.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

const char *const health_names[] = { "none", "starting", "healthy", "unhealthy", NULL };
static_assert(ARRAY_LEN(health_names) == HEALTH_N + 1, "name every status");

static const struct jfield result_fields[] = {
	JK(J_I64, struct health_result, start_ns, "start"),
	JK(J_I64, struct health_result, end_ns, "end"),
	JK(J_INT, struct health_result, exit_code, "exitCode"),
	J(J_STR, struct health_result, output),
	{ 0 },
};
static const struct jtable result_table = { sizeof(struct health_result), result_fields };

static const struct jfield state_fields[] = {
	JE(struct health_state, status, "status", health_names),
	JK(J_INT, struct health_state, failing_streak, "failingStreak"),
	JA(struct health_state, results, n_results, "log", &result_table),
	{ 0 },
};
const struct jtable health_state_table = { sizeof(struct health_state), state_fields };

bool health_is_checked(const struct image_healthcheck *c)
{
	return c->test.n > 1 && (!strcmp(c->test.v[0], "CMD") || !strcmp(c->test.v[0], "CMD-SHELL"));
}

int health_process(const struct image_healthcheck *c, const struct process *main, struct process *ret)
{
	struct process p;
	int r = json_copy(&process_table, main, &p);

	if (r < 0)
		return r;
	strv_done(&p.args);
	p.tty = p.stdin_open = false;
	if (!strcmp(c->test.v[0], "CMD-SHELL") &&
	    (strv_add(&p.args, "/bin/sh") < 0 || strv_add(&p.args, "-c") < 0))
		r = -ENOMEM;
	for (size_t i = 1; i < c->test.n && r == 0; i++)
		r = strv_add(&p.args, c->test.v[i]);
	if (r < 0) {
		json_done(&process_table, &p);
		return r;
	}
	*ret = p;
	return 0;
}

static void keep(struct health_state *s, const struct health_result *result)
{
	struct health_result *all;

	if (s->n_results == HEALTH_RESULTS) {
		free(s->results[0].output);
		memmove(s->results, s->results + 1, --s->n_results * sizeof(*s->results));
	}
	all = reallocarray(s->results, s->n_results + 1, sizeof(*all));
	if (!all) {
		free(result->output);
		return;
	}
	s->results = all;
	s->results[s->n_results++] = *result;
}

int64_t health_interval(const struct image_healthcheck *c, const struct health_state *s,
			int64_t since_start_ns)
{
	bool starts = s->status == HEALTH_STARTING && since_start_ns < c->start_period_ns;

	return starts && c->start_interval_ns ? c->start_interval_ns : c->interval_ns;
}

bool health_note(const struct image_healthcheck *c, struct health_state *s,
		 const struct health_result *result, int64_t since_start_ns)
{
	int before = s->status;

	if (result->exit_code == 0) {
		s->failing_streak = 0;
		s->status = HEALTH_HEALTHY;
	} else if (s->status != HEALTH_STARTING || since_start_ns >= c->start_period_ns) {
		/* one that is starting may fail, but is well as soon as it once was */
		if (++s->failing_streak >= c->retries)
			s->status = HEALTH_UNHEALTHY;
	}
	keep(s, result);
	return s->status != before;
}
