/* import.h - an instance that was exported with its snapshots comes into this store (docs/design/012)
 *
 * How it works: the archive is a layout of images, one for each state and one for each volume in a state, and ketch-image
 * reads it as any other; what else it says is a document in the config of the last one (instance/exported.h), which is
 * looked at, wholly, before the images come into the store.  Then the volumes' files are copied out of their images, beside
 * the volumes, and one transaction makes the instance, its volumes and its snapshots.  It stands on the images of its
 * states, and has written nothing of its own yet.
 *
 * Who is killed leaves no instance, or all of it; and at most images without a name, as `image prune` removes them, and files
 * that no record names, which the next import sweeps.
 */
#ifndef ENGINE_IMPORT_H
#define ENGINE_IMPORT_H

#include "engine/engine.h"

struct import_request {
	const char *path; /* "-": stdin */
	const char *name; /* of the new instance; NULL: as it was called */
	bool no_volumes; /* they are not in it: it has those of their names that are here, or new ones */
	bool trusted; /* it may reach into this host (engine/foreign.h) */
	image_progress progress;
	void *progress_arg;
};

/* *ret is its spec; ret_left: what could not come along, a line each. */
int instance_import(struct engine *en, const struct import_request *rq, struct instance_spec *ret,
		    struct strv *ret_left, struct err *e);

#endif
