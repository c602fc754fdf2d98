/* fuzz_net_change.c - any bytes as a change of an instance's networks: one that can be done as it stands, or a refusal */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "instance/net_change.h"
#include "instance/net_port.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct net_port_addresses a;
	struct net_change c;
	struct err e;

	if (net_change_parse((const char *)data, size, &c, &e) < 0)
		return 0;
	assert(net_port_check_mac(&c.port, &e) == 0);
	if (!c.leave) {
		assert(net_port_parse(&c.port, &a, &e) == 0);
		assert(c.port.name[0] && strlen(c.port.name) < NET_IFNAME_MAX);
	}
	json_done(&net_change_table, &c);
	return 0;
}
