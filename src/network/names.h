/* names.h - the name service of one network: who is there, and the ketch-net that answers for it (docs/design/010)
 *
 *	RUN_ROOT/networks/ID/lock    held by its ketch-net while that lives
 *	RUN_ROOT/networks/ID/names   what it answers: a document of struct names_file, replaced whole
 */
#ifndef NETWORK_NAMES_H
#define NETWORK_NAMES_H

#include "base/err.h"
#include "base/json.h"
#include "base/strv.h"

/* One running instance on the network. */
struct names_entry {
	char *instance; /* id */
	struct strv names; /* its name, aliases, short id; lower case */
	char *address, *address6, *mac; /* without prefix; NULL */
	struct strv egress; /* what it may reach by name; see egress_given */
	bool egress_given, egress_learn;
	bool dhcp; /* has no agent of ours: DHCP may answer it */
};

struct names_file {
	char *network, *gateway, *gateway6, *subnet, *subnet6;
	bool internal; /* nothing is forwarded */
	struct strv upstream; /* resolvers; none: those of the host */
	char *table; /* nft table with the egress sets */
	uint32_t mtu;
	struct names_entry *entries;
	size_t n_entries;
};
extern const struct jtable names_file_table;

/* Writes the document, durable for nobody: it is made anew from the records.  dir_fd: RUN_ROOT/networks/ID. */
int names_write(int dir_fd, const struct names_file *f, struct err *e);
/* Starts the ketch-net of the network unless it lives; its sockets are bound on the gateway here.  0 when it answers. */
int names_ensure(int dir_fd, const struct names_file *f, struct err *e);
/* Ends it: the network has no running instance. */
int names_end(int dir_fd, struct err *e);

#endif
