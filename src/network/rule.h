/* rule.h - the words of --allow and --deny; pure
 *
 *	[in|out:][tcp|udp|icmp:][PEER][:PORT[-PORT]]
 *
 * in: what comes to the instance (where neither is said), out: what it begins itself.  PEER is an address or a network
 * (CIDR; of IPv6 in brackets), or the name of an instance or a network; nobody named is everybody.  A last word of digits is
 * a port; a port without a protocol is one of TCP and UDP.
 *
 *	tcp:80   in:10.0.0.0/8   out:udp:[fd00::/8]:53   out:db:5432   in:icmp:
 *
 * The order of rules does not matter: what is denied is denied, whatever allows it, too; where anything is allowed in a
 * direction, all else in it is denied.  Answers to what was allowed come through.
 */
#ifndef NETWORK_RULE_H
#define NETWORK_RULE_H

#include "base/err.h"
#include "instance/net_spec.h"

#define RULES_MAX 64 /* of one instance */

/* *ret (zeroed before) is the caller's, also after a failure: rule_done. */
int rule_parse(const char *text, bool allow, struct net_rule *ret, struct err *e);
void rule_done(struct net_rule *r);
/* As rule_parse takes it, without the word of its flag. */
int rule_print(const struct net_rule *r, struct buf *out);
/* Is the peer an address or a CIDR? */
bool rule_peer_is_address(const struct net_rule *r);
/* -EINVAL: more than RULES_MAX, or one that allows can never hold, for another denies all of it. */
int rules_check(const struct net_rule *rules, size_t n, struct err *e);

#endif
