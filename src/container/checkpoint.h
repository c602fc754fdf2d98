/* checkpoint.h - the processes of a running container as images that CRIU writes, and makes processes of again
 *
 * What is around the processes is not in the images: its root, mounts from outside, files of /etc, cgroups and its network
 * are made for a restore as for any start, by the same plan.  Each such mount is named in the images by the object of its
 * step.
 *
 * In the directory of the images, beside CRIU's own: streams.json, the names of the pipes that were the standard streams.
 */
#ifndef CONTAINER_CHECKPOINT_H
#define CONTAINER_CHECKPOINT_H

#include "instance/host.h"
#include "instance/spec.h"

/* Can the processes of such a container be kept?  -ENOTSUP with the flag that stands against it.  Pure. */
int container_checkpoint_check(const struct instance_spec *s, struct err *e);

/* One that runs, and stands still: all descriptors are borrowed. */
struct checkpoint {
	const struct instance_spec *spec;
	const struct host_facts *facts;
	const struct instance_state *state;
	int images; /* where they go: a directory */
	int work; /* where CRIU's log goes */
	int hold; /* for which it stands still: kept open until CRIU has ended, even if we are killed meanwhile; else CRIU
		   * would have it stand still again when nobody thaws it any more */
};
/* They go on standing still.  Durable afterwards. */
int container_checkpoint(const struct checkpoint *cp, struct err *e);

#endif
