/* warm_int.h - between warm.c and warm_make.c */
#ifndef ENGINE_WARM_INT_H
#define ENGINE_WARM_INT_H

#include "engine/engine_int.h"
#include "engine/warm.h"

/* warm_key of the host as it is. */
int warm_key_now(struct engine *en, const struct instance_spec *s, char ret[SHA256_HEX], struct err *e);
/* The one that is there, whole; -ENOENT. */
int warm_find(struct engine *en, const struct warm *w, struct instance *ret, struct snapshot *ret_snapshot,
	      struct err *e);

#endif
