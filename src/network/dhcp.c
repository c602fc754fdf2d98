/* dhcp.c - messages of DHCP, and what a server without a pool says */
#include "network/dhcp.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* RFC 2131, 2: places in a message */
enum place {
	AT_OP = 0,
	AT_HTYPE = 1,
	AT_HLEN = 2,
	AT_XID = 4,
	AT_FLAGS = 10,
	AT_CIADDR = 12,
	AT_YIADDR = 16,
	AT_SIADDR = 20,
	AT_GIADDR = 24,
	AT_CHADDR = 28,
	AT_COOKIE = 236,
	AT_OPTIONS = 240
};

enum option {
	OPTION_PAD = 0,
	OPTION_MASK = 1,
	OPTION_ROUTER = 3,
	OPTION_DNS = 6,
	OPTION_HOSTNAME = 12,
	OPTION_MTU = 26,
	OPTION_BROADCAST = 28,
	OPTION_WANTED = 50,
	OPTION_SECONDS = 51,
	OPTION_TYPE = 53,
	OPTION_SERVER = 54,
	OPTION_END = 255
};

#define BOOTREQUEST 1
#define BOOTREPLY   2
#define ETHERNET    1
#define LEAST	    300 /* of a BOOTP message: some relays and clients drop what is shorter */

static const uint8_t cookie[4] = { 99, 130, 83, 99 };

static struct ip get_ip(const uint8_t *at)
{
	struct ip ip = { .family = AF_INET };

	memcpy(ip.bytes, at, 4);
	if (ip_is_any(&ip))
		ip.family = 0;
	return ip;
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* --- requests */

static int take_option(unsigned option, const uint8_t *data, size_t n, struct dhcp_request *ret)
{
	if (option == OPTION_TYPE) {
		if (n != 1 || data[0] < DHCP_DISCOVER || data[0] > DHCP_RELEASE)
			return -EBADMSG;
		ret->type = data[0];
	} else if (option == OPTION_WANTED || option == OPTION_SERVER) {
		if (n != 4)
			return -EBADMSG;
		*(option == OPTION_WANTED ? &ret->wanted : &ret->server) = get_ip(data);
	}
	return 0;
}

/* Behind the end there may be anything: padding.  Options in other fields (52) are for long answers, none of ours. */
static int take_options(const uint8_t *data, size_t n, struct dhcp_request *ret)
{
	size_t at = 0;

	while (at < n && data[at] != OPTION_END) {
		unsigned option = data[at++], len;

		if (option == OPTION_PAD)
			continue;
		if (at == n)
			return -EBADMSG;
		len = data[at++];
		if (len > n - at || take_option(option, data + at, len, ret) < 0)
			return -EBADMSG;
		at += len;
	}
	return at < n && ret->type ? 0 : -EBADMSG;
}

int dhcp_parse(const uint8_t *data, size_t n, struct dhcp_request *ret)
{
	struct dhcp_request rq = { 0 };

	if (n < AT_OPTIONS || n > DHCP_MAX || memcmp(data + AT_COOKIE, cookie, sizeof(cookie)) != 0)
		return -EBADMSG;
	if (data[AT_OP] != BOOTREQUEST || data[AT_HTYPE] != ETHERNET || data[AT_HLEN] != 6 ||
	    get32(data + AT_GIADDR))
		return -EBADMSG;
	rq.transaction = get32(data + AT_XID);
	rq.broadcast = data[AT_FLAGS] & 0x80;
	rq.own = get_ip(data + AT_CIADDR);
	memcpy(rq.mac, data + AT_CHADDR, sizeof(rq.mac));
	if (take_options(data + AT_OPTIONS, n - AT_OPTIONS, &rq) < 0)
		return -EBADMSG;
	*ret = rq;
	return 0;
}

/* --- answers */

/* A request is for the offer of one server (selecting), or asks whether an address from before still holds: as an option
 * after a reboot, as the own address when it renews (RFC 2131, 4.3.2). */
static enum dhcp_type decide_request(const struct dhcp_request *rq, const struct dhcp_lease *lease)
{
	const struct ip *asked = rq->wanted.family ? &rq->wanted : &rq->own;

	if (rq->server.family && ip_compare(&rq->server, &lease->server) != 0)
		return DHCP_NONE;
	return asked->family && ip_compare(asked, &lease->address.ip) == 0 ? DHCP_ACK : DHCP_NAK;
}

enum dhcp_type dhcp_decide(const struct dhcp_request *rq, const struct dhcp_lease *lease)
{
	if (rq->type == DHCP_DISCOVER)
		return DHCP_OFFER;
	return rq->type == DHCP_REQUEST ? decide_request(rq, lease) : DHCP_NONE;
}

struct options {
	uint8_t *data;
	size_t len;
};

static void put(struct options *o, unsigned option, const void *data, size_t n)
{
	o->data[o->len++] = (uint8_t)option;
	o->data[o->len++] = (uint8_t)n;
	memcpy(o->data + o->len, data, n);
	o->len += n;
}

static void put_ip(struct options *o, unsigned option, const struct ip *ip)
{
	if (ip->family == AF_INET)
		put(o, option, ip->bytes, 4);
}

static void put_number(struct options *o, unsigned option, uint32_t v, size_t n)
{
	const uint8_t bytes[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };

	put(o, option, bytes + sizeof(bytes) - n, n);
}

static void put_lease(struct options *o, const struct dhcp_lease *lease)
{
	struct ip last = ip_last(&lease->address);
	unsigned bits = lease->address.bits;
	size_t len = strnlen(lease->hostname, 63);

	put_number(o, OPTION_SECONDS, lease->seconds, 4);
	put_number(o, OPTION_MASK, bits ? ~UINT32_C(0) << (32 - bits) : 0, 4);
	put_ip(o, OPTION_BROADCAST, &last);
	put_ip(o, OPTION_ROUTER, &lease->router);
	put_ip(o, OPTION_DNS, &lease->dns);
	if (lease->mtu)
		put_number(o, OPTION_MTU, lease->mtu, 2);
	if (len)
		put(o, OPTION_HOSTNAME, lease->hostname, len);
}

size_t dhcp_print(const struct dhcp_request *rq, enum dhcp_type type, const struct dhcp_lease *lease,
		  uint8_t ret[DHCP_MAX])
{
	struct options o = { ret + AT_OPTIONS, 0 };
	size_t n;

	memset(ret, 0, DHCP_MAX);
	ret[AT_OP] = BOOTREPLY;
	ret[AT_HTYPE] = ETHERNET;
	ret[AT_HLEN] = sizeof(rq->mac);
	for (unsigned i = 0; i < 4; i++)
		ret[AT_XID + i] = (uint8_t)(rq->transaction >> (24 - 8 * i));
	ret[AT_FLAGS] = rq->broadcast ? 0x80 : 0;
	memcpy(ret + AT_CHADDR, rq->mac, sizeof(rq->mac));
	memcpy(ret + AT_COOKIE, cookie, sizeof(cookie));
	put_number(&o, OPTION_TYPE, type, 1);
	put_ip(&o, OPTION_SERVER, &lease->server);
	if (type != DHCP_NAK) {
		if (rq->own.family)
			memcpy(ret + AT_CIADDR, rq->own.bytes, 4);
		memcpy(ret + AT_YIADDR, lease->address.ip.bytes, 4);
		put_lease(&o, lease);
	}
	o.data[o.len++] = OPTION_END;
	n = AT_OPTIONS + o.len;
	return n < LEAST ? LEAST : n;
}
