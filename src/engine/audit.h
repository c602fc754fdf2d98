/* audit.h - what is left on this host of instances that nobody stands behind */
#ifndef ENGINE_AUDIT_H
#define ENGINE_AUDIT_H

#include "base/strv.h"
#include "engine/engine.h"

/* Adds a phrase to *ret for each thing: "cgroup /sys/fs/cgroup/memory/ketch/ID".  Looks at /proc, /sys, the run
 * directory and the store, and changes nothing.  Cgroups are those below CGROUP_PARENT, also of other stores.  *ret is the
 * caller's to strv_done, also after a failure. */
int engine_audit(struct engine *en, struct strv *ret, struct err *e);

#endif
