/* exec.h - a further process in a running instance, for other commands */
#ifndef CLI_EXEC_H
#define CLI_EXEC_H

#include "engine/engine.h"

/* Its output is ours, its stdin empty.  The exit status, or -errno. */
int cli_exec(struct engine *en, const struct instance *in, const struct strv *command, struct err *e);

#endif
