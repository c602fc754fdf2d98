/* pull.h - pulling before something else: run and create */
#ifndef CLI_PULL_H
#define CLI_PULL_H

#include "cli/cli.h"

/* Sees to it that the image is there.  when: "always", "missing" (NULL) or "never". */
int pull_before_run(struct cli *c, const char *image, const char *platform, const char *when, bool quiet,
		    struct err *e);

#endif
