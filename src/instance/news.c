/* news.c - telling the journal of a store what happens to an instance */
#include "instance/news.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/auto.h"
#include "events/journal.h"

void instance_tell(int dir, const struct instance_spec *s, const char *action, const char *const *more)
{
	const struct event_news n = {
		.type = "container",
		.action = action,
		.id = s->id,
		.name = s->name,
		.image = s->image,
		.labels = &s->labels,
		.more = more,
	};

	if (dir >= 0)
		journal_append(dir, &n);
}

void instance_tell_one(int dir, const struct instance_spec *s, const char *action, const char *key,
		       const char *fmt, ...)
{
	autofree char *value = NULL, *pair = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&value, fmt, ap) < 0)
		value = NULL;
	va_end(ap);
	pair = value ? str_printf("%s=%s", key, value) : NULL;
	instance_tell(dir, s, action, pair ? (const char *const[]){ pair, NULL } : NULL);
}
