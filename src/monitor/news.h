/* news.h - what a monitor tells the journal: start, signals, further processes, the end */
#ifndef MONITOR_NEWS_H
#define MONITOR_NEWS_H

#include "instance/boot.h"
#include "wire/msg.h"

/* Borrowed for its life. */
struct news {
	int dir; /* of the journal; negative: nobody is told */
	const struct instance_spec *spec;
	bool stopped; /* somebody asked it to stop */
};

void news_init(struct news *n, const struct boot *b);
void news_started(const struct news *n);
void news_paused(const struct news *n, bool paused);
/* A client's signal to the main process. */
void news_signal(const struct news *n, int signo);
/* START of a further process, and later its EXIT or FAILED; id: the back end's number of it. */
void news_exec(const struct news *n, uint32_t id, const struct msg *m);
/* The end of the instance. */
void news_ended(const struct news *n, const struct instance_state *st);

#endif
