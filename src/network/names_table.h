/* names_table.h - who is on a network, ready to be asked: by name, by address, by card; and what it is answered; pure */
#ifndef NETWORK_NAMES_TABLE_H
#define NETWORK_NAMES_TABLE_H

#include "network/dns.h"
#include "network/names.h"

#define NAMES_ZONE "ketch" /* NAME.ketch, NAME.NETWORK.ketch; nothing below it is ever forwarded */

/* A name that an instance may reach; wildcard: all that is below it instead. */
struct names_pattern {
	struct dns_name name;
	bool wildcard;
};

struct names_host {
	const struct names_entry *entry;
	struct ip address, address6; /* family 0: none */
	uint8_t mac[6];
	bool has_mac;
	struct dns_name name; /* its first; len 0: it has none */
	struct names_pattern *egress;
	size_t n_egress;
};

struct names_key {
	struct dns_name name;
	unsigned host; /* index */
};

struct names_table {
	struct names_file file;
	struct ip_prefix subnet, subnet6; /* family 0: none */
	struct ip gateway, gateway6;
	struct dns_name zone, network,
		network_zone; /* "ketch", "NETWORK", "NETWORK.ketch"; len 0: no such name */
	struct names_host *hosts;
	size_t n_hosts;
	struct names_key *keys; /* sorted by name */
	size_t n_keys;
};

/* From the text of the names file; a name or pattern that is none is left out.  0; -EINVAL: not such a file. */
int names_table_parse(const char *text, size_t n, struct names_table *ret, struct err *e);
void names_table_done(struct names_table *t);
/* Each with whom asks; NULL: somebody who sees the names of this network alone.
 * The keys of the name, as it stands or below one of our zones, of this network or else of the first other one that has it:
 * the first, and how many. */
const struct names_key *names_table_find(const struct names_table *t, const struct names_host *client,
					 const struct dns_name *name, size_t *ret_n);
/* The host that has the address or the card; NULL: nobody. */
const struct names_host *names_table_at(const struct names_table *t, const struct names_host *client,
					const struct ip *ip);
const struct names_host *names_table_card(const struct names_table *t, const uint8_t mac[6]);
/* Is the address one of the network? */
bool names_table_contains(const struct names_table *t, const struct ip *ip);

/* A name to be reached: exactly, or below a wildcard. */
bool names_pattern_parse(const char *text, struct names_pattern *ret);
bool names_egress_allows(const struct names_host *h, const struct dns_name *name);

/* One question of one client. */
struct names_ask {
	const uint8_t *data; /* the query */
	const struct dns_query *query;
	const struct names_host *client; /* NULL: the host itself, or who has no entry */
	unsigned turn; /* which of several addresses comes first */
};

enum names_verdict {
	NAMES_ANSWERED, /* with what stands in ret */
	NAMES_FORWARD,
	NAMES_FORWARD_LEARN, /* and its addresses are for the client's set, before it is answered */
};

/* What the table alone answers, in at most max bytes; no answer of it is forwarded. */
enum names_verdict names_answer(const struct names_table *t, const struct names_ask *ask, uint8_t *ret,
				size_t max, size_t *ret_n);

#endif
