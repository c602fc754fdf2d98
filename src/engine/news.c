/* news.c - telling the journal of the store */
#include "instance/news.h"

#include "engine/engine_int.h"
#include "events/journal.h"

int engine_events(struct engine *en)
{
	return image_store_events(en->images);
}

void engine_tell(struct engine *en, const struct instance_spec *s, const char *action,
		 const char *const *more)
{
	instance_tell(engine_events(en), s, action, more);
}

void engine_tell_volume(struct engine *en, const char *name, const char *action)
{
	const struct event_news n = { .type = "volume",
				      .action = action,
				      .id = name,
				      .more = (const char *const[]){ "driver=local", NULL } };

	journal_append(engine_events(en), &n);
}
