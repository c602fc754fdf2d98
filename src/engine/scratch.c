/* scratch.c - an instance without a record, for the files of others */
#include "engine/scratch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"
#include "cgroup/cgroup.h"
#include "engine/layers.h"

/* Without what asks for something of the host, or of others, and has nothing to do with its root. */
static int make_spec(const struct instance_spec *like, struct scratch *s, struct err *e)
{
	struct instance_spec bare = *like; /* borrows */

	bare.mounts = NULL;
	bare.n_mounts = 0;
	bare.network = NETWORK_NONE;
	bare.net = (struct net_spec){ 0 };
	bare.health = (struct image_healthcheck){ 0 };
	bare.restart = (struct restart_policy){ 0 };
	bare.read_only = bare.auto_remove = false;
	bare.timeout_s = 0;
	bare.pid_file = NULL;
	bare.sandbox.cgroup_parent = NULL; /* there is no record by which it could be found */
	if (json_copy(&instance_spec_table, &bare, &s->spec) < 0)
		return err_set(e, ENOMEM, "out of memory");
	engine_random_hex(32, s->spec.id);
	return 0;
}

static int make_dir(struct scratch *s, int *ret_lock, struct err *e)
{
	int r = instance_dir_make(s->en, s->spec.id, ret_lock, e);

	if (r < 0)
		return r;
	s->dir = truth_dir_open(s->en, s->spec.id);
	if (s->dir < 0 || flock(s->dir, LOCK_EX | LOCK_NB) < 0) {
		r = err_sys(e, s->dir < 0 ? -s->dir : errno, "directory for files");
		auto_close(ret_lock);
	}
	return r;
}

int scratch_start(struct engine *en, const struct instance_spec *like, const char *below, struct scratch *ret,
		  int *ret_fd, struct err *e)
{
	int lock = -1, r;

	*ret = (struct scratch){ .en = en, .dir = -1 };
	r = make_spec(like, ret, e);
	if (r < 0)
		return r;
	ret->on.top = strdup(ret->spec.id);
	ret->on.below = below ? strdup(below) : NULL;
	if (!ret->on.top || (below && !ret->on.below))
		return err_set(e, ENOMEM, "out of memory");
	r = make_dir(ret, &lock, e);
	return r < 0 ? r : start_scratch(en, &ret->spec, &ret->on, lock, ret_fd, e);
}

int scratch_settle(struct scratch *s, struct err *e)
{
	return truth_wait_idle(s->en, &s->spec, e);
}

int scratch_take(struct scratch *s, int to_dir, struct err *e)
{
	const char *form = layer_form(s->spec.isolation, &s->on);

	if (renameat(s->dir, form, to_dir, form) < 0)
		return err_sys(e, errno, "what was written");
	return syncfs(to_dir) < 0 ? err_sys(e, errno, "what was written") : 0;
}

void scratch_done(struct scratch *s)
{
	/* its monitor has ended, or was killed: then nobody else knows what is left */
	if (s->en && s->dir >= 0 && truth_wait_idle(s->en, &s->spec, NULL) == 0 &&
	    cgroup_clear(engine_facts(s->en), NULL, s->spec.id, NULL) == 0) {
		remove_tree(s->en->run_fd, s->spec.id);
		remove_tree(s->en->instances_fd, s->spec.id);
	}
	writable_done(&s->on);
	json_done(&instance_spec_table, &s->spec);
	if (s->en)
		auto_close(&s->dir);
	*s = (struct scratch){ .dir = -1 };
}
