/* net_spec.h - which networks an instance is on, under which addresses and names, and what is published of it
 *
 * Part of the spec.  What was asked for stands in the members without "given"; what was chosen at the start, from leases
 * that end with the instance, in those of struct net_port.
 */
#ifndef INSTANCE_NET_SPEC_H
#define INSTANCE_NET_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "base/strv.h"

enum network_mode {
	NETWORK_NONE, /* lo alone */
	NETWORK_HOST,
	NETWORK_ATTACHED, /* the networks of net.attachments */
	NETWORK_CONTAINER, /* that of another instance: net.of */
	NETWORK_N
};
extern const char *const network_names[]; /* "none", "host", "attached", "container", NULL */

#define NET_MAX_ATTACHMENTS 8
#define NET_IFNAME_MAX	    16 /* with its NUL, as the kernel has it */

/* What an attachment was given at this start.  Addresses are text, with the length of the prefix: "10.88.0.5/16". */
struct net_port {
	char *link; /* the host's end: a veth or a tap */
	char *name; /* inside: "eth0" */
	char *mac; /* "02:42:0a:58:00:05" */
	char *address, *address6; /* NULL: the network has none of this family */
	char *gateway, *gateway6; /* without a prefix; NULL: no default route over this network */
	char *dns; /* where its name service answers: the gateway; NULL: none */
	uint32_t mtu; /* 0: the kernel's */
};

struct net_attachment {
	char *network; /* its id (32 hex digits); the name may change hands */
	char *network_name; /* as it was when it was attached */
	struct strv aliases; /* names on this network, besides the instance's name and short id */
	char *ip, *ip6, *mac; /* asked for; NULL: any */
	struct net_port given; /* empty unless it runs */
};

enum port_protocol { PORT_TCP, PORT_UDP, PORT_PROTOCOL_N };
extern const char *const port_protocol_names[]; /* "tcp", "udp", NULL */

struct published_port {
	int protocol; /* enum port_protocol */
	char *host_ip; /* "127.0.0.1", "0.0.0.0", "::" */
	uint32_t host_port; /* 0: chosen at the start, and written here */
	uint32_t
		host_last; /* the first free one from host_port to this is chosen at the start; 0: host_port itself */
	uint32_t port; /* of the instance */
};

struct net_rule {
	bool allow, out; /* else deny, into the instance */
	char *protocol; /* "tcp", "udp", "icmp"; NULL: any */
	char *peer; /* a CIDR, an instance's or a network's name; NULL: anybody */
	uint32_t port_first, port_last; /* 0, 0: any */
};

struct net_rate {
	uint64_t in_bps, out_bps; /* bytes a second, into and out of the instance; 0: not limited */
	uint64_t burst_bytes; /* 0: chosen */
};

struct net_spec {
	char *of; /* NETWORK_CONTAINER: id of the other instance */
	struct net_attachment *attachments;
	size_t n_attachments;
	struct net_port
		spare; /* vm: link and mac of a card on no network yet, for one to come; mac NULL: none */
	struct published_port *ports;
	size_t n_ports;
	bool publish_all; /* -P */
	struct strv exposed; /* "80/tcp" */
	struct strv dns, dns_search, dns_options; /* instead of the network's own */
	struct net_rule *rules;
	size_t n_rules;
	struct strv egress; /* names that may be reached, "example.org", "*.example.org"; none: all */
	bool egress_given,
		egress_learn; /* --egress none is no name at all; learn: nothing is kept out, all is listed */
	struct net_rate rate;
};

extern const struct jtable net_port_table, net_attachment_table, published_port_table, net_rule_table,
	net_spec_table;

#endif
