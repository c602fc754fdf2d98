/* engine.c - one store opened: finding, listing and removing instances */
#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"
#include "engine/engine_int.h"
#include "engine/facts.h"
#include "engine/layers.h"
#include "engine/net_int.h"
#include "engine/snapshot.h"
#include "engine/volume_state.h"
#include "storage/ceiling.h"
#include "sys/patience.h"
#include "sys/project_quota.h"

#define REMOVE_WAIT_S 20

static const struct jfield instance_fields[] = {
	JO(struct instance, spec, "spec", &instance_spec_table),
	JO(struct instance, state, "state", &instance_state_table),
	{ 0 },
};
const struct jtable instance_table = { sizeof(struct instance), instance_fields };

static char *absolute(const char *path)
{
	autofree char *cwd = NULL;

	if (*path == '/')
		return strdup(path);
	cwd = getcwd(NULL, 0);
	return cwd ? str_printf("%s/%s", cwd, path) : NULL;
}

/* Who can write here can put his own directory in the place of an instance's (security.md A12). */
static int check_run_root(int fd, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "--run-root %s", path);
	if (st.st_uid != geteuid() || st.st_mode & 022)
		return err_set(e, EPERM, "--run-root %s: it must be yours, and nobody else may write there",
			       path);
	return 0;
}

static int open_dirs(struct engine *en, struct err *e)
{
	autofree char *instances = str_printf("%s/instances", en->root);
	autofree char *volumes = str_printf("%s/volumes", en->root);

	if (!instances || !volumes)
		return err_set(e, ENOMEM, "out of memory");
	en->instances_fd = image_store_dir(en->images, AT_FDCWD, instances);
	if (en->instances_fd < 0)
		return err_sys(e, -en->instances_fd, "--root %s", en->root);
	en->volumes_fd = image_store_dir(en->images, AT_FDCWD, volumes);
	if (en->volumes_fd < 0)
		return err_sys(e, -en->volumes_fd, "--root %s", en->root);
	en->run_fd = image_store_dir(en->images, AT_FDCWD, en->run_root);
	if (en->run_fd < 0)
		return err_sys(e, -en->run_fd, "--run-root %s", en->run_root);
	return check_run_root(en->run_fd, en->run_root, e);
}

int engine_open(const char *root, const char *run_root, bool make, struct engine **ret, struct err *e)
{
	struct engine *en = calloc(1, sizeof(*en));
	int r;

	if (!en)
		return err_set(e, ENOMEM, "out of memory");
	en->run_fd = en->instances_fd = en->volumes_fd = -1;
	en->root = absolute(root);
	en->run_root = absolute(run_root);
	r = en->root && en->run_root ? 0 : err_set(e, ENOMEM, "out of memory");
	if (r == 0)
		r = image_store_open(en->root, make, &en->images, e);
	if (r == 0)
		r = open_dirs(en, e);
	if (r == 0) {
		en->db = image_store_db(en->images);
		r = record_init(en->db, e);
		if (r == 0)
			r = volume_record_init(en->db, e);
		if (r == 0)
			r = volume_state_record_init(en->db, e);
		if (r == 0)
			r = storage_init(en->db, e);
		if (r == 0)
			r = network_record_init(en->db, e);
	}
	if (r < 0) {
		engine_close(en);
		return r;
	}
	*ret = en;
	return 0;
}

struct engine *engine_close(struct engine *en)
{
	if (!en)
		return NULL;
	image_store_close(en->images);
	json_done(&host_facts_table, &en->facts);
	if (en->run_fd >= 0)
		close(en->run_fd);
	if (en->instances_fd >= 0)
		close(en->instances_fd);
	if (en->volumes_fd >= 0)
		close(en->volumes_fd);
	free(en->root);
	free(en->run_root);
	free(en);
	return NULL;
}

struct image_store *engine_images(struct engine *en)
{
	return en->images;
}

void engine_set_progress(struct engine *en, image_progress progress, void *arg)
{
	en->progress = progress;
	en->progress_arg = arg;
}

const struct host_facts *engine_facts(struct engine *en)
{
	if (!en->have_facts)
		facts_gather(&en->facts);
	if (!en->have_facts)
		en->facts.project_quota = project_quota_enforced(en->instances_fd);
	en->have_facts = true;
	return &en->facts;
}

const struct host_facts *engine_facts_kvm(struct engine *en)
{
	engine_facts(en);
	if (!en->have_kvm)
		facts_probe_kvm(en->run_fd, &en->facts);
	en->have_kvm = true;
	return &en->facts;
}

void instance_done(struct instance *in)
{
	json_done(&instance_table, in);
}

void instances_free(struct instance *in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		instance_done(&in[i]);
	free(in);
}

/* --rm whose command was killed, or whose removal was cut off behind its directory: the first look removes it. */
static bool is_leftover(struct engine *en, const struct instance *in)
{
	return in->spec.auto_remove &&
	       (in->state.status == STATUS_EXITED || faccessat(en->instances_fd, in->spec.id, F_OK, 0) < 0);
}

int engine_find(struct engine *en, const char *name, struct instance *ret, struct err *e)
{
	struct instance in = { 0 };
	int r = record_find(en->db, name, &in.spec, e);

	if (r == 0)
		r = truth_refresh(en, &in, e);
	if (r < 0) {
		instance_done(&in);
		return r;
	}
	*ret = in;
	return 0;
}

