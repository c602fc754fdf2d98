/* news.c - telling the journal of the store */
#include "instance/news.h"

#include "base/auto.h"
#include "engine/engine_int.h"
#include "events/journal.h"
#include "network/network.h"

int engine_events(struct engine *en)
{
	return image_store_events(en->images);
}

void engine_tell(struct engine *en, const struct instance_spec *s, const char *action,
		 const char *const *more)
{
	instance_tell(engine_events(en), s, action, more);
}

void engine_tell_network(struct engine *en, const struct network *n, const char *action, const char *more)
{
	autofree char *type = str_printf("type=%s", network_driver_names[n->driver]);
	const char *const pairs[] = { more ? more : type, more ? type : NULL, NULL };
	const struct event_news news = { "network", action, n->id, .name = n->name, .more = pairs };

	if (type)
		journal_append(engine_events(en), &news);
}

void engine_tell_volume(struct engine *en, const char *name, const char *action)
{
	const struct event_news n = { .type = "volume",
				      .action = action,
				      .id = name,
				      .more = (const char *const[]){ "driver=local", NULL } };

	journal_append(engine_events(en), &n);
}
