/* conf.h - text of configuration files: one "key = value" a line
 *
 *	# a comment, up to the end of the line
 *	memory = 512m        # also here, behind a blank
 *	detach_keys = "a b"  # blanks, "#" and nothing at all stand between quotes
 *
 * Keys are letters, digits, "-" and "_", which are the same.  There are no sections, no escapes, no including.
 */
#ifndef OPTS_CONF_H
#define OPTS_CONF_H

#include <stddef.h>

#include "base/err.h"

#define CONF_MAX 65536 /* bytes of a file */

/* Gets each pair in order, the key with "-"; an error is a sentence without its place. */
typedef int (*conf_fn)(void *arg, const char *key, const char *value, struct err *e);

/* Reads text (n bytes) that came from `name`; an error begins with "NAME:LINE: ". */
int conf_parse(const char *name, const char *text, size_t n, conf_fn fn, void *arg, struct err *e);

#endif
