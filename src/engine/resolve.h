/* resolve.h - what the name services of this store's networks answer, and what was asked of them */
#ifndef ENGINE_RESOLVE_H
#define ENGINE_RESOLVE_H

#include "engine/engine.h"

/* The addresses of a name (an instance's, its alias or short id), or the names of an address, on one network (NULL: on
 * all), each once; only of instances that run.  -ENOENT: nobody is called so. */
int engine_resolve(struct engine *en, const char *what, const char *network, struct strv *ret, struct err *e);
/* The names outside that an instance with --egress learn has asked for and found, sorted, each once. */
int engine_asked(struct engine *en, const struct instance *in, struct strv *ret, struct err *e);

#endif
