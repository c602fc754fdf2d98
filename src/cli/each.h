/* each.h - one thing done to each of the instances, or of other things, that are named */
#ifndef CLI_EACH_H
#define CLI_EACH_H

#include "cli/cli.h"

struct each {
	/* What is printed when it is done goes to line; when that stays empty, the name as it was given. */
	int (*fn)(struct engine *en, const struct instance *in, const void *args, struct buf *line,
		  struct err *e);
	const void *args;
	bool missing_ok; /* no such instance: said, but no failure */
};

/* Goes on after a failure, which makes the status 1. */
int each_instance(struct cli *c, const struct strv *names, const struct each *each, struct err *e);
/* The same for what is no instance: fn is called with each name, which is printed when that is done.  missing_ok: -ENOENT
 * counts as done, and nothing is said. */
int each_name(struct cli *c, const struct strv *names,
	      int (*fn)(struct engine *en, const char *name, struct err *e), bool missing_ok, struct err *e);

#endif
