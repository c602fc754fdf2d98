/* network_inspect.c - ketch network inspect: what there is of one, and who is on it, with Docker's keys */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/inspect.h"
#include "cli/output.h"
#include "cli/text.h"
#include "engine/network.h"

struct inspect_args {
	char *format;
	bool verbose;
};

static const struct opt inspect_opts[] = {
	INSPECT_FORMAT(struct inspect_args, format),
	OPT(FLAG, 'v', "verbose", struct inspect_args, verbose, NULL, "Accepted for Docker's sake"),
	{ 0 },
};

/* Docker's keys. */
struct member {
	char *id; /* the key */
	char *name, *endpoint, *mac, *ipv4, *ipv6;
};

static const struct jfield member_fields[] = {
	JK(J_STR, struct member, name, "Name"),	       JK(J_STR, struct member, endpoint, "EndpointID"),
	JK(J_STR, struct member, mac, "MacAddress"),   JK(J_STR, struct member, ipv4, "IPv4Address"),
	JK(J_STR, struct member, ipv6, "IPv6Address"), { 0 },
};
static const struct jtable member_table = { sizeof(struct member), member_fields };

struct config {
	const char *subnet, *range, *gateway;
};

static const struct jfield config_fields[] = {
	JK(J_STR, struct config, subnet, "Subnet"),
	JK(J_STR, struct config, range, "IPRange"),
	JK(J_STR, struct config, gateway, "Gateway"),
	{ 0 },
};
static const struct jtable config_table = { sizeof(struct config), config_fields };

struct ipam {
	const char *driver;
	struct strv options;
	struct config *config;
	size_t n_config;
};

static const struct jfield ipam_fields[] = {
	JK(J_STR, struct ipam, driver, "Driver"),
	JK(J_MAP, struct ipam, options, "Options"),
	JA(struct ipam, config, n_config, "Config", &config_table),
	{ 0 },
};
static const struct jtable ipam_table = { sizeof(struct ipam), ipam_fields };

struct pool {
	uint32_t size, ready;
};

static const struct jfield pool_fields[] = {
	JK(J_U32, struct pool, size, "Size"),
	JK(J_U32, struct pool, ready, "Ready"),
	{ 0 },
};
static const struct jtable pool_table = { sizeof(struct pool), pool_fields };

struct view {
	const char *name, *id, *created, *scope, *driver;
	bool ipv4, ipv6, internal, isolate;
	struct ipam ipam;
	struct member *members;
	size_t n_members;
	struct strv dns, options, labels;
	const char *interface;
	struct pool pool;
};

static const struct jfield view_fields[] = {
	JK(J_STR, struct view, name, "Name"),
	JK(J_STR, struct view, id, "Id"),
	JK(J_STR, struct view, created, "Created"),
	JK(J_STR, struct view, scope, "Scope"),
	JK(J_STR, struct view, driver, "Driver"),
	JK(J_BOOL, struct view, ipv4, "EnableIPv4"),
	JK(J_BOOL, struct view, ipv6, "EnableIPv6"),
	JO(struct view, ipam, "IPAM", &ipam_table),
	JK(J_BOOL, struct view, internal, "Internal"),
	JK(J_BOOL, struct view, isolate, "Isolate"),
	JK(J_STR, struct view, interface, "Interface"),
	JK(J_STRV, struct view, dns, "DNS"),
	JO(struct view, pool, "Pool", &pool_table),
	JM(struct view, members, n_members, "Containers", &member_table),
	JK(J_MAP, struct view, options, "Options"),
	JK(J_MAP, struct view, labels, "Labels"),
	{ 0 },
};
static const struct jtable view_table = { sizeof(struct view), view_fields };

static char *or_empty(const char *s)
{
	return (char *)(s ? s : "");
}

/* Rows of leases as Docker shows endpoints; strings are borrowed from them. */
static int show_members(const struct lease *list, size_t n, struct view *v)
{
	v->members = calloc(n + 1, sizeof(*v->members));
	if (!v->members)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		v->members[i] =
			(struct member){ .id = list[i].instance,
					 .name = list[i].names.n ? list[i].names.v[0] : or_empty(NULL),
					 .endpoint = list[i].port.link,
					 .mac = or_empty(list[i].port.mac),
					 .ipv4 = or_empty(list[i].port.address),
					 .ipv6 = or_empty(list[i].port.address6) };
	v->n_members = n;
	return 0;
}

static void show_pool(const struct network_pool *p, struct ipam *ipam)
{
	if (p->subnet)
		ipam->config[ipam->n_config++] =
			(struct config){ p->subnet, or_empty(p->range), or_empty(p->gateway) };
}

/* What there is of a network beside its record. */
struct found {
	struct lease *ports;
	size_t n_ports;
	uint32_t ready;
};

static int print_view(const struct network *n, const struct found *f, int json_flags, struct buf *out)
{
	AUTO(buf_done) struct buf created = { 0 };
	struct config configs[2];
	struct view v = {
		.name = n->name,
		.id = n->id,
		.scope = "local",
		.driver = network_driver_names[n->driver],
		.ipv4 = n->v4.subnet,
		.ipv6 = n->v6.subnet,
		.internal = n->internal,
		.isolate = n->isolate,
		.interface = or_empty(n->bridge),
		.ipam = { .driver = "default", .config = configs },
		.dns = n->dns,
		.options = n->options,
		.labels = n->labels,
		.pool = { n->pool, f->ready },
	};
	int r = show_members(f->ports, f->n_ports, &v);

	text_add_time(&created, n->created_ns);
	v.created = created.data;
	show_pool(&n->v4, &v.ipam);
	show_pool(&n->v6, &v.ipam);
	if (r == 0)
		r = buf_ok(&created) ? json_print(&view_table, &v, json_flags, out) : -ENOMEM;
	free(v.members);
	return r;
}

int network_inspect_add(struct cli *c, const char *name, int json_flags, struct buf *out, struct err *e)
{
	AUTO(network_done) struct network n = { 0 };
	struct engine *en = cli_engine(c, e);
	struct found f = { 0 };
	int r = en ? network_find(en, name, &n, e) : -e->no;

	if (r == 0 && network_has_ports(&n))
		r = network_ports(en, &n, &f.ports, &f.n_ports, e);
	if (r == 0 && n.pool)
		r = network_pool_ready(en, &n, &f.ready, e);
	if (r == 0 && print_view(&n, &f, json_flags, out) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	leases_free(f.ports, f.n_ports);
	return r;
}

static int inspect_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	return inspect_each(c, words, ((const struct inspect_args *)args)->format, network_inspect_add, e);
}

const struct command cmd_network_inspect = {
	.name = "network inspect",
	.usage = "NAME...",
	.summary = "Print all about networks as JSON",
	.opts = inspect_opts,
	.args_size = sizeof(struct inspect_args),
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_NETWORK,
	.run = inspect_run,
};