int engine_list(struct engine *en, bool all, struct instance **ret, size_t *ret_n, struct err *e)
{
	struct instance_spec *specs;
	struct instance *list;
	size_t n, kept = 0;
	int r = record_list(en->db, &specs, &n, e);

	if (r < 0)
		return r;
	list = calloc(n + 1, sizeof(*list));
	for (size_t i = 0; i < n; i++) {
		struct instance in = { .spec = specs[i] };
		bool runs;

		if (list && r == 0)
			r = truth_refresh(en, &in, e);
		runs = instance_is_live(&in.state);
		if (list && r == 0 && is_leftover(en, &in))
			engine_remove(en, &in, 0, NULL);
		else if (list && r == 0 && (all || runs)) {
			list[kept++] = in;
			continue;
		}
		instance_done(&in);
	}
	if (list && r == 0 && all)
		strays_remove(en);
	free(specs);
	if (!list || r < 0) {
		instances_free(list, kept);
		return list ? r : err_set(e, ENOMEM, "out of memory");
	}
	*ret = list;
	*ret_n = kept;
	return 0;
}

int engine_image_in_use(struct engine *en, const char *image_id, bool *ret, struct err *e)
{
	int r = record_image_in_use(en->db, image_id, ret, e);

	return r < 0 || *ret ? r : snapshot_record_image_in_use(en->db, image_id, ret, e);
}

/* The lock of an instance that has ended, or with force is made to.  Others hold it for a moment: a monitor that has
 * written its last word, a second rm. */
static int lock_ended(struct engine *en, const struct instance *in, bool force, int *ret, struct err *e)
{
	struct patience p = patience_for_ms(REMOVE_WAIT_S * 1000L);
	struct instance now = { .spec = in->spec };
	int r, wait = 0;

	while ((r = truth_lock(en, in->spec.id, ret, e)) == -EBUSY && wait == 0) {
		r = truth_refresh(en, &now, e);
		if (r == 0 && instance_is_live(&now.state) && !force)
			r = err_set(e, EBUSY, "%s is running: stop it first, or use -f", in->spec.name);
		else if (r == 0 && instance_is_live(&now.state))
			r = engine_end(en, in, e);
		else if (r == 0 && force)
			control_end_files(en, in);
		wait = r == 0 ? patience_pause(&p) : 0;
		if (wait == -EINTR)
			r = err_set(e, EINTR, "interrupted, while another command is busy with %s",
				    in->spec.name);
		if (r < 0)
			break;
	}
	json_done(&instance_state_table, &now.state);
	return r;
}

/* Out of the way first: whoever comes now finds no directory to lock.  The record goes last, so that a removal that
 * was killed is known and can be repeated. */
static int remove_dir(struct engine *en, const char *id)
{
	autofree char *gone = str_printf("%s.gone", id);
	autoclose int dir = truth_dir_open(en, id);
	int r;

	if (!gone)
		return -ENOMEM;
	if (dir >= 0)
		ceiling_release(dir);
	r = remove_tree(en->instances_fd, gone);
	if (r == 0 && renameat(en->instances_fd, id, en->instances_fd, gone) < 0 && errno != ENOENT)
		r = -errno;
	return r < 0 ? r : remove_tree(en->instances_fd, gone);
}

/* What its snapshots held of volumes that stay. */
static void sweep_volumes(struct engine *en, const struct instance_spec *s)
{
	AUTO(strv_done) struct strv names = { 0 };

	for (size_t i = 0; i < s->n_mounts; i++)
		if (s->mounts[i].type == MOUNT_VOLUME && strv_add(&names, s->mounts[i].source) < 0)
			return;
	volume_states_try_sweep(en, &names);
}

int engine_remove(struct engine *en, const struct instance *in, unsigned flags, struct err *e)
{
	bool with_volumes = (flags & REMOVE_VOLUMES) || in->spec.auto_remove;
	AUTO(snapshots_leave_done) struct snapshots_leave leave = { .lock = -1 };
	struct instance now = { .spec = in->spec };
	autoclose int lock = -1;
	int r;

	r = lock_ended(en, in, flags & REMOVE_FORCE, &lock, e);
	if (r == -ENOENT) { /* another does it, or was killed in it */
		r = remove_dir(en, in->spec.id);
		return r < 0 ? err_sys(e, -r, "%s", in->spec.name)
			     : volumes_forget_instance(en, &in->spec, with_volumes, e);
	}
	if (r == 0)
		r = truth_settle(en, &now, e);
	json_done(&instance_state_table, &now.state);
	if (r == -ENOSPC) /* for the exit record, which would go anyway */
		r = remove_tree(en->run_fd, in->spec.id);
	if (r < 0)
		return r;
	r = snapshots_leave(en, in->spec.id, &leave, e);
	if (r < 0)
		return r;
	r = remove_dir(en, in->spec.id);
	if (r < 0)
		return err_sys(e, -r, "%s", in->spec.name);
	r = volumes_forget_instance(en, &in->spec, with_volumes, e);
	if (r == 0)
		r = snapshots_left(en, &leave, e);
	if (r == 0 && leave.had)
		sweep_volumes(en, &in->spec);
	if (r == 0)
		engine_tell(en, &in->spec, "destroy", NULL);
	return r;
}
