/* network.c - ketch network create, rm, connect, disconnect: segments that instances share */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/each.h"
#include "cli/text.h"
#include "engine/network.h"

/* --- create */

#define NO_SWARM "networks are of one host; there is no cluster"

struct network_args {
	struct network_request rq;
	bool ipv4, attachable;
};

static const struct opt create_opts[] = {
	OPT(FLAG, 0, "attachable", struct network_args, attachable, NULL,
	    "Accepted for Docker's sake: any instance can be put on it"),
	OPT(LIST, 0, "dns", struct network_args, rq.dns, "ADDRESS", "Resolver that its name service asks"),
	OPT(STR, 'd', "driver", struct network_args, rq.driver, "bridge|macvlan", "How it is made; bridge"),
	OPT(LIST, 0, "gateway", struct network_args, rq.gateways, "ADDRESS",
	    "Address of the host on it; the first"),
	OPT(FLAG, 0, "internal", struct network_args, rq.internal, NULL,
	    "Nothing leads out of it, or into it"),
	OPT(LIST, 0, "ip-range", struct network_args, rq.ranges, "SUBNET",
	    "Give addresses out of this part only"),
	OPT(FLAG, 0, "ipv4", struct network_args, ipv4, NULL, "Give it IPv4 addresses; true"),
	OPT(FLAG, 0, "ipv6", struct network_args, rq.ipv6, NULL, "Give it IPv6 addresses, too"),
	OPT(FLAG, 0, "isolate", struct network_args, rq.isolate, NULL,
	    "Its instances do not reach each other"),
	OPT(LIST, 0, "label", struct network_args, rq.labels, "KEY[=VALUE]", "Note something about it"),
	OPT(LIST, 'o', "opt", struct network_args, rq.options, "KEY=VALUE",
	    "mtu=, isolate=, pool=PORTS to have ready; of macvlan parent=, vlan="),
	OPT(LIST, 0, "subnet", struct network_args, rq.subnets, "SUBNET",
	    "Its addresses, such as 10.88.0.0/16"),
	OPT_REFUSE(0, "aux-address", "what nothing may have is left out of --ip-range"),
	OPT_REFUSE(0, "config-from", NO_SWARM),
	OPT_REFUSE(0, "config-only", NO_SWARM),
	OPT_REFUSE(0, "ingress", NO_SWARM),
	OPT_REFUSE(0, "ipam-driver", "addresses are given by Ketch itself"),
	OPT_REFUSE(0, "ipam-opt", "addresses are given by Ketch itself"),
	OPT_REFUSE(0, "scope", NO_SWARM),
	{ 0 },
};

/* "KEY" is "KEY=". */
static int complete_labels(struct strv *labels)
{
	struct strv whole = { 0 };
	int r = 0;

	for (size_t i = 0; i < labels->n && r == 0; i++) {
		autofree char *pair = str_printf("%s%s", labels->v[i], strchr(labels->v[i], '=') ? "" : "=");

		r = pair ? strv_env_set(&whole, pair) : -ENOMEM;
	}
	if (r < 0) {
		strv_done(&whole);
		return r;
	}
	strv_done(labels);
	*labels = whole;
	return 0;
}

static int create_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(network_done) struct network n = { 0 };
	AUTO(buf_done) struct buf out = { 0 };
	struct network_args *a = args;
	struct network_request rq;
	struct engine *en;
	int r;

	if (complete_labels(&a->rq.labels) < 0)
		return err_set(e, ENOMEM, "out of memory");
	rq = a->rq; /* borrows */
	rq.name = words->v[0];
	rq.no_ipv4 = !a->ipv4;
	en = cli_engine(c, e);
	r = en ? network_create(en, &rq, &n, e) : -e->no;
	if (r < 0)
		return r;
	buf_addf(&out, "%s\n", n.id);
	return cli_print(&out, e);
}

