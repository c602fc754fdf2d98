/* port_words.h - published ports as Docker says them; pure */
#ifndef CLI_PORT_WORDS_H
#define CLI_PORT_WORDS_H

#include "instance/spec.h"

/* "127.0.0.1:8080->80/tcp, 443/tcp"; what is not known yet is not there.  runs: it has what was chosen. */
void port_words(const struct net_spec *n, bool runs, struct buf *out);
/* Docker's object: {"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"8080"}],"443/tcp":null}; all: also those that are exposed
 * alone. */
void port_json(const struct net_spec *n, bool all, struct buf *out);
/* Lines of `ketch port`: "80/tcp -> 127.0.0.1:8080"; of one port ("80", "80/tcp") "127.0.0.1:8080".  -ENOENT: it is not
 * published. */
int port_lines(const struct net_spec *n, const char *port, struct buf *out);
/* "web,inner"; "none", "host", "container:ID". */
void network_words(const struct instance_spec *s, struct buf *out);

#endif
