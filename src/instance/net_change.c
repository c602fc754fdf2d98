/* net_change.c - what MSG_NETWORK carries: JSON <-> struct */
#include "instance/net_change.h"

#include <errno.h>

#include "instance/net_port.h"

static const struct jfield fields[] = {
	J(J_BOOL, struct net_change, leave),
	JO(struct net_change, port, "port", &net_port_table),
	{ 0 },
};
const struct jtable net_change_table = { sizeof(struct net_change), fields };

int net_change_parse(const char *text, size_t n, struct net_change *ret, struct err *e)
{
	struct net_port_addresses ignored;
	struct net_change c = { 0 };
	int r = json_parse(&net_change_table, text, n, JSON_STRICT, &c, e);

	if (r < 0)
		return r;
	r = c.leave ? net_port_check_mac(&c.port, e) : net_port_parse(&c.port, &ignored, e);
	if (r < 0)
		json_done(&net_change_table, &c);
	else
		*ret = c;
	return r;
}
