/* move.h - an instance that does not run goes behind the other wall (docs/design/012)
 *
 * How it works: a scratch instance (scratch.h) behind the old wall stands on all that the instance has written, which
 * nobody writes meanwhile; another one behind the new wall begins with the image alone.  What the one gives as a layer the
 * other writes into its root.  That is a new layer, and one transaction makes it the instance's top and changes its
 * record: whoever is killed leaves the old one or the new one, whole.
 *
 * Snapshots stay with the instance as they are: who goes back to one goes back behind the wall that it was taken behind.
 */
#ifndef ENGINE_MOVE_H
#define ENGINE_MOVE_H

#include "engine/engine.h"

struct move;

/* Is it possible?  Nothing is changed; the instance cannot be started until move_free.  -EBUSY: it runs; -EALREADY: it is
 * there; another error names the flag that means nothing there.  *ret by move_free. */
int move_begin(struct engine *en, const struct instance *in, int isolation, struct move **ret, struct err *e);
/* How many snapshots stay behind the old wall. */
size_t move_snapshots(const struct move *m);
/* Has it written anything?  Else nothing is to be carried. */
bool move_has_files(const struct move *m);
/* Two connections: a layer (FILES_LAYER) is to be read from the one and written to the other. */
int move_open(struct move *m, int *ret_from, int *ret_into, struct err *e);
/* All was carried, and both connections are closed: it is there. */
int move_commit(struct move *m, struct err *e);
struct move *move_free(struct move *m);

#endif
