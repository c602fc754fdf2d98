/* net_spec.c - the tables of struct net_spec */
#include "instance/net_spec.h"

#include <assert.h>

#include "base/auto.h"

const char *const network_names[] = { "none", "host", "attached", "container", NULL };
static_assert(ARRAY_LEN(network_names) == NETWORK_N + 1, "name every network mode");
const char *const port_protocol_names[] = { "tcp", "udp", NULL };
static_assert(ARRAY_LEN(port_protocol_names) == PORT_PROTOCOL_N + 1, "name every protocol");

static const struct jfield given_fields[] = {
	J(J_STR, struct net_port, link),     J(J_STR, struct net_port, name),
	J(J_STR, struct net_port, mac),	     J(J_STR, struct net_port, address),
	J(J_STR, struct net_port, address6), J(J_STR, struct net_port, gateway),
	J(J_STR, struct net_port, gateway6), J(J_STR, struct net_port, dns),
	J(J_U32, struct net_port, mtu),	     { 0 },
};
const struct jtable net_port_table = { sizeof(struct net_port), given_fields };

static const struct jfield attachment_fields[] = {
	J(J_STR, struct net_attachment, network),
	JK(J_STR, struct net_attachment, network_name, "networkName"),
	J(J_STRV, struct net_attachment, aliases),
	J(J_STR, struct net_attachment, ip),
	J(J_STR, struct net_attachment, ip6),
	J(J_STR, struct net_attachment, mac),
	JO(struct net_attachment, given, "given", &net_port_table),
	{ 0 },
};
const struct jtable net_attachment_table = { sizeof(struct net_attachment), attachment_fields };

static const struct jfield published_fields[] = {
	JE(struct published_port, protocol, "protocol", port_protocol_names),
	JK(J_STR, struct published_port, host_ip, "hostIp"),
	JK(J_U32, struct published_port, host_port, "hostPort"),
	JK(J_U32, struct published_port, host_last, "hostLast"),
	J(J_U32, struct published_port, port),
	{ 0 },
};
const struct jtable published_port_table = { sizeof(struct published_port), published_fields };

static const struct jfield rule_fields[] = {
	J(J_BOOL, struct net_rule, allow),
	J(J_BOOL, struct net_rule, out),
	J(J_STR, struct net_rule, protocol),
	J(J_STR, struct net_rule, peer),
	JK(J_U32, struct net_rule, port_first, "portFirst"),
	JK(J_U32, struct net_rule, port_last, "portLast"),
	{ 0 },
};
const struct jtable net_rule_table = { sizeof(struct net_rule), rule_fields };

static const struct jfield rate_fields[] = {
	JK(J_U64, struct net_rate, in_bps, "in"),
	JK(J_U64, struct net_rate, out_bps, "out"),
	JK(J_U64, struct net_rate, burst_bytes, "burst"),
	{ 0 },
};
static const struct jtable rate_table = { sizeof(struct net_rate), rate_fields };

static const struct jfield net_spec_fields[] = {
	J(J_STR, struct net_spec, of),
	JA(struct net_spec, attachments, n_attachments, "attachments", &net_attachment_table),
	JO(struct net_spec, spare, "spare", &net_port_table),
	JA(struct net_spec, ports, n_ports, "ports", &published_port_table),
	JK(J_BOOL, struct net_spec, publish_all, "publishAll"),
	J(J_STRV, struct net_spec, exposed),
	J(J_STRV, struct net_spec, dns),
	JK(J_STRV, struct net_spec, dns_search, "dnsSearch"),
	JK(J_STRV, struct net_spec, dns_options, "dnsOptions"),
	JA(struct net_spec, rules, n_rules, "rules", &net_rule_table),
	J(J_STRV, struct net_spec, egress),
	JK(J_BOOL, struct net_spec, egress_given, "egressGiven"),
	JK(J_BOOL, struct net_spec, egress_learn, "egressLearn"),
	JO(struct net_spec, rate, "rate", &rate_table),
	{ 0 },
};
const struct jtable net_spec_table = { sizeof(struct net_spec), net_spec_fields };
