/* exported.h - an instance with its snapshots as one archive (docs/design/012), for ketch export and ketch import */
#ifndef CLI_EXPORTED_H
#define CLI_EXPORTED_H

#include "cli/cli.h"

/* Writes all of it to out_fd.  The instance may run: it is frozen as for a snapshot. */
int export_instance(struct engine *en, const struct instance *in, bool no_volumes, int out_fd, struct err *e);

#endif
