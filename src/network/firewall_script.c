/* firewall_script.c - the rule set as text for nft(8): its chains, which are always the same, and elements
 *
 * No hook has another policy than accept, and what is neither from nor to a bridge of ours passes untouched, but for
 * `strangers` on a host that was no router before us.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "network/firewall_int.h"

/* --- chains of family inet */

/* Names of instances, and with them rules, are addresses: nobody else speaks with them (raw).  127.0.0.0/8 is routed over
 * our bridges for answers of published ports (route_localnet), never to the host (CVE-2020-8558). */
static const char raw_chain[] = "	chain raw {\n"
				"		type filter hook prerouting priority raw; policy accept;\n"
				"		iifname @bridges ip daddr 127.0.0.0/8 drop\n"
				"		iifname @bridges ip saddr 127.0.0.0/8 drop\n"
				"		iifname @bridges accept\n"
				"		iifname \"lo\" accept\n"
				"		meta nfproto . ip saddr @subnets4 drop\n"
				"		meta nfproto . ip6 saddr @subnets6 drop\n"
				"	}\n";

/* The client's address stays, but where its answer would not come back to us. */
static const char nat_chains[] =
	"	chain prerouting {\n"
	"		type nat hook prerouting priority dstnat; policy accept;\n"
	"		ip daddr != 127.0.0.0/8 dnat ip to meta l4proto . ip daddr . th dport map "
	"@published4\n"
	"		ip daddr != 127.0.0.0/8 fib daddr type local dnat ip to meta l4proto . th dport map "
	"@published_any4\n"
	"		ip6 daddr != ::1 dnat ip6 to meta l4proto . ip6 daddr . th dport map @published6\n"
	"		ip6 daddr != ::1 fib daddr type local dnat ip6 to meta l4proto . th dport map "
	"@published_any6\n"
	"	}\n"
	"	chain output {\n"
	"		type nat hook output priority -100; policy accept;\n"
	"		dnat ip to meta l4proto . ip daddr . th dport map @published4\n"
	"		fib daddr type local dnat ip to meta l4proto . th dport map @published_any4\n"
	"		ip6 daddr != ::1 dnat ip6 to meta l4proto . ip6 daddr . th dport map @published6\n"
	"		ip6 daddr != ::1 fib daddr type local dnat ip6 to meta l4proto . th dport map "
	"@published_any6\n"
	"	}\n"
	"	chain postrouting {\n"
	"		type nat hook postrouting priority srcnat; policy accept;\n"
	"		ct status dnat oifname . ip saddr @local4 masquerade\n"
	"		ct status dnat oifname . ip6 saddr @local6 masquerade\n"
	"		oifname @bridges ip saddr 127.0.0.0/8 masquerade\n"
	"		oifname @bridges accept\n"
	"		meta nfproto . ip saddr @masquerade4 masquerade\n"
	"		meta nfproto . ip6 saddr @masquerade6 masquerade\n"
	"	}\n";

static const char forward_chain[] =
	"	chain forward {\n"
	"		type filter hook forward priority filter - 10; policy accept;\n"
	"		iifname != @bridges oifname != @bridges goto strangers\n"
	"		ct state vmap { established : accept, related : accept }\n"
	"		iifname @bridges jump rules_out\n"
	"		oifname @bridges jump rules_in\n"
	"		iifname . oifname @same accept\n"
	"		iifname @internal drop\n"
	"		oifname @internal drop\n"
	"		iifname @bridges jump limits\n"
	"		ct status dnat accept\n"
	"		oifname @bridges drop\n"
	"		ct state invalid drop\n"
	"	}\n";

/* Hardware that comes later has no kind. */
static const char guard_rules[] = "		iifname @apart oifname @apart drop\n"
				  "		meta iifkind != \"-\" accept\n"
				  "		meta oifkind != \"-\" accept\n"
				  "		drop\n";

/* The host's own services are neither opened nor closed, but to internal networks, to instances with rules, and where a
 * gateway's address is asked from another network. */
