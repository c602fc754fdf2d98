/* streams.h - the processes that a guest runs, as far as it is believed: what it may say about which of them
 *
 * Pure bookkeeping.  The guest is hostile: each of its messages is checked against what was asked of it.
 */
#ifndef VM_STREAMS_H
#define VM_STREAMS_H

#include <stdbool.h>

#include "wire/msg.h"

struct stream;

/* Start from { 0 }. */
struct streams {
	struct stream *v;
	size_t n;
	unsigned asked[MSG_N]; /* questions under way, by their answers */
	size_t top_bytes; /* of the answer to TOP that is coming */
};

/* What is known of one of them. */
struct stream_rest {
	uint32_t id;
	bool started;
	uint32_t under_way[3]; /* bytes not yet credited: 0 to the guest, 1 and 2 from it */
};

void streams_done(struct streams *s);
/* The i-th; false: there are not so many. */
bool streams_get(const struct streams *s, size_t i, struct stream_rest *ret);
/* Questions about the whole instance are under way. */
bool streams_are_asked(const struct streams *s);
/* A message that is about to go to the guest.  1: send it; 0: it is for a process that has ended meanwhile, drop
 * it; -errno. */
int streams_to_guest(struct streams *s, const struct msg *m);
/* A message from the guest.  1: hand it on; 0: late, ignore it; -EPROTO: the guest lies. */
int streams_from_guest(struct streams *s, const struct msg *m, struct err *e);

#endif
