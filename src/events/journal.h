/* journal.h - what happened in a store: a file that everybody appends to and anybody may follow
 *
 *	ROOT/events/journal     one event a line (events/event.h), written by commands and monitors alike
 *	ROOT/events/journal.1   what came before: begun anew each time the first has JOURNAL_MAX bytes
 *
 * There is no lock on the way of an event: each is one write with O_APPEND.  That a journal can be full or read-only
 * must not keep an instance from running: whoever writes goes on.
 */
#ifndef EVENTS_JOURNAL_H
#define EVENTS_JOURNAL_H

#include "events/event.h"

#define JOURNAL_DIR "events" /* below the store's */
#define JOURNAL_MAX (8 << 20)

/* Appends an event of now.  0 or -errno. */
int journal_append(int dir, const struct event_news *n);

struct journal_query {
	int64_t since_ns; /* events from then on; 0: all that there are */
	int64_t until_ns; /* and before then; 0: for ever */
	const struct strv *filters;
	bool follow; /* go on with what comes, up to until_ns */
};

/* Gives the events that match to fn, with their line (no newline), until there are no more or fn returns non-zero,
 * which is then returned.  idle, when following: called before each wait, so that what was gathered can be shown. */
struct journal_reader {
	int (*event)(void *arg, const struct event *ev, const char *line, size_t n);
	int (*idle)(void *arg);
	void *arg;
};
int journal_read(int dir, const struct journal_query *q, const struct journal_reader *rd, struct err *e);

#endif
