/* ahead.c - a link that reads ahead: what is below it runs in a thread of its own
 *
 * A ring of slots, one lock.  The thread fills slots, the reader empties them; the slot that the reader was given
 * last is free again at its next call.  An end or an error is the last slot filled.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "unpack/source.h"

#define SLOTS	    4
#define STACK_BYTES (256 << 10) /* RLIMIT_DATA counts all of it */

struct slot {
	ssize_t n; /* as source_read gave it */
	struct err err;
	char *data; /* PIECE_BYTES */
};

struct ahead {
	struct source source;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct slot slots[SLOTS];
	unsigned filled, emptied; /* counts since the beginning */
	bool holds; /* the reader still uses slot `emptied` */
	bool stop; /* the reader goes away */
};

/* Waits for room; NULL when the reader is gone. */
static struct slot *next_free(struct ahead *a)
{
	struct slot *s;

	pthread_mutex_lock(&a->lock);
	while (a->filled - a->emptied == SLOTS && !a->stop)
		pthread_cond_wait(&a->changed, &a->lock);
	s = a->stop ? NULL : &a->slots[a->filled % SLOTS];
	pthread_mutex_unlock(&a->lock);
	return s;
}

static void *fill(void *arg)
{
	struct ahead *a = arg;
	struct slot *s;
	bool last = false;

	while (!last && (s = next_free(a))) {
		const void *data;

		s->n = source_read(a->source.below, &data, &s->err);
		if (s->n > 0)
			memcpy(s->data, data, (size_t)s->n);
		last = s->n <= 0;
		pthread_mutex_lock(&a->lock);
		a->filled++;
		pthread_cond_signal(&a->changed);
		pthread_mutex_unlock(&a->lock);
	}
	return NULL;
}

static ssize_t ahead_read(struct source *s, const void **ret, struct err *e)
{
	struct ahead *a = (struct ahead *)s;
	struct slot *slot;

	pthread_mutex_lock(&a->lock);
	if (a->holds) {
		a->emptied++;
		pthread_cond_signal(&a->changed);
	}
	while (a->filled == a->emptied)
		pthread_cond_wait(&a->changed, &a->lock);
	slot = &a->slots[a->emptied % SLOTS];
	a->holds = slot->n > 0; /* the last one stays: whoever reads on gets it again */
	pthread_mutex_unlock(&a->lock);
	if (slot->n < 0 && e)
		*e = slot->err;
	*ret = slot->data;
	return slot->n;
}

static void free_memory(struct ahead *a)
{
	for (int i = 0; i < SLOTS; i++)
		free(a->slots[i].data);
	free(a);
}

static void ahead_free(struct source *s)
{
	struct ahead *a = (struct ahead *)s;

	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_signal(&a->changed);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->thread, NULL);
	pthread_cond_destroy(&a->changed);
	pthread_mutex_destroy(&a->lock);
	free_memory(a);
}

static int start(struct ahead *a)
{
	pthread_attr_t attr;
	int r;

	for (int i = 0; i < SLOTS; i++) {
		a->slots[i].data = malloc(PIECE_BYTES);
		if (!a->slots[i].data)
			return -ENOMEM;
	}
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->changed, NULL);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	r = pthread_create(&a->thread, &attr, fill, a);
	pthread_attr_destroy(&attr);
	return -r;
}

struct source *source_thread(struct source *below)
{
	static const struct source_ops ops = { ahead_read, ahead_free };
	struct ahead *a = below ? calloc(1, sizeof(*a)) : NULL;

	if (!a)
		return source_free(below);
	a->source = (struct source){ .ops = &ops, .below = below };
	if (start(a) < 0) {
		free_memory(a);
		return source_free(below);
	}
	return &a->source;
}
