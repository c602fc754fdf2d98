/* names_dhcp.c - DHCP on a network: who has no agent of ours gets the address that was leased for its card */
#include <netinet/in.h>
#include <string.h>

#include "network/dhcp.h"
#include "network/names_int.h"

#define DHCP_CLIENT_PORT 68
#define LEASE_S		 3600 /* it holds as long as the instance runs; this is how often it is asked for again */

static bool find_lease(const struct names_table *t, const uint8_t mac[6], struct dhcp_lease *ret)
{
	const struct names_host *h = names_table_card(t, mac);

	if (!h || !h->entry->dhcp || h->address.family != AF_INET || t->subnet.ip.family != AF_INET)
		return false;
	*ret = (struct dhcp_lease){ .address = { h->address, t->subnet.bits },
				    .server = t->gateway,
				    .dns = t->gateway,
				    .mtu = (uint16_t)t->file.mtu,
				    .seconds = LEASE_S,
				    .hostname = h->entry->names.n ? h->entry->names.v[0] : "" };
	if (!t->file.internal)
		ret->router = t->gateway;
	return true;
}

/* To the address that it has, if it renews; else to all, for it has none yet. */
static void say(int fd, const struct dhcp_request *rq, enum dhcp_type type, const struct dhcp_lease *lease)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(DHCP_CLIENT_PORT),
				  .sin_addr.s_addr = htonl(INADDR_BROADCAST) };
	uint8_t out[DHCP_MAX];
	size_t n = dhcp_print(rq, type, lease, out);

	if (type == DHCP_ACK && rq->own.family && ip_compare(&rq->own, &lease->address.ip) == 0)
		memcpy(&to.sin_addr, rq->own.bytes, 4);
	sendto(fd, out, n, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&to, sizeof(to));
}

void dhcp_serve(struct service *s, int fd)
{
	uint8_t data[DHCP_MAX + 1];
	ssize_t n = recv(fd, data, sizeof(data), MSG_DONTWAIT);
	struct dhcp_request rq;
	struct dhcp_lease lease;
	enum dhcp_type type;

	if (n < 0 || !s->have_table || dhcp_parse(data, (size_t)n, &rq) < 0 ||
	    !find_lease(&s->table, rq.mac, &lease))
		return;
	type = dhcp_decide(&rq, &lease);
	if (type != DHCP_NONE)
		say(fd, &rq, type, &lease);
}
