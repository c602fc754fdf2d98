/* names_int.h - what the files of ketch-net share
 *
 * Two processes.  The *keeper* has the rights and reads nothing that comes from a network: it follows the names file and
 * the host's resolv.conf, hands them on as open descriptors, and does what the worker asks in records of fixed size.  The
 * *worker* reads what clients and resolvers send, and has no right to anything but its sockets.  Each ends when the other
 * has gone.
 */
#ifndef NETWORK_NAMES_INT_H
#define NETWORK_NAMES_INT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/loop.h"
#include "network/names_table.h"

/* --- between keeper and worker: one message a packet (SOCK_SEQPACKET) */

enum link_kind {
	LINK_NAMES = 1, /* to the worker, with a descriptor: the names file */
	LINK_RESOLVERS, /* with a descriptor: resolv.conf; without: there is none */
	LINK_DONE, /* the wish of that number */
	LINK_READY, /* to the keeper: it serves */
	LINK_OPEN, /* let the instance reach these addresses */
	LINK_ASKED, /* the name was asked for and found: the list of what it learns */
};

struct link_news {
	uint32_t kind, number;
	int32_t result; /* 0 or -errno */
};

#define LINK_ADDRESSES_MAX 64
#define LINK_ID_LEN	   65

struct link_wish {
	uint32_t kind, number, n;
	char instance[LINK_ID_LEN];
	char name[DNS_TEXT_MAX];
	struct ip client;
	struct dns_address to[LINK_ADDRESSES_MAX];
};

/* --- the worker */

#define UPSTREAMS_MAX	   4
#define FORWARDS_MAX	   512 /* questions under way */
#define CLIENT_FORWARDS	   64 /* of one client */
#define CONNECTIONS_MAX	   64
#define CLIENT_CONNECTIONS 8
#define PORTS_MAX	   8

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct upstreams {
	union address at[UPSTREAMS_MAX];
	unsigned n;
};

/* Who gets an answer. */
struct connection;
struct client {
	struct ip ip;
	int fd; /* UDP: our socket */
	union address at;
	struct connection *connection; /* TCP; NULL: UDP */
};

struct service;
struct port { /* a socket that clients send to */
	struct service *service;
	struct watch watch;
};

struct forward;
struct service {
	struct loop *loop;
	struct names_table table;
	bool have_table;
	struct upstreams host, given; /* of resolv.conf; of the names file */
	struct port ports[PORTS_MAX];
	unsigned n_ports;
	struct watch link;
	struct forward *forwards; /* FORWARDS_MAX */
	struct connection *connections; /* CONNECTIONS_MAX */
	unsigned n_forwards, n_connections; /* in use */
	unsigned turn;
	uint64_t asked[4096]; /* hashes of names that are in the list already; see forward_learn */
};

/* Until the keeper has gone; never returns.  fds: link first. */
void names_work(const int *fds, unsigned n) __attribute__((noreturn));

struct ip address_ip(const union address *a);
socklen_t address_len(const union address *a);

/* --- names_worker.c */
/* One query of a client, when there is a table.  Returns the length of what to answer now, in ret (max: DNS_PLAIN_MAX or
 * more); 0: serve_answer follows, or was there already; -EBADMSG: it gets no answer. */
ssize_t serve_query(struct service *s, const struct client *c, const uint8_t *data, size_t n, uint8_t *ret,
		    size_t max);
/* The answer to a client: cut down to what it takes. */
void serve_answer(const struct client *c, const uint8_t *query, const struct dns_query *q,
		  const uint8_t *data, size_t n);

/* --- names_forward.c */
int forward_init(struct service *s); /* 0 or -ENOMEM */
/* Takes the question on; false: too many are under way, or there is nobody to ask. */
bool forward_ask(struct service *s, const struct client *c, const struct names_ask *ask, size_t n,
		 bool learn);
/* The connection has gone: nobody waits for its answers. */
void forward_forget(struct service *s, const struct connection *c);
/* The keeper has done the wish. */
void forward_done(struct service *s, uint32_t number, int result);
/* What has taken too long is tried again or given up; the time of the next that may be, or INT64_MAX. */
int64_t forward_tick(struct service *s, int64_t now_ns);

/* --- names_tcp.c */
int tcp_init(struct service *s);
void tcp_accept(struct service *s, int listener);
/* Sends the answer to the query that the connection waits for. */
void tcp_answer(struct connection *c, const uint8_t *data, size_t n);
int64_t tcp_tick(struct service *s, int64_t now_ns);

/* --- names_dhcp.c */
void dhcp_serve(struct service *s, int fd);

/* --- names_resolv.c: resolv.conf(5); pure */
void resolv_parse(const char *text, size_t n, struct upstreams *ret);
bool upstream_add(struct upstreams *u, const char *text);

/* --- names_jail.c: 0 or -errno */
/* The worker: a root without anything, a user without rights, its descriptors and so many that it opens, its system calls. */
int names_jail(const int *fds, unsigned n, unsigned opens);

/* --- spawn.c */
/* Starts ketch-net in a session of its own; the descriptors keep their numbers, the rest is closed or /dev/null.  0 or
 * -errno; -ENOENT: it is not installed. */
int spawn_net(char *const argv[], const int *fds, size_t n);
/* The lock that a ketch-net is to hold, of a file in the directory of its network: a descriptor, -EBUSY: one lives, -errno. */
int net_lock_take(int dir_fd, const char *name);
bool net_lock_is_held(int dir_fd, const char *name);

/* --- names_keeper.c */
struct keeper {
	const char *table; /* of nf_tables */
	int dir_fd, instances_fd, lock_fd, status_fd, link_fd;
};
/* Until the network has gone or the worker has; returns the exit status. */
int names_keep(const struct keeper *k);

#endif
