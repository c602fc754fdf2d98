/* dhcp.h - the server's side of DHCP (RFC 2131, options of RFC 2132), for cards whose addresses are known before; pure
 *
 * There is no pool: a card gets the address that it was leased when its instance was started, and a card that is not
 * known gets no answer, not even a refusal: another server may be there for it.
 */
#ifndef NETWORK_DHCP_H
#define NETWORK_DHCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

#define DHCP_MAX 1500 /* of a message */

enum dhcp_type {
	DHCP_NONE,
	DHCP_DISCOVER,
	DHCP_OFFER,
	DHCP_REQUEST,
	DHCP_DECLINE,
	DHCP_ACK,
	DHCP_NAK,
	DHCP_RELEASE
};

struct dhcp_request {
	enum dhcp_type type;
	uint32_t transaction;
	bool broadcast;
	uint8_t mac[6];
	struct ip own, wanted, server; /* ciaddr, options 50 and 54; family 0: not given */
};

/* Of a client on Ethernet, without a relay; 0 or -EBADMSG. */
int dhcp_parse(const uint8_t *data, size_t n, struct dhcp_request *ret);

/* What a card is given.  family 0, 0 and "": not told. */
struct dhcp_lease {
	struct ip_prefix address;
	struct ip server, router, dns;
	uint16_t mtu;
	uint32_t seconds;
	const char *hostname;
};

/* What to say; DHCP_NONE: nothing. */
enum dhcp_type dhcp_decide(const struct dhcp_request *rq, const struct dhcp_lease *lease);
/* OFFER, ACK or NAK; returns its length. */
size_t dhcp_print(const struct dhcp_request *rq, enum dhcp_type type, const struct dhcp_lease *lease,
		  uint8_t ret[DHCP_MAX]);

#endif
