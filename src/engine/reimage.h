/* reimage.h - an instance goes on with another image: its configuration, name, volumes and addresses stay, its root is new
 *
 * What the old image said and nobody changed (command, environment, user, health check ...) is what the new one says from
 * now on; what was given to `run` stays.
 */
#ifndef ENGINE_REIMAGE_H
#define ENGINE_REIMAGE_H

#include "engine/engine.h"

/* The spec of `now` with the image `to` in the place of `from`; *ret by json_done, also after a failure.  Pure, but for names
 * of volumes that are new. */
int reimage_spec(const struct instance_spec *now, const struct image *from, const struct image *to,
		 const char *ref, struct instance_spec *ret, struct err *e);
/* What it would be; `ref` must be here.  Nothing is changed.  *ret by json_done. */
int engine_reimage_plan(struct engine *en, const struct instance *in, const char *ref,
			struct instance_spec *ret, struct err *e);
/* It does not run: it is `to` from now on, on an empty writable layer.  What it had written is in its last snapshot, if it has
 * one.  Where its record is not that of `in` any more, *to is planned anew from what it is by now. */
int engine_reimage(struct engine *en, const struct instance *in, const char *ref, struct instance_spec *to,
		   struct err *e);

#endif
