/* streams.h - the processes that a guest runs, as far as it is believed: what it may say about which of them
 *
 * Pure bookkeeping.  The guest is hostile: each of its messages is checked against what was asked of it.
 */
#ifndef VM_STREAMS_H
#define VM_STREAMS_H

#include "wire/msg.h"

struct stream;

/* Start from { 0 }. */
struct streams {
	struct stream *v;
	size_t n;
	unsigned asked[MSG_N]; /* questions under way, by their answers */
	size_t top_bytes; /* of the answer to TOP that is coming */
};

void streams_done(struct streams *s);
/* A message that is about to go to the guest.  1: send it; 0: it is for a process that has ended meanwhile, drop
 * it; -errno. */
int streams_to_guest(struct streams *s, const struct msg *m);
/* A message from the guest.  1: hand it on; 0: late, ignore it; -EPROTO: the guest lies. */
int streams_from_guest(struct streams *s, const struct msg *m, struct err *e);

#endif
