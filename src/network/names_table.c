/* names_table.c - the names file as a table that answers questions about it */
#include "network/names_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- reading */

static int by_name(const void *a, const void *b)
{
	const struct names_key *x = a, *y = b;
	int r = dns_name_compare(&x->name, &y->name);

	return r ? r : x->host < y->host ? -1 : x->host > y->host;
}

static int read_address(const char *text, struct ip *ret, struct err *e)
{
	return !text || ip_parse(text, ret) == 0 ? 0 : err_set(e, EINVAL, "no address: %.60s", text);
}

static int read_prefix(const char *text, struct ip_prefix *ret, struct err *e)
{
	return !text || ip_parse_prefix(text, ret) == 0 ? 0 : err_set(e, EINVAL, "no network: %.60s", text);
}

bool names_pattern_parse(const char *text, struct names_pattern *ret)
{
	ret->wildcard = !strncmp(text, "*.", 2);
	return dns_name_parse(text + (ret->wildcard ? 2 : 0), &ret->name) == 0;
}

static int read_egress(const struct strv *list, struct names_host *h)
{
	h->egress = calloc(list->n + 1, sizeof(*h->egress));
	if (!h->egress)
		return -ENOMEM;
	for (size_t i = 0; i < list->n; i++)
		h->n_egress += names_pattern_parse(list->v[i], &h->egress[h->n_egress]);
	return 0;
}

static int read_host(struct names_table *t, const struct names_entry *entry, struct err *e)
{
	struct names_host *h = &t->hosts[t->n_hosts];
	int r;

	h->entry = entry;
	h->has_mac = entry->mac && mac_parse(entry->mac, h->mac) == 0;
	r = read_address(entry->address, &h->address, e);
	if (r == 0)
		r = read_address(entry->address6, &h->address6, e);
	if (r == 0 && read_egress(&entry->egress, h) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < entry->names.n && r == 0; i++) {
		struct names_key *k = &t->keys[t->n_keys];

		if (dns_name_parse(entry->names.v[i], &k->name) < 0)
			continue;
		k->host = (unsigned)t->n_hosts;
		if (!h->name.len)
			h->name = k->name;
		t->n_keys++;
	}
	t->n_hosts++;
	return r;
}

static int read_hosts(struct names_table *t, struct err *e)
{
	const struct names_file *f = &t->file;
	size_t n_names = 0;
	int r = 0;

	for (size_t i = 0; i < f->n_entries; i++)
		n_names += f->entries[i].names.n;
	t->hosts = calloc(f->n_entries + 1, sizeof(*t->hosts));
	t->keys = calloc(n_names + 1, sizeof(*t->keys));
	if (!t->hosts || !t->keys)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < f->n_entries && r == 0; i++)
		r = read_host(t, &f->entries[i], e);
	qsort(t->keys, t->n_keys, sizeof(*t->keys), by_name);
	return r;
}

static int read_zones(struct names_table *t)
{
	const char *network = t->file.network ? t->file.network : "";
	char *both = str_printf("%s." NAMES_ZONE, network);

	if (!both)
		return -ENOMEM;
	dns_name_parse(NAMES_ZONE, &t->zone);
	if (dns_name_parse(network, &t->network) == 0)
		dns_name_parse(both, &t->network_zone);
	free(both);
	return 0;
}

