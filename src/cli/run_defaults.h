/* run_defaults.h - what holds for a new instance before its command line: settings, then profiles */
#ifndef CLI_RUN_DEFAULTS_H
#define CLI_RUN_DEFAULTS_H

#include "cli/cli.h"
#include "cli/run_options.h"

/* The `prepare` of run, launch and create: fills args (struct run_args) before argv is parsed into it. */
int run_prepare(struct cli *c, const struct command *cmd, char *const *argv, void *args, struct err *e);
/* --isolation, --vm and --runtime name the wall in three ways, which must agree; without any of them it is the default
 * that run_prepare found.  Sets rq.isolation, and what only a virtual machine takes of the defaults. */
int run_take_isolation(struct run_args *a, struct err *e);

#endif
