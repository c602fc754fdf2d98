/* names_wall.c - what is let through the wall for a client whose way out is limited: the addresses of names that it may
 * reach, before it hears them
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/auto.h"
#include "base/clock.h"
#include "network/names_forward.h"

#define WALL_NS	  (2 * NS_PER_S)
#define TTL_LEAST 30 /* seconds for which a limited client may reach what it was told */
#define TTL_MOST  86400
#define TTL_MORE  10 /* its own count begins later than that of the set */

static bool is_for_sets(const struct ip *ip, uint16_t type)
{
	return ip->family == (type == DNS_A ? AF_INET : AF_INET6) && !ip_is_loopback(ip) && !ip_is_any(ip);
}

static void note_asked(struct service *s, struct link_wish *w, const struct dns_name *name)
{
	uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

	for (const char *c = w->instance; *c; c++)
		hash = (hash ^ (uint8_t)*c) * UINT64_C(1099511628211);
	for (unsigned i = 0; i < name->len; i++)
		hash = (hash ^ name->wire[i]) * UINT64_C(1099511628211);
	if (s->asked[hash % ARRAY_LEN(s->asked)] == hash)
		return;
	w->kind = LINK_ASKED;
	w->number = 0;
	dns_name_print(name, w->name);
	if (send(s->link.fd, w, sizeof(*w), MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(*w))
		s->asked[hash % ARRAY_LEN(s->asked)] = hash;
}

/* 1: it waits for the keeper; 0: there is nothing to wait for; -errno. */
static int ask_keeper(struct forward *f, const struct dns_answer *a, const struct names_host *h)
{
	static uint32_t numbers;
	struct link_wish w = { .kind = LINK_OPEN, .client = f->asked.question.type == DNS_A ? f->v4 : f->v6 };

	if (!h || strcmp(h->entry->instance, f->instance) != 0)
		return -ESRCH; /* it has gone, and its address may be somebody else's */
	memcpy(w.instance, f->instance, sizeof(w.instance));
	if (h->entry->egress_learn) { /* nothing is kept out */
		if (a->n_addresses)
			note_asked(f->service, &w, &f->asked.question.name);
		return 0;
	}
	for (size_t i = 0; i < a->n_addresses; i++) {
		struct dns_address to = a->addresses[i];

		if (!is_for_sets(&to.ip, f->asked.question.type))
			continue;
		if (w.n == LINK_ADDRESSES_MAX)
			return -E2BIG;
		to.ttl_s = to.ttl_s < TTL_LEAST ? TTL_LEAST : to.ttl_s > TTL_MOST ? TTL_MOST : to.ttl_s;
		to.ttl_s += TTL_MORE;
		w.to[w.n++] = to;
	}
	if (!w.n || !w.client.family)
		return 0;
	f->number = w.number = ++numbers;
	return send(f->service->link.fd, &w, sizeof(w), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 1;
}

void forward_wait_for_wall(struct forward *f, const uint8_t *data, size_t n, const struct dns_answer *a)
{
	const struct names_host *h = names_table_at(&f->service->table, NULL, &f->client.ip);
	uint8_t *copy = malloc(n);
	int r = copy ? ask_keeper(f, a, h) : -ENOMEM;

	if (copy)
		memcpy(copy, data, n);
	free(f->answer);
	f->answer = copy;
	f->n_answer = n;
	if (r == 1) {
		forward_hang_up(f);
		f->state = WALL;
		f->deadline_ns = clock_mono_ns() + WALL_NS;
	} else if (r == 0) {
		forward_give(f, copy, n);
		forward_end(f);
	} else {
		forward_give_up(f);
	}
}

void forward_done(struct service *s, uint32_t number, int result)
{
	for (unsigned i = 0; i < FORWARDS_MAX && s->n_forwards; i++) {
		struct forward *f = &s->forwards[i];

		if (f->state != WALL || f->number != number)
			continue;
		if (result < 0) {
			forward_give_up(f);
		} else {
			forward_give(f, f->answer, f->n_answer);
			forward_end(f);
		}
		return;
	}
}
