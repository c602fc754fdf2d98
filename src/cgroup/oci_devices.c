/* oci_devices.c - linux.resources.devices as rules of devices.h */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "cgroup/devices.h"
#include "cgroup/oci_int.h"

/* What every container may use (config-linux.md#default-devices, and what a terminal needs), as with runc: any node may be
 * made, these may be opened. */
static const char default_rules[] =
	"c *:* m,b *:* m,c 1:3 rwm,c 1:5 rwm,c 1:7 rwm,c 1:8 rwm,c 1:9 rwm,c 5:0 rwm,"
	"c 5:2 rwm,c 136:* rwm";

static int64_t number_of(const struct opt_i64 *n)
{
	return n->set && n->v >= 0 ? n->v : -1; /* "-1" is how some callers spell "any" */
}

static int add_rule(struct device_rules *l, const struct oci_device_rule *d)
{
	const char *access = d->access && *d->access ? d->access : "rwm";
	struct device_rule rule = { .forbid = !d->allow, .type = d->type && *d->type ? *d->type : 'a' };

	rule.major = number_of(&d->major);
	rule.minor = number_of(&d->minor);
	if (rule.major > UINT32_MAX || rule.minor > UINT32_MAX || !strchr("acb", rule.type))
		return -EINVAL;
	for (; *access; access++) {
		static const char letters[] = "mrw"; /* in the order of BPF_DEVCG_ACC_* */
		const char *letter = strchr(letters, *access);

		if (!letter)
			return -EINVAL;
		rule.access |= 1U << (letter - letters);
	}
	if (device_rule_is_everything(&rule))
		l->n = 0; /* what came before does not count any more */
	return device_rules_add(l, &rule);
}

/* Everything may be used: then nothing needs to be set, unless something was before. */
static bool allows_everything(const struct device_rules *l)
{
	return l->n && device_rule_is_everything(&l->v[0]) && !l->v[0].forbid && l->n == 1;
}

static void check_v1(struct oci_planner *pl, const struct device_rules *l)
{
	AUTO(device_policy_done) struct device_policy policy = { 0 };
	size_t bad;
	int r = device_policy_make(l, &policy, &bad);

	if (r == -ENOTSUP) {
		struct device_rules one = { &l->v[bad], 1 };
		AUTO(buf_done) struct buf text = { 0 };

		device_rules_print(&one, &text);
		oci_fail(pl, ENOTSUP,
			 "linux.resources.devices: cgroup v1 cannot make an exception from a wider rule: "
			 "\"%s\"",
			 text.data ? text.data : "");
	} else if (r < 0) {
		oci_fail(pl, -r, "linux.resources.devices: too many rules");
	}
}

static void plan_rules(struct oci_planner *pl, const struct device_rules *l)
{
	const char *v1 = strv_env_get(pl->dirs, "devices"), *unified = strv_env_get(pl->dirs, "unified");
	uint64_t flags = (v1 ? 0 : STEP_V2) | (pl->rq->rootless ? STEP_MAY_FAIL : 0);
	AUTO(buf_done) struct buf text = { 0 };

	if (!v1 && !unified) {
		if (pl->resources->n_devices && !pl->rq->rootless)
			oci_fail(pl, ENOTSUP,
				 "linux.resources.devices: this host has no cgroup to set them in");
		return;
	}
	if (v1)
		check_v1(pl, l);
	device_rules_print(l, &text);
	if (!buf_ok(&text))
		oci_fail(pl, ENOMEM, "out of memory");
	if (pl->r == 0 &&
	    plan_add(pl->plan, pl->rq->rows->devices, v1 ? v1 : unified, NULL, text.data, flags) < 0)
		oci_fail(pl, ENOMEM, "out of memory");
}

bool oci_device_rules(struct oci_planner *pl, struct device_rules *ret)
{
	AUTO(device_rules_done) struct device_rules defaults = { 0 };
	int r = device_rules_parse(default_rules, &defaults, NULL);

	for (size_t i = 0; i < pl->resources->n_devices && pl->r == 0 && r == 0; i++) {
		r = add_rule(ret, &pl->resources->devices[i]);
		if (r == -EINVAL)
			oci_fail(pl, EINVAL, "linux.resources.devices[%zu]: not a rule for devices", i);
	}
	if (!allows_everything(ret))
		for (size_t i = 0; i < defaults.n && r == 0; i++)
			r = device_rules_add(ret, &defaults.v[i]);
	if (r < 0)
		oci_fail(pl, -r, "linux.resources.devices: more rules than can be kept");
	return pl->r == 0;
}

void oci_set_devices(struct oci_planner *pl)
{
	AUTO(device_rules_done) struct device_rules rules = { 0 };

	if (!oci_device_rules(pl, &rules))
		return;
	if (!allows_everything(&rules) || strv_env_get(pl->dirs, "devices"))
		plan_rules(pl, &rules);
}
