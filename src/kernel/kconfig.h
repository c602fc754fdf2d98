/* kconfig.h - options of a kernel's build: what was wanted, and what its rules made of it */
#ifndef KERNEL_KCONFIG_H
#define KERNEL_KCONFIG_H

#include "base/err.h"
#include "base/strv.h"

/* Which wanted options has the configuration otherwise?  Both are texts as in .config: "CONFIG_X=value", "# CONFIG_X is
 * not set".  In `wanted` a line "# optional" begins options that a source may lack, up to the next empty line.
 * Appends "X=value" of each one that got lost.  -EINVAL: `wanted` has a line that is no option and no comment. */
int kconfig_lost(const char *wanted, const char *config, struct strv *ret, struct err *e);

#endif