static const char input_chain[] =
	"	chain input {\n"
	"		type filter hook input priority filter - 10; policy accept;\n"
	"		iifname \"lo\" accept\n"
	"		meta nfproto . ip daddr @subnets4 iifname . ip daddr != @local4 drop\n"
	"		meta nfproto . ip6 daddr @subnets6 iifname . ip6 daddr != @local6 drop\n"
	"		iifname != @bridges accept\n"
	"		ct state vmap { established : accept, related : accept }\n"
	"		iifname . ip daddr @local4 meta l4proto { tcp, udp } th dport 53 accept\n"
	"		iifname . ip6 daddr @local6 meta l4proto { tcp, udp } th dport 53 accept\n"
	"		udp dport { 67, 547 } accept\n"
	"		jump rules_out\n"
	"		iifname @internal meta l4proto != { icmp, ipv6-icmp } drop\n"
	"		jump limits\n"
	"	}\n";

/* Neighbour discovery passes where a bridge's frames do. */
#define NEIGHBOURS                                                                                           \
	"		icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } return\n"

static const char rule_chains[] =
	"	chain rules_out {\n" NEIGHBOURS
	"		ip saddr . ip daddr . meta l4proto . th dport @deny_out4 drop\n"
	"		ip6 saddr . ip6 daddr . meta l4proto . th dport @deny_out6 drop\n"
	"		ip saddr . ip daddr . meta l4proto . th dport @allow_out4 return\n"
	"		ip6 saddr . ip6 daddr . meta l4proto . th dport @allow_out6 return\n"
	"		ip saddr @closed_out4 drop\n"
	"		ip6 saddr @closed_out6 drop\n"
	"	}\n"
	"	chain rules_in {\n" NEIGHBOURS
	"		ip daddr . ip saddr . meta l4proto . th dport @deny_in4 drop\n"
	"		ip6 daddr . ip6 saddr . meta l4proto . th dport @deny_in6 drop\n"
	"		ip daddr . ip saddr . meta l4proto . th dport @allow_in4 return\n"
	"		ip6 daddr . ip6 saddr . meta l4proto . th dport @allow_in6 return\n"
	"		ip daddr @closed_in4 drop\n"
	"		ip6 daddr @closed_in6 drop\n"
	"	}\n"
	"	chain limits {\n" NEIGHBOURS
	"		ip saddr @limited4 ip saddr . ip daddr != @egress4 drop\n"
	"		ip6 saddr @limited6 ip6 saddr . ip6 daddr != @egress6 drop\n"
	"	}\n";

/* --- chains of family bridge: a port says nothing about itself that is not so, and does not speak for the network.  What
 * it sends comes back to it only where it asked for its own published port (forwarding_port).  A packet of a wrong length
 * has no protocol for the kernel's nf_tables, and matches no rule about one.
 *
 * Rules are about addresses that we gave.  Who has some speaks with nobody by others: not by the link-local ones that the
 * kernel makes, and among instances not to all at once. */