int names_table_parse(const char *text, size_t n, struct names_table *ret, struct err *e)
{
	struct names_table t = { 0 };
	int r = json_parse(&names_file_table, text, n, JSON_UNIQUE, &t.file, e);

	if (r < 0)
		return r;
	if (read_zones(&t) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	if (r == 0)
		r = read_prefix(t.file.subnet, &t.subnet, e);
	if (r == 0)
		r = read_prefix(t.file.subnet6, &t.subnet6, e);
	if (r == 0)
		r = read_address(t.file.gateway, &t.gateway, e);
	if (r == 0)
		r = read_address(t.file.gateway6, &t.gateway6, e);
	if (r == 0)
		r = read_hosts(&t, e);
	if (r < 0)
		names_table_done(&t);
	else
		*ret = t;
	return r;
}

void names_table_done(struct names_table *t)
{
	for (size_t i = 0; i < t->n_hosts; i++)
		free(t->hosts[i].egress);
	free(t->hosts);
	free(t->keys);
	json_done(&names_file_table, &t->file);
	*t = (struct names_table){ 0 };
}

/* --- looking up */

static bool sees(const struct names_host *client, const struct names_host *h)
{
	return !h->entry->network || (client && strv_has(&client->entry->also, h->entry->network));
}

const struct names_host *names_table_at(const struct names_table *t, const struct names_host *client,
					const struct ip *ip)
{
	for (size_t i = 0; i < t->n_hosts; i++) {
		const struct names_host *h = &t->hosts[i];
		const struct ip *own = ip->family == h->address.family ? &h->address : &h->address6;

		if (own->family == ip->family && ip_compare(own, ip) == 0 && sees(client, h))
			return h;
	}
	return NULL;
}

const struct names_host *names_table_card(const struct names_table *t, const uint8_t mac[6])
{
	for (size_t i = 0; i < t->n_hosts; i++)
		if (t->hosts[i].has_mac && memcmp(t->hosts[i].mac, mac, 6) == 0)
			return &t->hosts[i];
	return NULL;
}

bool names_table_contains(const struct names_table *t, const struct ip *ip)
{
	return (t->subnet.ip.family == ip->family && ip_contains(&t->subnet, ip)) ||
	       (t->subnet6.ip.family == ip->family && ip_contains(&t->subnet6, ip));
}

bool names_egress_allows(const struct names_host *h, const struct dns_name *name)
{
	for (size_t i = 0; i < h->n_egress; i++) {
		const struct names_pattern *p = &h->egress[i];
		struct dns_name front;

		if (p->wildcard ? dns_name_below(name, &p->name, &front) : dns_name_equal(name, &p->name))
			return true;
	}
	return false;
}

static bool of_one_network(const struct names_host *a, const struct names_host *b)
{
	const char *x = a->entry->network, *y = b->entry->network;

	return x && y ? !strcmp(x, y) : x == y;
}

/* Hosts of this network come first in the names file, and then one network after the other: so do the keys of one name. */
static const struct names_key *narrow(const struct names_table *t, const struct names_host *client,
				      const struct names_key *k, size_t *n)
{
	size_t same = 0;

	for (; *n && !sees(client, &t->hosts[k->host]); k++)
		--*n;
	while (same < *n && of_one_network(&t->hosts[k->host], &t->hosts[k[same].host]))
		same++;
	*n = same;
	return k;
}

/* The keys of this name: the first, and how many. */
static const struct names_key *find(const struct names_table *t, const struct names_host *client,
				    const struct dns_name *name, size_t *ret_n)
{
	size_t low = 0, high = t->n_keys, n = 0;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (dns_name_compare(&t->keys[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	while (low + n < t->n_keys && dns_name_equal(&t->keys[low + n].name, name))
		n++;
	*ret_n = n;
	return narrow(t, client, t->keys + low, ret_n);
}

const struct names_key *names_table_find(const struct names_table *t, const struct names_host *client,
					 const struct dns_name *name, size_t *ret_n)
{
	const struct dns_name *const zones[] = { &t->network_zone, &t->zone, &t->network };
	const struct names_key *k = find(t, client, name, ret_n);

	for (size_t i = 0; i < 3 && !*ret_n; i++) {
		struct dns_name front;

		if (zones[i]->len && dns_name_below(name, zones[i], &front))
			k = find(t, client, &front, ret_n);
	}
	return k;
}

/* --- answering */

#define TTL_S 0 /* an address lasts as long as its instance */

struct answer {
	const struct names_table *table;
	const struct names_ask *ask;
	uint8_t *data;
	size_t max, n;
};

static enum names_verdict refuse(struct answer *a, unsigned rcode)
{
	struct dns_writer w;

	dns_write_begin(&w, a->data, a->max, a->ask->data, a->ask->query);
	a->n = dns_write_end(&w, rcode);
	return NAMES_ANSWERED;
}

static enum names_verdict answer_addresses(struct answer *a, const struct names_key *k, size_t n)
{
	unsigned type = a->ask->query->question.type;
	struct dns_writer w;

	dns_write_begin(&w, a->data, a->max, a->ask->data, a->ask->query);
	for (size_t i = 0; i < n; i++) {
		const struct names_host *h = &a->table->hosts[k[(i + a->ask->turn) % n].host];

		if (h->address.family && (type == DNS_A || type == DNS_ANY))
			dns_write_address(&w, &h->address, TTL_S);
		if (h->address6.family && (type == DNS_AAAA || type == DNS_ANY))
			dns_write_address(&w, &h->address6, TTL_S);
	}
	a->n = dns_write_end(&w, DNS_OK);
	return NAMES_ANSWERED;
}

/* About an address of this network, or of who is seen from it. */
static enum names_verdict answer_pointer(struct answer *a, const struct names_host *h)
{
	unsigned type = a->ask->query->question.type;
	struct dns_writer w;

	if (!h || !h->name.len)
		return refuse(a, DNS_NXDOMAIN);
	dns_write_begin(&w, a->data, a->max, a->ask->data, a->ask->query);
	if (type == DNS_PTR || type == DNS_ANY)
		dns_write_pointer(&w, &h->name, TTL_S);
	a->n = dns_write_end(&w, DNS_OK);
	return NAMES_ANSWERED;
}

/* Answers to these carry addresses of another kind than was asked for: who may reach only what it has asked for does
 * without. */
static bool has_other_addresses(unsigned type)
{
	return type == DNS_HTTPS || type == DNS_SVCB || type == DNS_ANY;
}

/* About the world outside. */
static enum names_verdict answer_outside(struct answer *a, const struct dns_question *q)
{
	const struct names_host *c = a->ask->client;

	/* who is on another network, too, may have a way out there: its resolver is to ask the next one */
	if (a->table->file.internal)
		return refuse(a, c && c->entry->also.n ? DNS_REFUSED : DNS_NXDOMAIN);
	if (!c || !(c->entry->egress_given || c->entry->egress_learn))
		return NAMES_FORWARD;
	if (!c->entry->egress_learn && !names_egress_allows(c, &q->name))
		return refuse(a, DNS_NXDOMAIN);
	return has_other_addresses(q->type) ? refuse(a, DNS_OK) : NAMES_FORWARD_LEARN;
}

static enum names_verdict answer(struct answer *a)
{
	const struct dns_question *q = &a->ask->query->question;
	const struct names_host *at;
	const struct names_key *k;
	struct dns_name front;
	struct ip ip;
	size_t n;

	k = names_table_find(a->table, a->ask->client, &q->name, &n);
	if (n)
		return answer_addresses(a, k, n);
	if (dns_name_reverse(&q->name, &ip)) {
		at = names_table_at(a->table, a->ask->client, &ip);
		if (at || names_table_contains(a->table, &ip))
			return answer_pointer(a, at);
	}
	if (q->name.labels == 1 || dns_name_below(&q->name, &a->table->zone, &front))
		return refuse(a, DNS_NXDOMAIN);
	return answer_outside(a, q);
}

enum names_verdict names_answer(const struct names_table *t, const struct names_ask *ask, uint8_t *ret,
				size_t max, size_t *ret_n)
{
	struct answer a = { t, ask, ret, max, 0 };
	enum names_verdict v = answer(&a);

	*ret_n = a.n;
	return v;
}
