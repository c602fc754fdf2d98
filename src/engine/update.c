/* update.c - limits and restart policy of an instance change, in its record and, where it runs, at once */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "container/container.h"
#include "engine/ask.h"
#include "engine/net_int.h"
#include "engine/request.h"
#include "engine/request_int.h"
#include "sys/patience.h"
#include "vm/vm.h"

#define UPDATE_TRIES 50
#define SETTLE_MS    40000

static bool is_at_rest(const struct instance *in)
{
	return in->state.status == STATUS_CREATED || in->state.status == STATUS_EXITED;
}

/* A machine that runs keeps its RAM and its processors; one that does not gets those that fit. */
static int fit_machine(const struct instance *in, const struct host_facts *h, struct instance_spec *s,
		       struct err *e)
{
	uint64_t ram = vm_ram_bytes(s->resources.memory_bytes, h->ram_bytes);
	bool memory = s->resources.memory_bytes != in->spec.resources.memory_bytes;
	int vcpus = engine_choose_vcpus(&s->resources, h);

	if (is_at_rest(in)) {
		s->vm.ram_bytes = ram;
		s->vm.vcpus = vcpus;
		return 0;
	}
	if (memory && ram > s->vm.ram_bytes)
		return err_set(
			e, ENOTSUP,
			"--memory: more than the running machine has (%llu MiB of RAM in all): stop it "
			"first",
			(unsigned long long)(s->vm.ram_bytes >> 20));
	if (s->resources.cpu_milli > (uint64_t)s->vm.vcpus * 1000)
		return err_set(e, ENOTSUP, "--cpus: the running machine has %d: stop it first", s->vm.vcpus);
	return 0;
}

static int check_wall(const struct instance_spec *s, const struct host_facts *h, struct err *e)
{
	const struct backend *b = s->isolation == ISOLATION_VM ? &vm_backend : &container_backend;
	struct plan p = { 0 };
	int r = b->plan(s, h, &p, e);

	plan_done(&p);
	return r;
}

static bool changes_rate(const struct update_request *rq)
{
	return rq->net_rates.n || rq->net_burst_bytes;
}

static int change_rate(const struct update_request *rq, struct instance_spec *s, struct err *e)
{
	if (s->network != NETWORK_ATTACHED)
		return err_set(e, EINVAL, "--net-rate and --net-burst are for instances on networks of ours");
	return request_rate(&rq->net_rates, rq->net_burst_bytes, &s->net.rate, e);
}

static int change_spec(struct engine *en, const struct instance *in, const struct update_request *rq,
		       struct instance_spec *s, struct err *e)
{
	const struct host_facts *h = s->isolation == ISOLATION_VM ? engine_facts_kvm(en) : engine_facts(en);
	int r = request_limits(&rq->limits, h, &s->resources, e);

	if (r == 0 && rq->restart)
		r = request_restart(rq->restart, &s->restart, e);
	if (r == 0)
		r = request_snapshots(rq->snapshot_every, rq->snapshot_keep, &s->snapshots, e);
	if (r == 0 && changes_rate(rq))
		r = change_rate(rq, s, e);
	if (r == 0 && s->isolation == ISOLATION_VM)
		r = fit_machine(in, h, s, e);
	return r < 0 ? r : check_wall(s, h, e);
}

static int change_running(struct engine *en, const struct instance *in, const struct instance_spec *s,
			  struct err *e)
{
	const struct instance_update up = { s->resources, s->restart, s->snapshots };
	int r;

	if (is_at_rest(in))
		return 0;
	r = engine_ask_update(en, in, &up, e);
	if (r == 0 && s->isolation == ISOLATION_VM)
		r = vm_update_host(s, engine_facts(en), e);
	return r;
}

/* One that was started meanwhile may have read the record before it was changed: then it has to be told. */
static int check_still_at_rest(struct engine *en, const struct instance *in, struct err *e)
{
	if (!is_at_rest(in) || !truth_has_begun(en, &in->spec))
		return 0;
	return err_set(e, ESTALE, "%s was started meanwhile", in->spec.name);
}

/* -ESRCH, -ESTALE: it has begun, ended or been changed since it was looked at. */
static int update_once(struct engine *en, const struct instance *in, const struct update_request *rq,
		       struct err *e)
{
	struct instance_spec s = { 0 };
	int r = json_copy(&instance_spec_table, &in->spec, &s) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;

	if (r == 0)
		r = change_spec(en, in, rq, &s, e);
	if (r == 0)
		r = change_running(en, in, &s, e);
	if (r == 0 && changes_rate(rq) && instance_is_live(&in->state))
		r = net_change_rate(en, &s, e);
	if (r == 0)
		r = record_change(en->db, &in->spec, &s, e);
	if (r == 0)
		r = check_still_at_rest(en, in, e);
	if (r == 0)
		engine_tell(en, &s, "update", NULL);
	json_done(&instance_spec_table, &s);
	return r;
}

/* As it is by now; one whose lock somebody has is waited for: is it being started, or does it stay at rest? */
static int find_settled(struct engine *en, const char *id, struct instance *ret, struct err *e)
{
	struct patience p = patience_for_ms(SETTLE_MS);
	int r;

	while ((r = engine_find(en, id, ret, e)) == 0 && ret->state.status == STATUS_STARTING) {
		r = patience_pause(&p);
		if (r < 0)
			return err_set(e, -r, "another command is busy with %s", ret->spec.name);
		truth_wait_idle(en, &ret->spec, NULL);
		instance_done(ret);
		*ret = (struct instance){ 0 };
	}
	return r;
}

/* A running one is told of its limits, and then they are recorded: so whoever records last has also told last. */
int engine_update(struct engine *en, const struct instance *in, const struct update_request *rq,
		  struct err *e)
{
	int r = in->state.status == STATUS_STARTING ? -ESTALE : update_once(en, in, rq, e);

	for (int i = 1; (r == -ESTALE || r == -ESRCH) && i < UPDATE_TRIES; i++) {
		AUTO(instance_done) struct instance now = { 0 };

		r = find_settled(en, in->spec.id, &now, e);
		if (r == 0)
			r = update_once(en, &now, rq, e);
	}
	return r;
}
