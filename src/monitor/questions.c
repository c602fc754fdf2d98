/* questions.c - who asked what about the whole instance, and so gets the answer */
#include "monitor/questions.h"

#include <errno.h>
#include <string.h>

int questions_add(struct questions *q, void *who, enum msg_type question)
{
	if (q->n >= QUESTIONS_MAX + (who ? 0 : 1))
		return -EBUSY;
	q->v[q->n].who = who;
	q->v[q->n++].answer = msg_answer(question);
	return 0;
}

bool questions_is_answer(enum msg_type t)
{
	return t == MSG_STATS_REPLY || t == MSG_TOP_REPLY || t == MSG_UPDATE_REPLY ||
	       t == MSG_NETWORK_REPLY || t == MSG_SAVED;
}

bool questions_is_open(const struct questions *q, enum msg_type question)
{
	for (size_t i = 0; i < q->n; i++)
		if (q->v[i].answer == msg_answer(question))
			return true;
	return false;
}

void *questions_take(struct questions *q, const struct msg *m)
{
	for (size_t i = 0; i < q->n; i++) {
		void *who = q->v[i].who;

		if (q->v[i].answer != m->type)
			continue;
		if (m->type != MSG_TOP_REPLY || !m->len)
			memmove(&q->v[i], &q->v[i + 1], (--q->n - i) * sizeof(q->v[i]));
		return who;
	}
	return NULL;
}

void questions_forget(struct questions *q, const void *who)
{
	for (size_t i = 0; i < q->n; i++)
		if (q->v[i].who == who)
			q->v[i].who = NULL;
}
