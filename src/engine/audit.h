/* audit.h - what is left on this host of instances that nobody stands behind */
#ifndef ENGINE_AUDIT_H
#define ENGINE_AUDIT_H

#include "base/strv.h"
#include "engine/engine.h"

/* Adds a phrase to *ret for each thing: "cgroup /sys/fs/cgroup/memory/ketch/ID".  Looks at /proc, /sys, the run
 * directory and the store, and changes nothing.  Cgroups are those below CGROUP_PARENT, also of other stores.  *ret is the
 * caller's to strv_done, also after a failure.
 *
 * *ret_sees_all false: /proc does not show all processes of the machine (a PID namespace).  Then nothing is said of those
 * that are not seen, nor of cgroups and links of instances that this store does not have: others may stand behind them. */
int engine_audit(struct engine *en, struct strv *ret, bool *ret_sees_all, struct err *e);

#endif
