/* news.h - telling the journal of a store (events/journal.h) what happens to an instance */
#ifndef INSTANCE_NEWS_H
#define INSTANCE_NEWS_H

#include "instance/spec.h"

/* more: further attributes, "key=value", ended by NULL; or NULL.  dir: of the journal; negative: nobody is told.  That it
 * cannot be written keeps nobody from going on. */
void instance_tell(int dir, const struct instance_spec *s, const char *action, const char *const *more);
/* The same with one attribute, whose value is printed. */
void instance_tell_one(int dir, const struct instance_spec *s, const char *action, const char *key,
		       const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif
