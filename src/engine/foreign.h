/* foreign.h - a configuration that was made in another store, perhaps by somebody else, becomes one of this store
 *
 * What was chosen there (addresses, network ids, kernel, driver, seccomp filter, IDs of --userns auto) is chosen anew.
 */
#ifndef ENGINE_FOREIGN_H
#define ENGINE_FOREIGN_H

#include "engine/engine_int.h"

/* Does it reach into the host: directories, devices, namespaces, capabilities beyond the usual?  -EPERM, with the flags that
 * asked for it. */
int foreign_check(const struct instance_spec *s, struct err *e);
/* For the instance `id`, called `name`.  other: another state of it, which was taken before, or NULL.  Nothing is changed
 * but caches. */
struct foreign_as {
	const char *id, *name;
	const struct instance_spec *other;
};
int foreign_take(struct engine *en, const struct foreign_as *as, struct instance_spec *s, struct err *e);

#endif
