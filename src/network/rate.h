/* rate.h - --net-rate: how fast an instance sends and receives, kept on the host's end of its ports, the same for both walls
 *
 * Into the instance the port itself sends through a token bucket.  What comes out of it is led through an interface of kind
 * ifb, one a port, whose name is made of the port's: it outlives the port, and goes with rate_clear.
 */
#ifndef NETWORK_RATE_H
#define NETWORK_RATE_H

#include "base/err.h"
#include "instance/net_spec.h"
#include "sys/rtnetlink.h"

/* "10mbit" (k, m, g: thousands of bits a second), else bytes a second as parse_bytes has them; with ":in" or ":out" of one
 * direction.  What is given for a direction takes the place of what was there; "0" is no limit. */
int rate_parse(const char *text, struct net_rate *r, struct err *e);

/* rt: of nl_open(NETLINK_ROUTE).  Sets both directions of a port, or lifts them. */
int rate_set(int rt, const char *link, const char *instance, const struct net_rate *r, struct err *e);
/* The port has gone, or goes.  0 also where it had no rate. */
int rate_clear(int rt, const char *link, struct err *e);
/* The name of the second interface; "ki" begins no other name of ours. */
void rate_link(const char *link, char ret[RT_NAME_MAX]);

#endif
