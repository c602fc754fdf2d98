/* warm.h - run --warm: an instance begins in a virtual machine that has booted before */
#ifndef CLI_WARM_H
#define CLI_WARM_H

#include "cli/run_options.h"
#include "engine/warm.h"

/* What --warm comes to, with the machine that is kept for it; name "": the instance boots. */
int warm_wanted(struct engine *en, const struct run_args *a, struct warm *ret, struct err *e);
/* begin_run of an instance that was just created; it boots where the kept machine turns out to be of no use. */
int warm_begin(struct engine *en, const struct warm *w, const struct instance_spec *spec,
	       const struct attach *how, struct err *e);

#endif
