/* settings.h - what configuration files and the environment say, before the command line does
 *
 * A later place goes before an earlier one:
 *
 *	/etc/ketch/ketch.conf
 *	/etc/ketch/ketch.conf.d/NAME.conf	in the order of their names
 *	~/.config/ketch/ketch.conf		or below XDG_CONFIG_HOME
 *	KETCH_KEY in the environment		KETCH_RUN_ROOT for run-root
 *
 * KETCH_CONFIG=FILE stands for all three places; empty: no file at all.  Flags and profiles go before all of this.
 */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include "base/strv.h"
#include "opts/opts.h"

/* One key: its value is checked by the option of the same name. */
struct setting_kind {
	const char *key;
	const struct opt *opts;
	const char *help;
	int (*check)(const char *value, struct err *e); /* what its option does not see; or NULL */
};

extern const struct setting_kind setting_kinds[]; /* ends with { 0 } */

struct settings {
	struct strv values; /* "key=value" */
};

/* etc: "/etc/ketch".  The user's file is left out with a warning if it may not be read.  An error names file and line, or the variable. */
int settings_read(const char *etc, struct settings *ret, struct err *e);
void settings_done(struct settings *s);
/* Borrowed; NULL: not set. */
const char *settings_get(const struct settings *s, const char *key);

#endif
