/* colour.h - whether there are colours, and which: on a terminal alone, and never with NO_COLOR (no-color.org) */
#ifndef CLI_COLOUR_H
#define CLI_COLOUR_H

#include <stdbool.h>

#include "base/buf.h"
#include "opts/opts.h"

enum colour { COLOUR_GOOD, COLOUR_DOUBTFUL, COLOUR_BAD };

/* Of the setting "colour". */
extern const struct opt colour_opts[];

/* setting: "auto", "always", "never", or NULL: auto. */
bool colour_is_on(const char *setting, int fd);
/* Appends text, in the colour if `on`. */
void colour_add(struct buf *b, bool on, enum colour c, const char *text);

#endif
