/* systemd_settings.c - the settings of a scope unit: systemd.resource-control(5) from linux.resources, and annotations */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/parse.h"
#include "base/ranges.h"
#include "cgroup/systemd.h"

#define DEFAULT_PERIOD_US 100000
#define PERCENT_US	  10000 /* of a second: systemd keeps whole per cents */
#define ANNOTATION	  "org.systemd.property."

/* --- resources */

static void add_size(struct buf *out, const char *name, const struct opt_i64 *n)
{
	if (oci_given(n))
		buf_addf(out, "%s=t %" PRIu64 "\n", name, n->v < 0 ? UINT64_MAX : (uint64_t)n->v);
}

/* Rounded up, so that the quota itself, which is set in the cgroup as well, fits within. */
static void add_quota(struct buf *out, const struct oci_cpu *c)
{
	uint64_t period = oci_given(&c->period) ? (uint64_t)c->period.v : DEFAULT_PERIOD_US, per_second;

	if (oci_given(&c->period))
		buf_addf(out, "CPUQuotaPeriodUSec=t %" PRIu64 "\n", period);
	if (!oci_given(&c->quota))
		return;
	per_second = UINT64_MAX;
	if (c->quota.v > 0 && (uint64_t)c->quota.v < UINT64_MAX / 1000000) {
		per_second = (uint64_t)c->quota.v * 1000000 / period;
		per_second = (per_second + PERCENT_US - 1) / PERCENT_US * PERCENT_US;
	}
	buf_addf(out, "CPUQuotaPerSecUSec=t %" PRIu64 "\n", per_second);
}

/* "0-2,5" -> the bits as bytes in hexadecimal digits; nothing when it is no such list: the kernel will tell. */
static void add_cpuset(struct buf *out, const char *name, const char *list)
{
	struct ranges set;

	if (!list || !*list || ranges_parse(list, &set) < 0)
		return;
	buf_addf(out, "%s=ay ", name);
	for (size_t i = 0; i < ranges_bytes(&set); i++)
		buf_addf(out, "%02x", set.bits[i]);
	buf_addc(out, '\n');
}

static void add_v2(struct buf *out, const struct oci_resources *r)
{
	struct opt_i64 swap = r->memory.swap;

	add_size(out, "MemoryMax", &r->memory.limit);
	add_size(out, "MemoryLow", &r->memory.reservation);
	if (oci_given(&swap) && swap.v > 0)
		buf_addf(out, "MemorySwapMax=t %" PRId64 "\n", swap.v - r->memory.limit.v);
	else
		add_size(out, "MemorySwapMax", &swap);
	if (oci_given(&r->cpu.shares))
		buf_addf(out, "CPUWeight=t %" PRIu64 "\n", oci_cpu_weight((uint64_t)r->cpu.shares.v));
	add_cpuset(out, "AllowedCPUs", r->cpu.cpus); /* systemd 244 */
	add_cpuset(out, "AllowedMemoryNodes", r->cpu.mems);
}

static void add_v1(struct buf *out, const struct oci_resources *r)
{
	add_size(out, "MemoryLimit", &r->memory.limit);
	add_size(out, "CPUShares", &r->cpu.shares);
	add_size(out, "BlockIOWeight", &r->block_io.weight);
}

void systemd_print_resources(struct oci_planner *pl, bool v2, struct buf *out)
{
	if (v2)
		add_v2(out, pl->resources);
	else
		add_v1(out, pl->resources);
	add_quota(out, &pl->resources->cpu);
	add_size(out, "TasksMax", &pl->resources->pids_limit);
}

/* --- devices: what systemd would open to all when it is reloaded */

static void add_device(struct buf *out, const struct device_rule *d, bool first)
{
	buf_adds(out, first ? "" : ",");
	if (d->major >= 0 && d->minor >= 0)
		buf_addf(out, "/dev/%s/%" PRId64 ":%" PRId64, d->type == 'c' ? "char" : "block", d->major,
			 d->minor);
	else if (d->major >= 0) /* systemd 240 */
		buf_addf(out, "%s-%" PRId64, d->type == 'c' ? "char" : "block", d->major);
	else
		buf_addf(out, "%s-*", d->type == 'c' ? "char" : "block");
	buf_addf(out, " %s%s%s", d->access & 2 ? "r" : "", d->access & 4 ? "w" : "",
		 d->access & 1 ? "m" : "");
}

static void add_devices(struct oci_planner *pl, struct buf *out)
{
	AUTO(device_rules_done) struct device_rules rules = { 0 };
	AUTO(device_policy_done) struct device_policy policy = { 0 };
	size_t bad;

	/* what cannot be said by a list of what is allowed is left to the rules in the cgroup */
	if (!oci_device_rules(pl, &rules) || device_policy_make(&rules, &policy, &bad) < 0 ||
	    !policy.forbid) {
		buf_adds(out, "DevicePolicy=s auto\n");
		return;
	}
	buf_adds(out, "DevicePolicy=s strict\nDeviceAllow=a(ss) ");
	for (size_t i = 0; i < policy.exceptions.n; i++)
		add_device(out, &policy.exceptions.v[i], i == 0);
	buf_addc(out, '\n');
}

/* --- annotations */

