/* plan_etc.c - the files of /etc that an instance gets from us: who it is, whom it knows, what time it is; pure */
#include <string.h>

#include "base/auto.h"
#include "container/container_int.h"
#include "container/plan_int.h"

static const char localhost[] = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
				"fe00::\tip6-localnet\nff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\n"
				"ff02::2\tip6-allrouters\n";

/* --- /etc/hosts */

static void add_self(struct buf *b, const char *address, const struct instance_spec *s, const char *name)
{
	buf_addf(b, "%.*s\t%s", (int)strcspn(address, "/"), address, name);
	if (s->sandbox.domainname)
		buf_addf(b, ".%s %s", s->sandbox.domainname, name);
	buf_addc(b, '\n');
}

static bool has_address(const struct net_spec *n)
{
	for (size_t i = 0; i < n->n_attachments; i++)
		if (n->attachments[i].given.address || n->attachments[i].given.address6)
			return true;
	return false;
}

static const char *name_of(const struct instance_spec *s)
{
	return s->hostname ? s->hostname : "ketch";
}

void plan_etc_hosts(struct buf *b, const struct instance_spec *s, const struct net_port *p)
{
	if (p->address)
		add_self(b, p->address, s, name_of(s));
	if (p->address6)
		add_self(b, p->address6, s, name_of(s));
}

static void add_own(struct buf *b, const struct instance_spec *s)
{
	const struct net_spec *n = &s->net;

	buf_adds(b, localhost);
	if (!has_address(n))
		add_self(b, "127.0.1.1", s, name_of(s));
	for (size_t i = 0; i < n->n_attachments; i++)
		plan_etc_hosts(b, s, &n->attachments[i].given);
}

/* Where the host is reached; NULL: nowhere. */
static const char *host_gateway(const struct instance_spec *s)
{
	if (s->network == NETWORK_HOST)
		return "127.0.0.1";
	for (size_t i = 0; i < s->net.n_attachments; i++) {
		const struct net_port *p = &s->net.attachments[i].given;

		if (p->gateway || p->dns)
			return p->gateway ? p->gateway : p->dns;
	}
	return NULL;
}

/* "ADDRESS\tNAME", or HOST_GATEWAY in the place of the address. */
static void add_line(struct buf *b, const struct instance_spec *s, const char *line)
{
	size_t n = strlen(HOST_GATEWAY);

	if (strncmp(line, HOST_GATEWAY "\t", n + 1) != 0)
		buf_addf(b, "%s\n", line);
	else if (host_gateway(s))
		buf_addf(b, "%s%s\n", host_gateway(s), line + n);
}

/* Those of the host, or ours, and behind them what the user adds. */
static void add_hosts(struct planner *pl, bool of_host)
{
	const struct sandbox *b = &pl->spec->sandbox;
	AUTO(buf_done) struct buf text = { 0 };

	if (b->no_hosts)
		return;
	if (!of_host)
		add_own(&text, pl->spec);
	for (size_t i = 0; i < b->hosts.n; i++)
		add_line(&text, pl->spec, b->hosts.v[i]);
	plan_step(pl, &op_etc_file, "/etc/hosts", of_host ? "/etc/hosts" : NULL, text.data, 0);
}

/* --- /etc/resolv.conf */

void plan_etc_server(struct buf *b, const struct instance_spec *s, const struct net_port *p)
{
	if (p->dns && !s->net.dns.n)
		buf_addf(b, "nameserver %s\n", p->dns);
}

static void add_servers(struct buf *b, const struct instance_spec *s)
{
	const struct net_spec *n = &s->net;

	for (size_t i = 0; i < n->dns.n; i++)
		buf_addf(b, "nameserver %s\n", n->dns.v[i]);
	for (size_t i = 0; i < n->n_attachments; i++)
		plan_etc_server(b, s, &n->attachments[i].given);
}

static void add_words(struct buf *b, const char *key, const struct strv *words)
{
	for (size_t i = 0; i < words->n; i++)
		buf_addf(b, "%s %s", i ? "" : key, words->v[i]);
	if (words->n)
		buf_addc(b, '\n');
}

/* "--dns-search ." is none at all. */
static void add_search(struct buf *b, const struct strv *words)
{
	if (words->n != 1 || strcmp(words->v[0], ".") != 0)
		add_words(b, "search", words);
}

static void add_resolv(struct planner *pl, bool of_host)
{
	const struct net_spec *n = &pl->spec->net;
	AUTO(buf_done) struct buf text = { 0 };

	if (of_host && !n->dns.n && !n->dns_search.n && !n->dns_options.n) {
		plan_step(pl, &op_etc_file, "/etc/resolv.conf", "/etc/resolv.conf", NULL, 0);
		return;
	}
	add_servers(&text, pl->spec);
	add_search(&text, &n->dns_search);
	add_words(&text, "options", &n->dns_options);
	plan_step(pl, &op_etc_file, "/etc/resolv.conf", NULL, text.len ? text.data : "# no network\n", 0);
}

void plan_etc(struct planner *pl)
{
	bool of_host = pl->spec->network == NETWORK_HOST && !pl->facts->in_guest;

	plan_step_take(pl, &op_etc_file, "/etc/hostname", str_printf("%s\n", name_of(pl->spec)), 0);
	add_hosts(pl, of_host);
	add_resolv(pl, of_host);
	if (pl->spec->sandbox.localtime)
		plan_step(pl, &op_etc_file, "/etc/localtime", NULL, pl->spec->sandbox.localtime, STEP_HEX);
}
