/* hooks.h - programs that the caller wants run at points of a container's life (runtime-spec config.md#posix-platform-hooks) */
#ifndef CONTAINER_HOOKS_H
#define CONTAINER_HOOKS_H

#include "base/buf.h"
#include "base/err.h"
#include "oci/runtime.h"

/* Runs them in order, each to its end or its timeout, with `state` (JSON) as stdin and exactly the environment of the
 * config.  kind: "prestart", for the message.  The first that fails ends it: -errno, with the end of what it said. */
int hooks_run(const struct oci_hook_list *hooks, const char *kind, const struct buf *state, struct err *e);
/* Runs them all, whichever fails; `failed` gets a sentence for each that did.  poststart and poststop. */
void hooks_run_all(const struct oci_hook_list *hooks, const char *kind, const struct buf *state,
		   struct strv *failed);

#endif
