/* loop.h - one epoll loop: descriptors call back
 *
 * A watch lives in its owner's memory and must be taken out (loop_del) before that memory or the
 * descriptor goes.  It may be taken out, and freed, inside any callback.  One thread.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

struct loop;

struct watch {
	int fd; /* borrowed */
	uint32_t events; /* EPOLLIN ... as last set; 0: only errors and hang-up */
	void (*fn)(void *arg, uint32_t events);
	void *arg;
	bool active; /* the loop's */
};

struct loop *loop_new(void); /* NULL with errno */
struct loop *loop_free(struct loop *l);
/* Return 0 or -errno; loop_add takes fd, events, fn and arg from *w. */
int loop_add(struct loop *l, struct watch *w);
int loop_set(struct loop *l, struct watch *w, uint32_t events); /* no call when nothing changes */
void loop_del(struct loop *l, struct watch *w);
/* Dispatches until loop_stop; returns 0 or -errno. */
int loop_run(struct loop *l);
/* Waits at most timeout_ms (-1: for ever) and dispatches once; returns the number of events or -errno. */
int loop_once(struct loop *l, int timeout_ms);
void loop_stop(struct loop *l);

#endif