static const struct network_args create_defaults = { .ipv4 = true };
const struct command cmd_network_create = {
	.name = "network create",
	.usage = "NAME",
	.summary = "Make a network",
	.text = "Containers and virtual machines are on it side by side: each has an address, and knows the "
		"others by name.  Instances of one network do not reach those of another.",
	.opts = create_opts,
	.args_size = sizeof(struct network_args),
	.defaults = &create_defaults,
	.min_words = 1,
	.max_words = 1,
	.makes_store = true,
	.run = create_run,
};

/* --- rm */

struct rm_args {
	bool force;
};

static const struct opt rm_opts[] = {
	OPT(FLAG, 'f', "force", struct rm_args, force, NULL, "What is missing is no failure"),
	{ 0 },
};

static int rm_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	return each_name(c, words, network_remove, ((const struct rm_args *)args)->force, e);
}

const struct command cmd_network_rm = {
	.name = "network rm",
	.usage = "NAME...",
	.summary = "Remove networks that no running instance is on",
	.text = "The network bridge is made again by the next instance that wants it.",
	.opts = rm_opts,
	.args_size = sizeof(struct rm_args),
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_NETWORK,
	.run = rm_run,
};

/* --- connect, disconnect */

struct connect_args {
	struct net_request net;
	struct strv driver_opts;
};

static const struct opt connect_opts[] = {
	OPT(LIST, 0, "alias", struct connect_args, net.aliases, "NAME", "A further name on the network"),
	OPT(STR, 0, "ip", struct connect_args, net.ip, "ADDRESS", "Its IPv4 address"),
	OPT(STR, 0, "ip6", struct connect_args, net.ip6, "ADDRESS", "Its IPv6 address"),
	OPT(STR, 0, "mac-address", struct connect_args, net.mac, "MAC", "Its hardware address"),
	OPT_REFUSE(0, "driver-opt", "a network has options, its ports have none"),
	OPT_REFUSE(0, "gw-priority", "the first network that leads out has the default route"),
	OPT_REFUSE(0, "link", "instances of one network know each other by name"),
	OPT_REFUSE(0, "link-local-ip", "addresses are given with --ip and --ip6"),
	{ 0 },
};

static int connect_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	const struct connect_args *a = args;
	struct engine *en = cli_engine(c, e);
	int r = en ? engine_find(en, words->v[1], &in, e) : -e->no;

	return r < 0 ? r : network_connect(en, words->v[0], &in, &a->net, e);
}

const struct command cmd_network_connect = {
	.name = "network connect",
	.usage = "NETWORK INSTANCE",
	.summary = "Put an instance on a network, at once where it runs",
	.opts = connect_opts,
	.args_size = sizeof(struct connect_args),
	.min_words = 2,
	.max_words = 2,
	.words = WORDS_NETWORK,
	.run = connect_run,
};

static const struct opt disconnect_opts[] = {
	OPT(FLAG, 'f', "force", struct rm_args, force, NULL, "Also where the instance does not answer"),
	{ 0 },
};

static int disconnect_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	struct engine *en = cli_engine(c, e);
	int r = en ? engine_find(en, words->v[1], &in, e) : -e->no;

	return r < 0 ? r : network_disconnect(en, words->v[0], &in, ((const struct rm_args *)args)->force, e);
}

const struct command cmd_network_disconnect = {
	.name = "network disconnect",
	.usage = "NETWORK INSTANCE",
	.summary = "Take an instance off a network",
	.opts = disconnect_opts,
	.args_size = sizeof(struct rm_args),
	.min_words = 2,
	.max_words = 2,
	.words = WORDS_NETWORK,
	.run = disconnect_run,
};

/* --- network-release: what a monitor becomes when its instance has ended */

static int release_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	struct engine *en = cli_engine(c, e);
	int r = en ? network_release(en, words->v[0], e) : -e->no;

	if (r == 0 && words->n > 1)
		r = engine_find(en, words->v[0], &in, e);
	return r == 0 && words->n > 1 ? engine_remove(en, &in, 0, e) : r;
}

const struct command cmd_network_release = {
	.name = "network-release",
	.usage = "ID [rm]",
	.summary = "Take back what an instance had on networks, and remove it (used by ketch-monitor)",
	.opts = no_opts,
	.min_words = 1,
	.max_words = 2,
	.run = release_run,
};