static int parse_quoted(const char **p, struct buf *ret)
{
	char quote = *(*p)++;

	while (**p && **p != quote) {
		if (**p == '\\' && (*p)[1])
			(*p)++;
		if ((unsigned char)**p < 0x20)
			return -EINVAL;
		buf_addc(ret, *(*p)++);
	}
	return *(*p)++ == quote ? 0 : -EINVAL;
}

static int parse_strings(const char *p, struct buf *ret)
{
	buf_adds(ret, "as ");
	for (p++; *p != ']'; p += strspn(p, " ")) {
		AUTO(buf_done) struct buf one = { 0 };

		p += strspn(p, " ");
		if ((*p != '\'' && *p != '"') || parse_quoted(&p, &one) < 0 ||
		    strchr(one.data ? one.data : "", ','))
			return -EINVAL;
		buf_adds(ret, one.data ? one.data : "");
		p += strspn(p, " ");
		if (*p == ',' && p[1])
			buf_addc(ret, *p++);
		else if (*p != ']')
			return -EINVAL;
	}
	return p[1] ? -EINVAL : 0;
}

static int parse_number(const char *p, struct buf *ret)
{
	static const struct {
		const char *name;
		char type;
		int64_t least, most;
	} types[] = {
		{ "byte ", 'y', 0, UINT8_MAX },	   { "int16 ", 'n', INT16_MIN, INT16_MAX },
		{ "uint16 ", 'q', 0, UINT16_MAX }, { "int32 ", 'i', INT32_MIN, INT32_MAX },
		{ "uint32 ", 'u', 0, UINT32_MAX }, { "int64 ", 'x', INT64_MIN, INT64_MAX },
		{ "uint64 ", 't', 0, INT64_MAX },  { "", 'i', INT32_MIN, INT32_MAX },
	};
	uint64_t large;
	int64_t v;
	size_t i = 0;

	while (strncmp(p, types[i].name, strlen(types[i].name)))
		i++;
	p += strlen(types[i].name);
	p += strspn(p, " ");
	if (types[i].type == 't' && parse_u64(p, &large) == 0) {
		buf_addf(ret, "t %" PRIu64, large);
		return 0;
	}
	if (parse_i64(p, &v) < 0 || v < types[i].least || v > types[i].most)
		return -EINVAL;
	buf_addf(ret, "%c %" PRId64, types[i].type, v);
	return 0;
}

int systemd_parse_variant(const char *text, struct buf *ret)
{
	text += strspn(text, " ");
	if (!strcmp(text, "true") || !strcmp(text, "false")) {
		buf_addf(ret, "b %s", text);
		return 0;
	}
	if (*text == '\'' || *text == '"') {
		buf_adds(ret, "s ");
		return parse_quoted(&text, ret) < 0 || *text ? -EINVAL : 0;
	}
	if (!strncmp(text, "@as ", 4))
		text += 4;
	return *text == '[' ? parse_strings(text, ret) : parse_number(text, ret);
}

/* "TimeoutStopSec" is "TimeoutStopUSec" on the bus, as with runc and crun. */
static int add_setting(const char *name, const char *value, struct buf *out)
{
	AUTO(buf_done) struct buf text = { 0 };
	size_t n = strlen(name);
	int r = systemd_parse_variant(value, &text);
	int64_t s;

	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c))
			return -EINVAL;
	if (r < 0 || !buf_ok(&text) || !n)
		return -EINVAL;
	if (n > 3 && !strcmp(name + n - 3, "Sec") && name[n - 4] != 'U' && strchr("yniuqxt", *text.data)) {
		if (parse_i64(text.data + 2, &s) < 0 || s < 0 || s > INT64_MAX / 1000000)
			return -EINVAL;
		buf_addf(out, "%.*sUSec=t %" PRId64 "\n", (int)n - 3, name, s * 1000000);
	} else {
		buf_addf(out, "%s=%s\n", name, text.data);
	}
	return 0;
}

static void add_annotations(struct oci_planner *pl, struct buf *out)
{
	const struct strv *all = pl->rq->annotations;
	size_t prefix = strlen(ANNOTATION);

	for (size_t i = 0; all && i < all->n; i++) {
		const char *eq = strchr(all->v[i], '=');
		autofree char *name = NULL;

		if (!eq || strncmp(all->v[i], ANNOTATION, prefix))
			continue;
		name = strndup(all->v[i] + prefix, (size_t)(eq - all->v[i]) - prefix);
		if (!name)
			return oci_fail(pl, ENOMEM, "out of memory");
		if (add_setting(name, eq + 1, out) < 0)
			oci_fail(pl, EINVAL, "annotations.%s%s: \"%.80s\" is not a value for systemd",
				 ANNOTATION, name, eq + 1);
	}
}

void systemd_print_scope(struct oci_planner *pl, const struct systemd_unit *u, struct buf *out)
{
	bool v2 = pl->rq->facts->cgroup_mode == CGROUP_V2;

	buf_addf(out, "Description=s ketch container %s\nSlice=s %s\n", pl->rq->id, u->slice);
	buf_adds(out, "Delegate=b true\nDefaultDependencies=b false\nCollectMode=s inactive-or-failed\n"
		      "MemoryAccounting=b true\nCPUAccounting=b true\nTasksAccounting=b true\n");
	buf_addf(out, "%s=b true\n", v2 ? "IOAccounting" : "BlockIOAccounting");
	systemd_print_resources(pl, v2, out);
	if (!pl->rq->rootless)
		add_devices(pl, out);
	add_annotations(pl, out);
}
