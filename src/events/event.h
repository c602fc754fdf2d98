/* event.h - one thing that happened in a store: as it is written, read, matched and printed
 *
 * The JSON is Docker's, so `ketch events --format json` prints what is in the journal (events/journal.h).
 */
#ifndef EVENTS_EVENT_H
#define EVENTS_EVENT_H

#include <stdbool.h>

#include "base/json.h"
#include "base/strv.h"

/* What is told.  All is borrowed; NULL is left out. */
struct event_news {
	const char *type; /* "container" (of either isolation), "image", "volume" */
	const char *action; /* "start", "exec_create: ls -l" */
	const char *id; /* of the instance or image; a volume's name */
	const char *name, *image;
	const struct strv *labels; /* "key=value": further attributes */
	const char *const *more; /* the same, ends with NULL: "exitCode=3" */
};

/* What is read. */
struct event {
	char *status, *id,
		*from; /* Docker's old names of action, actor_id and the image; containers and images only */
	char *type, *action;
	char *actor_id;
	struct strv attributes; /* "key=value", sorted */
	char *scope; /* "local" */
	int64_t time_s, time_ns; /* since 1970: both tell the same */
};

extern const struct jtable event_table;

/* Appends one line of JSON with a newline, of at most EVENT_MAX bytes: labels that do not fit are left out. */
#define EVENT_MAX 4096
int event_print(const struct event_news *n, int64_t time_ns, struct buf *out);
/* Parses such a line; -errno when it is none. */
int event_parse(const char *line, size_t n, struct event *ret);
void event_done(struct event *ev);

/* "2026-11-20T16:37:48.123456789Z container start ID (image=x, name=y)" and a newline: as Docker prints it. */
void event_add_line(const struct event *ev, struct buf *out);

/* Filters are "key=value"; of several with the same key one must match, and of each key one.  -EINVAL with the reason
 * for a key that is unknown. */
int event_check_filters(const struct strv *filters, struct err *e);
bool event_matches(const struct event *ev, const struct strv *filters);

#endif
