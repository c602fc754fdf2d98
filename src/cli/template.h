/* template.h - run --template: a new instance goes on from a virtual machine that has booted and warmed up */
#ifndef CLI_TEMPLATE_H
#define CLI_TEMPLATE_H

#include "cli/run_options.h"
#include "engine/snapshot.h"

/* Its exit status, or -errno. */
int template_run(struct cli *c, const struct run_args *a, struct err *e);

/* A new instance goes on from the snapshot of a template; its name, where none is given, is made of `like`. */
int template_begin(struct cli *c, const struct run_args *a, const struct instance *in,
		   const struct snapshot *s, const char *like, struct err *e);

/* `given` is what the line says, and zero where it says nothing: -EINVAL by the name of a flag that --template, or --trusted, leaves no room for. */
int template_check_flags(const struct opt *opts, const struct run_args *given, struct err *e);

/* Is it one?  The label names the template, also in those that went on from it. */
bool template_is(const struct instance *in);

#endif
