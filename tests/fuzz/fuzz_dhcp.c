/* fuzz_dhcp.c - any bytes as a request of DHCP: what is answered keeps to the form of a message */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "network/dhcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
	if (!good)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ip gateway = { AF_INET, { 10, 88, 0, 1 } };
	static char name[] = "a-name-that-is-longer-than-what-fits-into-one-label-of-the-dns-is-cut";
	struct dhcp_lease lease = { .address = { { AF_INET, { 10, 88, 0, 5 } }, 16 },
				    .server = gateway,
				    .router = gateway,
				    .dns = gateway,
				    .mtu = 1500,
				    .seconds = 3600,
				    .hostname = name };
	struct dhcp_request rq, again;
	uint8_t out[DHCP_MAX];
	size_t n;

	if (dhcp_parse(data, size, &rq) < 0)
		return 0;
	check(rq.type >= DHCP_DISCOVER && rq.type <= DHCP_RELEASE);
	for (enum dhcp_type t = DHCP_OFFER; t <= DHCP_NAK; t++) {
		n = dhcp_print(&rq, t, &lease, out);
		check(n >= 300 && n <= DHCP_MAX && out[0] == 2);
		out[0] = 1; /* as if it were a request: its options read as they were written */
		check(dhcp_parse(out, n, &again) == 0 && again.type == t);
		check(again.transaction == rq.transaction && !memcmp(again.mac, rq.mac, 6));
		check(ip_compare(&again.server, &gateway) == 0);
	}
	n = dhcp_decide(&rq, &lease);
	check(n == DHCP_NONE || n == DHCP_OFFER || n == DHCP_ACK || n == DHCP_NAK);
	return 0;
}
