/* names.h - the name service of one network: who is there, and the ketch-net that answers for it (docs/design/010)
 *
 *	RUN_ROOT/networks/ID/lock    held by its ketch-net while that lives
 *	RUN_ROOT/networks/ID/names   what it answers: a document of struct names_file, replaced whole
 *
 * It ends when one of them is removed.
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
	char *network; /* id of another network, on which an instance of this one is, too; NULL: of this one */
	struct strv
		also; /* of one of this network: ids of the others that it is on, whose names it sees, too */
	char *address, *address6, *mac; /* without prefix; NULL */
	struct strv egress; /* what it may reach by name; see egress_given */
	bool egress_given, egress_learn;
	bool dhcp; /* has no agent of ours: DHCP may answer it */
};

struct names_file {
	char *network; /* its name */
	char *bridge; /* where DHCP is served */
	char *gateway, *gateway6; /* without prefix; NULL */
	char *subnet, *subnet6; /* CIDR; NULL */
	bool internal; /* nothing is forwarded */
	struct strv upstream; /* resolvers; none: those of the host */
	char *table; /* nft table with the egress sets */
	uint32_t mtu;
	struct names_entry *entries;
	size_t n_entries;
};
extern const struct jtable names_file_table;

/* All of one network, in this order, under a lock of the caller that was taken before the records were read.
 * dir_fd: RUN_ROOT/networks/ID. */
/* Writes the document, durable for nobody: it is made anew from the records. */
int names_write(int dir_fd, const struct names_file *f, struct err *e);
/* Starts the ketch-net of the network unless it lives; its sockets are bound on the gateway here, so that questions wait in
 * them.  ret_ready: -1, or the caller's descriptor for read_ready (NAMES_WAIT_MS, NAMES_SAID_MAX), since a start takes some
 * milliseconds; NULL: that is awaited here.
 * instances_fd: ROOT/instances, for the names that an instance with egress_learn has asked for (ID/asked). */
#define NAMES_WAIT_MS  10000
#define NAMES_SAID_MAX 129
int names_ensure(int dir_fd, int instances_fd, const struct names_file *f, int *ret_ready, struct err *e);
/* Ends it, without waiting: the network has no running instance.  No error if there is none. */
int names_end(int dir_fd, struct err *e);
/* Does its ketch-net live? */
bool names_lives(int dir_fd);

/* The program ketch-net itself; words: its arguments behind the name of the network.  Returns its exit status. */
int names_run(char **words);

#endif
