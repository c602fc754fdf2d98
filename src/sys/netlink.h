/* netlink.h - netlink: messages made in batches, sent and answered; errors with the kernel's own words
 *
 * A batch is one sendmsg(2) and the kernel has done all of it when that returns (rtnetlink: message by message, also
 * behind one that failed; nf_tables: all or nothing between its begin and end).  Numbers are in the machine's order
 * unless the name of a function says "be".
 */
#ifndef SYS_NETLINK_H
#define SYS_NETLINK_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* --- messages.  Start from { 0 }; memory that is out is told by nl_run. */

struct nl_batch {
	struct buf bytes;
	size_t message; /* where the last one begins */
	unsigned n;
};

void nl_batch_done(struct nl_batch *b);
/* Begins a message with the header of its family (struct ifinfomsg ...).  NLM_F_REQUEST is added. */
void nl_message(struct nl_batch *b, unsigned type, unsigned flags, const void *header, size_t len);
/* Attributes of the last message.  type: with NLA_F_* where the family wants them. */
void nl_put(struct nl_batch *b, unsigned type, const void *data, size_t len);
void nl_put_u8(struct nl_batch *b, unsigned type, uint8_t v);
void nl_put_u16(struct nl_batch *b, unsigned type, uint16_t v);
void nl_put_u32(struct nl_batch *b, unsigned type, uint32_t v);
void nl_put_be64(struct nl_batch *b, unsigned type, uint64_t v);
void nl_put_string(struct nl_batch *b, unsigned type, const char *s); /* with its NUL */
/* An attribute of attributes: what nl_nest returns goes to nl_nest_end behind the last of them. */
size_t nl_nest(struct nl_batch *b, unsigned type);
void nl_nest_end(struct nl_batch *b, size_t nest);
/* Bytes of an attribute without an own header: struct ifinfomsg in VETH_INFO_PEER. */
void nl_append(struct nl_batch *b, const void *data, size_t len);

/* --- sockets: descriptors, of the network namespace in which they were opened */

#define NL_TIMEOUT_S 10

/* protocol: NETLINK_ROUTE, NETLINK_NETFILTER.  A descriptor or -errno. */
int nl_open(int protocol);

/* What went wrong, for a sentence to the user. */
struct nl_failure {
	unsigned message; /* which of the batch, from 0 */
	char text[128]; /* the kernel's own words; "": it has none */
};

/* Does the batch and empties it.  0 or -errno of the first message that failed, with *failed (may be NULL).  Where no
 * message asks for an acknowledgement (NLM_F_ACK) the last one does. */
int nl_run(int fd, struct nl_batch *b, struct nl_failure *failed);

/* One message of an answer; a negative errno ends it, and is what nl_ask returns. */
typedef int (*nl_each)(void *arg, const struct nlmsghdr *m);
/* Asks the one question of the batch (NLM_F_DUMP: many answers) and empties it.  -EAGAIN: what was listed has changed
 * meanwhile, and the caller begins anew. */
int nl_ask(int fd, struct nl_batch *b, nl_each each, void *arg, struct nl_failure *failed);

/* --- attributes of answers */

struct nl_attrs {
	const char *at, *end;
};

/* Those behind a family header of len bytes. */
struct nl_attrs nl_message_attrs(const struct nlmsghdr *m, size_t len);
struct nl_attrs nl_nested(const struct nlattr *a); /* NULL has none */
/* The first of that type, or NULL. */
const struct nlattr *nl_find(struct nl_attrs list, unsigned type);
const void *nl_data(const struct nlattr *a);
size_t nl_len(const struct nlattr *a);
/* 0: it is not there, or shorter than that. */
uint8_t nl_get_u8(struct nl_attrs list, unsigned type);
uint32_t nl_get_u32(struct nl_attrs list, unsigned type);
/* A copy of at most size - 1 bytes; "": it is not there. */
void nl_get_string(struct nl_attrs list, unsigned type, char *ret, size_t size);

#endif
