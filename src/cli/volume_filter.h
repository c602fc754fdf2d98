/* volume_filter.h - --filter of volume ls and volume prune */
#ifndef CLI_VOLUME_FILTER_H
#define CLI_VOLUME_FILTER_H

#include "cli/filters.h"

/* Objects are struct volume, arg is the engine. */
extern const struct filter_kind volume_list_filters[]; /* dangling, driver, label, name */
extern const struct filter_kind volume_prune_filters[]; /* label, label!, all */

#endif
