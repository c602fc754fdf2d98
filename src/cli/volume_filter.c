/* volume_filter.c - --filter of volume ls and volume prune */
#include "cli/volume_filter.h"

#include <string.h>

#include "base/auto.h"
#include "engine/volume.h"

static bool fits_dangling(const void *obj, const char *value, void *arg)
{
	AUTO(strv_done) struct strv users = { 0 };
	const struct volume *v = obj;

	return volume_users(arg, v->name, &users, NULL) == 0 &&
	       (users.n == 0) == (!strcmp(value, "true") || !strcmp(value, "1"));
}

static bool fits_driver(const void *obj, const char *value, void *arg)
{
	return !strcmp(value, "local");
}

static bool fits_label(const void *obj, const char *value, void *arg)
{
	return filter_label(&((const struct volume *)obj)->labels, value);
}

static bool fits_no_label(const void *obj, const char *value, void *arg)
{
	return !fits_label(obj, value, arg);
}

static bool fits_name(const void *obj, const char *value, void *arg)
{
	return filter_name(((const struct volume *)obj)->name, value);
}

/* Says what is looked at, not what fits. */
static bool fits_all(const void *obj, const char *value, void *arg)
{
	return true;
}

const struct filter_kind volume_list_filters[] = {
	{ "dangling", "true|false|1|0", false, fits_dangling },
	{ "driver", NULL, false, fits_driver },
	{ "label", NULL, true, fits_label },
	{ "name", NULL, false, fits_name },
	{ 0 },
};

const struct filter_kind volume_prune_filters[] = {
	{ "label", NULL, true, fits_label },
	{ "label!", NULL, true, fits_no_label },
	{ "all", "true|false|1|0", false, fits_all },
	{ 0 },
};
