/* packed.h - run of an image that holds the memory of a machine */
#ifndef CLI_PACKED_H
#define CLI_PACKED_H

#include "cli/cli.h"
#include "cli/run_options.h"

/* Does `run` of an image that is here go on with the memory in it?  An error where the line does not fit what the image is. */
int packed_wanted(struct engine *en, const struct run_args *a, bool *ret, struct err *e);
/* Goes on with it.  Its exit status, or -errno. */
int packed_run(struct cli *c, const struct run_args *a, struct err *e);

#endif