static const char bridge_chains[] =
	"	chain prerouting {\n"
	"		type filter hook prerouting priority -250; policy accept;\n"
	"		iifname @ports jump port\n"
	"	}\n"
	"	chain forward {\n"
	"		type filter hook forward priority -250; policy accept;\n"
	"		iifname @ruled jump ruled_between\n"
	"		oifname @ruled jump ruled_between\n"
	"		iifname . oifname @reflected ether daddr & 01:00:00:00:00:00 == 01:00:00:00:00:00 "
	"drop\n"
	"	}\n"
	"	chain ruled_between {\n" NEIGHBOURS "		ip6 saddr fe80::/10 drop\n"
	"		ip6 daddr fe80::/10 drop\n"
	"		ether type { ip, ip6 } ether daddr & 01:00:00:00:00:00 == 01:00:00:00:00:00 drop\n"
	"	}\n"
	"	chain ruled_link_local {\n" NEIGHBOURS
	"		icmpv6 type { mld-listener-report, mld-listener-done, mld2-listener-report } return\n"
	"		udp dport 547 return\n"
	"		drop\n"
	"	}\n"
	"	chain port {\n"
	"		iifname . ether saddr != @macs drop\n"
	"		ether type arp goto port_arp\n"
	"		ether type ip goto port_ip\n"
	"		ether type ip6 goto port_ip6\n"
	"		drop\n"
	"	}\n"
	"	chain port_arp {\n"
	"		iifname . arp saddr ether . arp saddr ip @own4 accept\n"
	"		arp operation request arp saddr ip 0.0.0.0 iifname . arp saddr ether @macs accept\n"
	"		drop\n"
	"	}\n"
	"	chain port_ip {\n"
	"		udp sport 67 drop\n"
	"		meta l4proto != 255 iifname . ether saddr . ip saddr @own4 accept\n"
	"		ip saddr 0.0.0.0 udp dport 67 accept\n"
	"		drop\n"
	"	}\n"
	"	chain port_ip6 {\n"
	"		icmpv6 type { nd-router-advert, nd-redirect } drop\n"
	"		udp sport 547 drop\n"
	"		icmpv6 type nd-neighbor-advert iifname . ether saddr . @th,64,128 != @target6 drop\n"
	"		iifname @ruled ip6 saddr fe80::/10 jump ruled_link_local\n"
	"		meta l4proto != 255 iifname . ether saddr . ip6 saddr @own6 accept\n"
	"		ip6 saddr :: icmpv6 type { nd-neighbor-solicit, nd-router-solicit, "
	"mld-listener-report, "
	"mld2-listener-report } accept\n"
	"		drop\n"
	"	}\n";

/* --- sets */

struct field_row {
	const char *type, *expression; /* as nft(8) names it; what has that type */
	unsigned len;
};
static const struct field_row fields[] = {
	[FIELD_LINK] = { "ifname", "iifname", NET_IFNAME_MAX },
	[FIELD_MAC] = { "ether_addr", "ether saddr", 6 },
	[FIELD_IP4] = { "ipv4_addr", "ip saddr", 4 },
	[FIELD_IP6] = { "ipv6_addr", "ip6 saddr", 16 },
	[FIELD_TARGET] = { NULL, "@th,64,128", 16 },
	[FIELD_PROTOCOL] = { "inet_proto", "meta l4proto", 1 },
	[FIELD_PORT] = { "inet_service", "th dport", 2 },
	[FIELD_FAMILY] = { "nf_proto", "meta nfproto", 1 },
};

unsigned fw_field_len(uint8_t field)
{
	return fields[field].len;
}

static void print_types(const uint8_t *list, bool expressions, struct buf *out)
{
	for (size_t i = 0; i < FIELDS_MAX && list[i]; i++)
		buf_addf(out, "%s%s", i ? " . " : "",
			 expressions ? fields[list[i]].expression : fields[list[i]].type);
}

static void print_set(const struct fw_set_row *s, struct buf *out)
{
	bool typed = true;

	for (size_t i = 0; i < FIELDS_MAX && s->key[i]; i++)
		typed &= fields[s->key[i]].type != NULL;
	buf_addf(out, "	%s %s {\n		%s ", s->data[0] ? "map" : "set", s->name,
		 typed ? "type" : "typeof");
	print_types(s->key, !typed, out);
	if (s->data[0]) {
		buf_adds(out, " : ");
		print_types(s->data, !typed, out);
	}
	buf_addf(out, "\n%s%s	}\n", s->ranges ? "		flags interval\n" : "",
		 s->timeout ? "		flags timeout\n" : "");
}

/* Made anew, whatever is there. */
static void begin_table(const char *family, const char *table, struct buf *out)
{
	buf_addf(out, "table %s %s\ndelete table %s %s\ntable %s %s {\n", family, table, family, table,
		 family, table);
}

static void print_sets(uint8_t family, struct buf *out)
{
	for (int i = 0; i < FW_N; i++)
		if (fw_sets[i].family == family)
			print_set(&fw_sets[i], out);
}

