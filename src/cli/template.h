/* template.h - run --template: a new instance goes on from a virtual machine that has booted and warmed up */
#ifndef CLI_TEMPLATE_H
#define CLI_TEMPLATE_H

#include "cli/run_options.h"

/* Its exit status, or -errno. */
int template_run(struct cli *c, const struct run_args *a, struct err *e);

/* Is it one?  The label names the template, also in those that went on from it. */
bool template_is(const struct instance *in);

#endif
