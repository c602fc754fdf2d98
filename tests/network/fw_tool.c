/* fw_tool.c - the rule set by hand: fw_tool VERB MODEL.json [NUMBER [NUMBER]]
 *
 * The model in JSON: {"table", "networks": [...], "ports": [{"instance", "network": INDEX, "net": a net_spec whose first
 * attachment is the port}], "apart": [...]}.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/json.h"
#include "network/firewall_int.h"
#include "network/forwarding.h"
#include "network/rate.h"
#include "sys/netlink.h"

static struct firewall wall = { .fd = -1 };

struct network_row {
	char *id, *bridge, *subnet, *subnet6;
	bool internal, isolate, no_masquerade;
};
static const struct jfield network_fields[] = {
	J(J_STR, struct network_row, id),
	J(J_STR, struct network_row, bridge),
	J(J_STR, struct network_row, subnet),
	J(J_STR, struct network_row, subnet6),
	J(J_BOOL, struct network_row, internal),
	J(J_BOOL, struct network_row, isolate),
	JK(J_BOOL, struct network_row, no_masquerade, "noMasquerade"),
	{ 0 },
};
static const struct jtable network_table = { sizeof(struct network_row), network_fields };

struct port_row {
	char *instance;
	uint32_t network;
	struct net_spec net;
};
static const struct jfield port_fields[] = {
	J(J_STR, struct port_row, instance),
	J(J_U32, struct port_row, network),
	JO(struct port_row, net, "net", &net_spec_table),
	{ 0 },
};
static const struct jtable port_table = { sizeof(struct port_row), port_fields };

struct model_file {
	char *table;
	struct network_row *networks;
	struct port_row *ports;
	size_t n_networks, n_ports;
	struct strv apart;
	bool guard;
};
static const struct jfield file_fields[] = {
	J(J_STR, struct model_file, table),
	JA(struct model_file, networks, n_networks, "networks", &network_table),
	JA(struct model_file, ports, n_ports, "ports", &port_table),
	J(J_STRV, struct model_file, apart),
	J(J_BOOL, struct model_file, guard),
	{ 0 },
};
static const struct jtable file_table = { sizeof(struct model_file), file_fields };

static int load(const char *path, struct model_file *f, struct fw_model *m, struct err *e)
{
	AUTO(buf_done) struct buf text = { 0 };
	int r = read_file(AT_FDCWD, path, 1 << 20, &text);

	if (r < 0)
		return err_sys(e, -r, "%s", path);
	r = json_parse(&file_table, text.data, text.len, JSON_STRICT, f, e);
	if (r < 0)
		return r;
	*m = (struct fw_model){ .table = f->table,
				.networks = calloc(f->n_networks + 1, sizeof(*m->networks)),
				.n_networks = f->n_networks,
				.ports = calloc(f->n_ports + 1, sizeof(*m->ports)),
				.n_ports = f->n_ports,
				.guard = f->guard ? FW_GUARD4 | FW_GUARD6 : 0,
				.apart = f->apart };
	if (!m->networks || !m->ports)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < m->n_networks; i++) {
		const struct network_row *row = &f->networks[i];
		struct fw_network *n = &m->networks[i];

		snprintf(n->id, sizeof(n->id), "%s", row->id);
		snprintf(n->bridge, sizeof(n->bridge), "%s", row->bridge);
		n->subnet = row->subnet;
		n->subnet6 = row->subnet6;
		n->internal = row->internal;
		n->isolate = row->isolate;
		n->masquerade = !row->no_masquerade;
	}
	for (size_t i = 0; i < m->n_ports; i++) {
		const struct net_spec *s = &f->ports[i].net;

		if (f->ports[i].network >= m->n_networks || !s->n_attachments)
			return err_set(e, EINVAL, "port %zu has no network", i);
		m->ports[i] = (struct fw_port){ .instance = f->ports[i].instance,
						.network = &m->networks[f->ports[i].network],
						.given = &s->attachments[0].given,
						.published = s->ports,
						.n_published = s->n_ports,
						.rules = s->rules,
						.n_rules = s->n_rules,
						.egress = s->egress_given,
						.egress_learn = s->egress_learn };
	}
	return 0;
}

static int print(const struct fw_model *m, struct err *e)
{
	AUTO(buf_done) struct buf out = { 0 };
	int r = firewall_script(m, &out, e);

	if (r == 0)
		fwrite(out.data, 1, out.len, stdout);
	return r;
}

static int owners(const struct fw_model *m, struct err *e)
{
	AUTO(strv_done) struct strv list = { 0 };
	int r = firewall_owners(&wall, &list, e);

	for (size_t i = 0; i < list.n; i++)
		puts(list.v[i]);
	return r;
}

static int ensure(const struct fw_model *m, struct err *e)
{
	size_t n = 0;
	int r = firewall_ensure(&wall, m, &n, e);

	if (r == 0)
		printf("%zu\n", n);
	return r;
}

/* Median, in microseconds, of n rounds of publishing and of looking whether all is whole. */
static int compare_ns(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int bench(const struct fw_model *m, struct err *e)
{
	static const char *const names[] = { "publish", "unpublish", "whole", "ensure" };
	enum { ROUNDS = 200 };
	static int64_t took[4][ROUNDS];
	const struct fw_port *p = &m->ports[0];
	struct published_port pub = {
		.protocol = PORT_TCP, .host_ip = (char[]){ "0.0.0.0" }, .host_port = 4000, .port = 80
	};
	int r = 0;

	for (int i = 0; i < ROUNDS && r >= 0; i++) {
		int64_t at[5] = { clock_mono_ns() };

		r = firewall_publish(&wall, p, &pub, true, e);
		at[1] = clock_mono_ns();
		if (r >= 0)
			r = firewall_publish(&wall, p, &pub, false, e);
		at[2] = clock_mono_ns();
		if (r >= 0)
			r = firewall_is_whole(&wall, m->guard, e);
		at[3] = clock_mono_ns();
		if (r >= 0)
			r = firewall_ensure(&wall, m, NULL, e);
		at[4] = clock_mono_ns();
		for (int k = 0; k < 4; k++)
			took[k][i] = at[k + 1] - at[k];
	}
	for (int k = 0; k < 4 && r >= 0; k++) {
		qsort(took[k], ROUNDS, sizeof(took[k][0]), compare_ns);
		printf("%s %.1f %.1f\n", names[k], (double)took[k][ROUNDS / 10] / 1e3,
		       (double)took[k][ROUNDS / 2] / 1e3);
	}
	return r;
}

static int egress(const struct fw_model *m, unsigned i, const char *address, const char *ttl, struct err *e)
{
	struct ip to;

	if (ip_parse(address, &to) < 0)
		return err_set(e, EINVAL, "%s is no address", address);
	return firewall_egress_add(&wall, &m->ports[i], &to, (unsigned)atoi(ttl), e);
}

/* dir: stands for RUN_ROOT/networks */
static int host(const struct fw_model *given, const char *dir, bool up, struct err *e)
{
	autoclose int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rt = nl_open(NETLINK_ROUTE);
	struct fw_model m = *given;
	size_t n = 0;
	int r;

	m.guard = 0;
	m.apart = (struct strv){ 0 };
	r = up ? forwarding_host(&wall, dir_fd, rt, &m, &n, e) : forwarding_restore(dir_fd, e);
	for (size_t i = 0; i < m.n_networks && !up; i++)
		forwarding_forget(&m.networks[i]);
	strv_done(&m.apart);
	if (r >= 0)
		printf("%zu\n", up ? n : (size_t)r);
	return r;
}

static int hairpin(const struct fw_model *m, struct err *e)
{
	autoclose int rt = nl_open(NETLINK_ROUTE);
	int r = 0;

	for (size_t i = 0; i < m->n_ports && r == 0; i++)
		r = m->ports[i].n_published ? forwarding_port(rt, m->ports[i].given->link, e) : 0;
	return r;
}

static int set_rate(const struct fw_model *m, unsigned i, char **words, bool set, struct err *e)
{
	autoclose int rt = nl_open(NETLINK_ROUTE);
	const struct fw_port *p = &m->ports[i];
	struct net_rate rate = { 0 };
	int r = 0;

	for (size_t k = 1; set && words[k] && r == 0; k++)
		r = rate_parse(words[k], &rate, e);
	if (r < 0)
		return r;
	return set ? rate_set(rt, p->given->link, p->instance, &rate, e) : rate_clear(rt, p->given->link, e);
}

/* Looks and notes it in dir; recall: is there a note that still holds? */
static int note(const struct fw_model *m, const char *dir, bool recall, struct err *e)
{
	autoclose int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	if (recall)
		firewall_recall(&wall, dir_fd);
	else
		r = firewall_is_whole(&wall, m->guard, e);
	if (r >= 0 && !recall)
		firewall_note(&wall, dir_fd);
	printf("%d\n", wall.whole);
	return r;
}

/* --- what the engine does by firewall_ensure alone */

static int network_add(const struct fw_network *n, struct err *e)
{
	AUTO(fw_elements_done) struct fw_elements l = { 0 };
	const struct nft_set s = fw_set(wall.table, FW_BRIDGES);
	int fd = fw_use(&wall, e);
	struct nft_element there;

	if (fd < 0)
		return fd;
	fw_network_elements(n, &l);
	if (l.n && nft_element_get(fd, &s, &l.v[0].el, &there) == 0 &&
	    !strcmp(there.comment, l.v[0].el.comment))
		return 0; /* they come in one transaction */
	return fw_add(&wall, &l, NULL, e);
}

static bool is_owners(void *arg, int set, const struct nft_element *el)
{
	return !strcmp(el->comment, arg);
}

static int sweep(char *owner, struct err *e)
{
	const struct fw_stale stale = { NULL, is_owners, owner };
	int fd = fw_use(&wall, e);

	return fd < 0 ? fd : fw_remove_stale(&wall, &stale, NULL, e);
}

static int run(const char *verb, const struct fw_model *m, char **words, struct err *e)
{
	unsigned i = words[0] ? (unsigned)atoi(words[0]) : 0,
		 k = words[0] && words[1] ? (unsigned)atoi(words[1]) : 0;

	if (!strcmp(verb, "script"))
		return print(m, e);
	if (!strcmp(verb, "rate") || !strcmp(verb, "rate-clear"))
		return set_rate(m, i, words, verb[4] == '\0', e);
	if (!strcmp(verb, "hairpin"))
		return hairpin(m, e);
	if (!strcmp(verb, "ensure"))
		return ensure(m, e);
	if (!strcmp(verb, "whole"))
		return printf("%d\n", firewall_is_whole(&wall, m->guard, e));
	if (!strcmp(verb, "note") || !strcmp(verb, "recall"))
		return note(m, words[0], verb[0] == 'r', e);
	if (!strcmp(verb, "remove"))
		return firewall_remove(&wall, e);
	if (!strcmp(verb, "owners"))
		return owners(m, e);
	if (!strcmp(verb, "bench"))
		return bench(m, e);
	if (!strcmp(verb, "up") || !strcmp(verb, "down"))
		return host(m, words[0], !strcmp(verb, "up"), e);
	if (!strcmp(verb, "sweep"))
		return sweep(words[0], e);
	if (!strcmp(verb, "egress"))
		return egress(m, i, words[1], words[2], e);
	if (!strncmp(verb, "network-", 8) && i < m->n_networks)
		return strstr(verb, "add") ? network_add(&m->networks[i], e)
					   : firewall_network_remove(&wall, &m->networks[i], e);
	if (i >= m->n_ports)
		return err_set(e, EINVAL, "there is no port %u", i);
	if (!strcmp(verb, "port-rules"))
		return firewall_port_rules(&wall, &m->ports[i], e);
	if (!strncmp(verb, "port-", 5))
		return strstr(verb, "add") ? firewall_port_add(&wall, &m->ports[i], e)
					   : firewall_port_remove(&wall, &m->ports[i], e);
	return firewall_publish(&wall, &m->ports[i], &m->ports[i].published[k], !strcmp(verb, "publish"), e);
}

int main(int argc, char **argv)
{
	struct model_file f = { 0 };
	struct fw_model m = { 0 };
	struct err e = { 0 };
	int r = argc < 3 ? err_set(&e, EINVAL, "fw_tool VERB MODEL.json [NUMBER...]")
			 : load(argv[2], &f, &m, &e);

	snprintf(wall.table, sizeof(wall.table), "%s", m.table ? m.table : "");
	if (r == 0 && getenv("LAB_DIR"))
		r = forwarding_read(open(getenv("LAB_DIR"), O_RDONLY | O_CLOEXEC), &m, &e);
	if (r == 0)
		r = run(argv[1], &m, argv + 3, &e);
	if (r < 0)
		fprintf(stderr, "fw_tool: %s\n", e.msg);
	firewall_close(&wall);
	free(m.networks);
	free(m.ports);
	json_done(&file_table, &f);
	return r < 0;
}
