/* questions.h - who asked what about the whole instance (STATS, TOP, UPDATE, NETWORK, SAVE), and so gets the answer
 *
 * A back end answers questions of one kind in the order in which they were asked.
 */
#ifndef MONITOR_QUESTIONS_H
#define MONITOR_QUESTIONS_H

#include <stdbool.h>

#include "wire/msg.h"

#define QUESTIONS_MAX 64 /* under way; and one of the monitor's own */

/* Start from { 0 }. */
struct questions {
	struct {
		void *who; /* NULL: gone */
		enum msg_type answer;
	} v[QUESTIONS_MAX + 1];
	size_t n;
};

/* who NULL: the monitor, who does not wait for the answer.  0, or -EBUSY: too many wait. */
int questions_add(struct questions *q, void *who, enum msg_type question);
bool questions_is_answer(enum msg_type t);
/* Is the answer to one of this kind still to come, whoever asked? */
bool questions_is_open(const struct questions *q, enum msg_type question);
/* Who asked for the answer m; with its last part the question is done.  NULL: nobody, or they are gone. */
void *questions_take(struct questions *q, const struct msg *m);
/* Whoever it is does not wait any more. */
void questions_forget(struct questions *q, const void *who);

#endif
