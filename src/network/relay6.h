/* relay6.h - published ports on [::1], which Linux does not route: a process that passes bytes on
 *
 * One for each instance that publishes on "::1" or "::", and one for each such port that is published later, in the same
 * jail as the worker of a ketch-net.  It listens on the sockets that hold the ports (network/reserve.h): all other
 * addresses are taken by the rule set before a packet gets there, and who is not ::1 is refused, so no rule is walked past.
 * A socket that is shut down it lets go; it ends with the descriptor that its starter is given.
 */
#ifndef NETWORK_RELAY6_H
#define NETWORK_RELAY6_H

#include <stdbool.h>

#include "base/err.h"
#include "base/ip.h"
#include "instance/net_spec.h"

#define RELAY_MAX 64 /* ports of one instance */

struct relay_port {
	int fd; /* of reserve_port; borrowed */
	int protocol; /* enum port_protocol */
	struct ip to; /* of the instance */
	uint32_t port;
};

/* Does this port need it? */
bool relay6_serves(const struct published_port *p);
/* Serves them.  A descriptor (O_CLOEXEC): when all copies of it are closed the relay ends. */
int relay6_start(const struct relay_port *list, size_t n, struct err *e);

/* The program: `ketch-net relay LIFE [FD PROTOCOL ADDRESS PORT]...`; words: from LIFE on. */
int relay6_run(char **words);

#endif
