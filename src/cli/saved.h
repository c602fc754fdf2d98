/* saved.h - instances that go on with the memory of a snapshot (fork.c) */
#ifndef CLI_SAVED_H
#define CLI_SAVED_H

#include "cli/begin.h"
#include "cli/cli.h"
#include "engine/snapshot.h"

/* Starts an instance whose files are those of the snapshot with its memory, too, and stays with it as `how` says.  Its exit status, or
 * -errno. */
int cli_start_saved(struct cli *c, const struct instance_spec *spec, const struct snapshot *s,
		    const struct attach *how, struct err *e);
/* 0 when it runs. */
int cli_start_saved_detached(struct cli *c, const struct instance_spec *spec, const struct snapshot *s,
			     struct err *e);
/* snapshot_clone as `like` says, but for the name: the next of OF-1, OF-2 ... behind *number that no instance has. */
int cli_clone_numbered(struct engine *en, const struct instance *in, const char *snapshot,
		       const struct clone_request *like, const char *of, unsigned *number,
		       struct instance_spec *ret, struct err *e);

#endif
