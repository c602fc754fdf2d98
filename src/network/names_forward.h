/* names_forward.h - a question that others answer, as names_forward.c and names_wall.c share it */
#ifndef NETWORK_NAMES_FORWARD_H
#define NETWORK_NAMES_FORWARD_H

#include "network/names_int.h"

enum forward_state { FREE, ASKED, WALL };

struct forward {
	enum forward_state state;
	struct service *service;
	struct watch watch; /* fd -1: none */
	struct client client;
	struct dns_query asked;
	uint8_t query[2 + DNS_QUERY_MAX]; /* behind its length, as by TCP */
	size_t n_query;
	uint16_t id; /* on the way out */
	unsigned tries, sent; /* sent: bytes by TCP */
	int64_t deadline_ns;
	uint32_t number; /* of the wish */
	bool learn;
	char instance[LINK_ID_LEN];
	struct ip v4, v6; /* of the client */
	uint8_t *answer; /* TCP: behind its length; owned */
	size_t n_answer, room;
};

/* Sends the answer, under the id of the question; it is not over yet. */
void forward_give(struct forward *f, uint8_t *data, size_t n);
/* SERVFAIL, and its end. */
void forward_give_up(struct forward *f);
/* Asks no resolver any more. */
void forward_hang_up(struct forward *f);
void forward_end(struct forward *f);

/* names_wall.c: the answer of a client whose way out is limited: given at once, or when the keeper has opened its addresses
 * (forward_done). */
void forward_wait_for_wall(struct forward *f, const uint8_t *data, size_t n, const struct dns_answer *a);

#endif
