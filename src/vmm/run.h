/* run.h - a machine from its configuration to its end */
#ifndef VMM_RUN_H
#define VMM_RUN_H

#include "vmm/config.h"
#include "vmm/power.h"

/* Makes, jails and runs it.  *e tells why with END_USAGE and END_ERROR. */
enum machine_end vmm_run(const struct vmm_config *c, struct err *e);

#endif
