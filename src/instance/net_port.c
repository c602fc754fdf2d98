/* net_port.c - an interface becomes what a port was given */
#include "instance/net_port.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"

/* --- pure */

static int parse_address(const char *text, int family, struct ip_prefix *ret, struct err *e)
{
	if (!text || (ip_parse_prefix(text, ret) == 0 && ret->ip.family == family))
		return 0;
	return err_set(e, EINVAL, "\"%.60s\" is no address with the length of its prefix", text);
}

static int parse_gateway(const char *text, int family, struct ip *ret, struct err *e)
{
	if (!text || (ip_parse(text, ret) == 0 && ret->family == family))
		return 0;
	return err_set(e, EINVAL, "\"%.60s\" is no address of a gateway", text);
}

int net_port_check_mac(const struct net_port *p, struct err *e)
{
	uint8_t mac[6];

	return p->mac && mac_parse(p->mac, mac) == 0
		       ? 0
		       : err_set(e, EINVAL, "\"%.40s\" is no address of a network card",
				 p->mac ? p->mac : "");
}

static int check_name(const struct net_port *p, struct err *e)
{
	const char *n = p->name ? p->name : "";

	return *n && strlen(n) < RT_NAME_MAX && !strpbrk(n, "/: %") && *n != '.'
		       ? 0
		       : err_set(e, EINVAL, "\"%.40s\" is no name of an interface", n);
}

int net_port_parse(const struct net_port *p, struct net_port_addresses *ret, struct err *e)
{
	struct net_port_addresses a = { 0 };
	int r = net_port_check_mac(p, e);

	if (r == 0)
		r = check_name(p, e);
	if (r == 0)
		r = parse_address(p->address, AF_INET, &a.address, e);
	if (r == 0)
		r = parse_address(p->address6, AF_INET6, &a.address6, e);
	if (r == 0)
		r = parse_gateway(p->gateway, AF_INET, &a.gateway, e);
	if (r == 0)
		r = parse_gateway(p->gateway6, AF_INET6, &a.gateway6, e);
	if (r == 0)
		*ret = a;
	return r;
}

static void put_family(struct nl_batch *b, int index, const struct ip_prefix *a, const struct ip *gateway)
{
	if (a->ip.family)
		rt_address_add(b, index, a);
	if (gateway->family)
		rt_route_add(b, &(struct rt_route){
					.to.ip.family = gateway->family, .via = *gateway, .index = index });
}

void net_port_put(struct nl_batch *b, int index, const struct net_port *p, const struct net_port_addresses *a)
{
	rt_link_change(b, &(struct rt_link){ .index = index, .mtu = p->mtu, .up = true });
	put_family(b, index, &a->address, &a->gateway);
	put_family(b, index, &a->address6, &a->gateway6);
}

/* --- IPv6 */

static int set(const char *link, const char *key, const char *value)
{
	char path[96];
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%.15s/%s", link, key);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	n = write(fd, value, 1);
	n = n < 0 ? -errno : 0;
	close(fd);
	return (int)n;
}

int net_port_set_ipv6(const struct net_port *p, const char *link, struct err *e)
{
	static const char *const keys[] = { "accept_ra", "accept_dad", "autoconf" };
	int r = set(link, "disable_ipv6", p->address6 ? "0" : "1");

	/* where there is no IPv6 they say nothing, and each is a file to be opened */
	for (size_t i = 0; p->address6 && i < ARRAY_LEN(keys) && r == 0; i++)
		r = set(link, keys[i], "0");
	return r < 0 ? err_sys(e, -r, "IPv6 of %.15s", link) : 0;
}