static void print_strangers(unsigned guard, struct buf *out)
{
	buf_adds(out, "	chain strangers {\n");
	if (!(guard & FW_GUARD4))
		buf_adds(out, "		meta nfproto ipv4 accept\n");
	if (!(guard & FW_GUARD6))
		buf_adds(out, "		meta nfproto ipv6 accept\n");
	buf_adds(out, guard ? guard_rules : "");
	buf_adds(out, "	}\n");
}

void fw_script_rules(const char *table, unsigned guard, struct buf *out)
{
	begin_table("inet", table, out);
	print_sets(NFPROTO_INET, out);
	buf_adds(out, raw_chain);
	buf_adds(out, nat_chains);
	buf_adds(out, forward_chain);
	print_strangers(guard, out);
	buf_adds(out, input_chain);
	buf_adds(out, rule_chains);
	buf_adds(out, "}\n");
	begin_table("bridge", table, out);
	print_sets(NFPROTO_BRIDGE, out);
	buf_adds(out, bridge_chains);
	buf_adds(out, "}\n");
}

/* --- elements */

static void print_part(uint8_t field, const uint8_t *bytes, struct buf *out)
{
	char text[IP_TEXT_MAX];
	struct ip ip = { .family = field == FIELD_IP6 ? AF_INET6 : AF_INET };

	switch (field) {
	case FIELD_LINK:
		buf_addf(out, "\"%.15s\"", (const char *)bytes);
		break;
	case FIELD_MAC:
		buf_adds(out, mac_print(bytes, text));
		break;
	case FIELD_IP4:
	case FIELD_IP6:
		memcpy(ip.bytes, bytes, fields[field].len);
		buf_adds(out, ip_print(&ip, text));
		break;
	case FIELD_PORT:
		buf_addf(out, "%u", bytes[0] << 8 | bytes[1]);
		break;
	case FIELD_TARGET:
		buf_adds(out, "0x");
		for (unsigned i = 0; i < fields[field].len; i++)
			buf_addf(out, "%02x", bytes[i]);
		break;
	case FIELD_FAMILY:
		buf_adds(out, bytes[0] == NFPROTO_IPV6 ? "ipv6" : "ipv4");
		break;
	default:
		buf_addf(out, "%u", bytes[0]);
	}
}

static void print_parts(const uint8_t *list, const uint8_t *from, const uint8_t *to, struct buf *out)
{
	for (size_t i = 0, at = 0; i < FIELDS_MAX && list[i]; at += (fields[list[i]].len + 3) / 4 * 4, i++) {
		buf_adds(out, i ? " . " : "");
		print_part(list[i], from + at, out);
		if (!to || !memcmp(from + at, to + at, fields[list[i]].len))
			continue;
		buf_addc(out, '-');
		print_part(list[i], to + at, out);
	}
}

static void print_element(const struct fw_set_row *s, const struct nft_element *el, struct buf *out)
{
	print_parts(s->key, el->key, el->end_len ? el->end : NULL, out);
	if (el->timeout_ms)
		buf_addf(out, " timeout %llus", (unsigned long long)(el->timeout_ms / 1000));
	if (el->comment[0])
		buf_addf(out, " comment \"%s\"", el->comment);
	if (!el->data_len)
		return;
	buf_adds(out, " : ");
	print_parts(s->data, el->data, NULL, out);
}

void fw_script_elements(const char *table, const struct fw_elements *l, struct buf *out)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct fw_set_row *s = &fw_sets[l->v[i].set];

		buf_addf(out, "add element %s %s %s { ", s->family == NFPROTO_INET ? "inet" : "bridge", table,
			 s->name);
		print_element(s, &l->v[i].el, out);
		buf_adds(out, " }\n");
	}
}

int firewall_script(const struct fw_model *m, struct buf *out, struct err *e)
{
	AUTO(fw_elements_done) struct fw_elements l = { 0 };

	fw_script_rules(m->table, m->guard, out);
	fw_model_elements(m, &l);
	fw_script_elements(m->table, &l, out);
	return buf_ok(out) ? fw_elements_check(&l, e) : err_set(e, ENOMEM, "out of memory");
}
