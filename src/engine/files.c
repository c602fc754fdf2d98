/* files.c - the way to the files of an instance, whether it runs or not
 *
 * How it works: one that runs has a monitor, which is asked.  For one that does not, the back end is started as for a run,
 * but for the main process (boot.h, "files_only"): so the files of containers and virtual machines, running or not, are
 * reached in one way, with their volumes.  Two commands that are about the files of one instance take turns.
 */
#include <errno.h>

#include "engine/engine_int.h"

#define TRIES 100 /* it may start and end each time between two looks; who meets that often meets a loop */

int engine_open_files(struct engine *en, const struct instance *in, int *ret_fd, struct err *e)
{
	int r = -EALREADY;

	for (int i = 0; i < TRIES && r == -EALREADY; i++) {
		r = engine_connect(en, in, ret_fd, e);
		if (r == -ESRCH)
			r = start_files(en, &in->spec, ret_fd, e);
	}
	return r;
}

int engine_settle_files(struct engine *en, const struct instance *in, struct err *e)
{
	int r = truth_wait_idle(en, &in->spec, e);

	/* removed meanwhile: nothing of ours is left */
	return r == -ENOENT ? 0 : r;
}
