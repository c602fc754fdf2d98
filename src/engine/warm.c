/* warm.c - machines kept by themselves: which one a request wants, found, gone on from, removed; warm_make.c makes them */
#include "engine/warm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/self.h"
#include "engine/machine_memory.h"
#include "engine/warm_int.h"
#include "kernel/kernel.h"
#include "sys/cpu_id.h"

bool template_is_named(const struct instance_spec *s)
{
	const char *name = strv_env_get(&s->labels, TEMPLATE_LABEL);

	return name && !strcmp(name, s->name);
}

bool warm_is(const struct instance_spec *s)
{
	return template_is_named(s) && strv_env_get(&s->labels, WARM_LABEL);
}

/* --- its key */

/* Of a file that is replaced as a whole, size and time tell two versions apart; "" where there is none. */
static char *describe_file(const char *path)
{
	struct stat st;

	if (!path || stat(path, &st) < 0)
		return strdup("");
	return str_printf("%s %lld %lld.%09ld", path, (long long)st.st_size, (long long)st.st_mtim.tv_sec,
			  st.st_mtim.tv_nsec);
}

/* Of ours. */
static char *describe_program(const char *name)
{
	autofree char *path = self_program(name);

	return describe_file(path);
}

int warm_key_now(struct engine *en, const struct instance_spec *s, char ret[SHA256_HEX], struct err *e)
{
	const struct host_facts *f = engine_facts_kvm(en);
	bool qemu = s->vm.driver == VM_DRIVER_QEMU;
	autofree char *monitor = describe_program("ketch-monitor"), *guest = describe_program("ketch-guest");
	autofree char *hypervisor = describe_file(qemu ? f->qemu : f->vmm), *image = NULL;
	struct kernel k = { 0 };
	char cpu[CPU_ID_MAX];
	int r = kernel_find(en->root, s->vm.kernel, &k, e);

	if (r < 0)
		return r;
	image = describe_file(k.image);
	kernel_done(&k);
	if (!monitor || !guest || !hypervisor || !image)
		return err_set(e, ENOMEM, "out of memory");
	cpu_id(cpu);
	warm_key(s, &(const struct warm_host){ cpu, f->kernel_release, hypervisor, monitor, guest, image },
		 ret);
	return 0;
}

/* --- what a request wants */

static int check(const struct instance_spec *s, struct err *e)
{
	const struct instance as_if = { .spec = *s };
	int r;

	if (s->isolation != ISOLATION_VM)
		return err_set(
			e, ENOTSUP,
			"--warm is for virtual machines (--vm): a container boots nothing, its kernel is "
			"the host's");
	r = memory_can_save(&as_if, e);
	return r < 0 ? err_wrap(e, r, "--warm") : 0;
}

int warm_plan(struct engine *en, const struct run_request *rq, struct warm *ret, struct err *e)
{
	struct warm w = { 0 };
	int r = engine_describe(en, rq, &w.like, e);

	if (r == 0)
		r = check(&w.like, e);
	if (r == 0)
		r = warm_key_now(en, &w.like, w.key, e);
	if (r < 0) {
		warm_done(&w);
		return r;
	}
	warm_name(&w.like, rq->kernel, rq->driver, w.name);
	*ret = w;
	return 0;
}

void warm_done(struct warm *w)
{
	json_done(&instance_spec_table, &w->like);
}

/* --- found */

int warm_find(struct engine *en, const struct warm *w, struct instance *ret, struct snapshot *ret_snapshot,
	      struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	int r = engine_find(en, w->name, &in, NULL);
	const char *key = r == 0 ? strv_env_get(&in.spec.labels, WARM_LABEL) : NULL;

	if (r < 0 || !key || strcmp(key, w->key) != 0)
		return err_set(e, ENOENT, "there is no machine %s that fits", w->name);
	r = snapshot_find(en, &in, TEMPLATE_SNAPSHOT, ret_snapshot, e);
	if (r < 0)
		return r;
	*ret = in;
	in = (struct instance){ 0 };
	return 0;
}

/* --- gone on from */

/* Its files are those of the snapshot from now on, whatever becomes of that. */
static int stand_on(struct engine *en, const struct instance_spec *spec, const struct snapshot *s,
		    struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	AUTO(snapshot_done) struct snapshot still = { 0 };
	int r = spec->auto_remove ? db_begin_live(en->db, &tx, e) : db_begin(en->db, &tx, e);

	if (r == 0)
		r = snapshot_record_find(en->db, s->instance, s->id, &still, e);
	if (r == 0)
		r = writable_set(en->db, spec->id, spec->id, still.layer, NULL, e);
	return r < 0 ? r : db_commit(&tx, e);
}

int warm_start(struct engine *en, const struct warm *w, const struct instance_spec *spec, int *ret_fd,
	       struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	AUTO(snapshot_done) struct snapshot s = { 0 };
	char key[SHA256_HEX];
	int r = warm_key_now(en, spec, key, e);

	if (r == 0 && strcmp(key, w->key) != 0) /* the image's name, or the host, changed in this moment */
		r = err_set(e, ENOENT, "%s fits %s no more", w->name, spec->name);
	if (r == 0)
		r = warm_find(en, w, &in, &s, e);
	if (r == 0)
		r = stand_on(en, spec, &s, e);
	return r < 0 ? r : engine_start_saved(en, spec, &s, ret_fd, e);
}

/* --- removed */

void warm_drop(struct engine *en, const struct warm *w)
{
	AUTO(instance_done) struct instance in = { 0 };

	if (engine_find(en, w->name, &in, NULL) == 0 && warm_is(&in.spec))
		engine_remove(en, &in, REMOVE_FORCE, NULL);
}

static int release(struct engine *en, const struct instance *all, size_t n, const char *image_id,
		   struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < n; i++)
		if (!strcmp(all[i].spec.image_id, image_id) && !warm_is(&all[i].spec))
			return 0; /* of somebody's own: it would stay in use */
	for (size_t i = 0; i < n && r == 0; i++)
		if (!strcmp(all[i].spec.image_id, image_id))
			r = engine_remove(en, &all[i], REMOVE_FORCE, e);
	return r;
}

int warm_release_image(struct engine *en, const char *image_id, bool *ret_in_use, struct err *e)
{
	struct instance *all;
	size_t n;
	int r = engine_image_in_use(en, image_id, ret_in_use, e);

	if (r < 0 || !*ret_in_use)
		return r;
	r = engine_list(en, true, &all, &n, e);
	if (r < 0)
		return r;
	r = release(en, all, n, image_id, e);
	instances_free(all, n);
	return r < 0 ? r : engine_image_in_use(en, image_id, ret_in_use, e);
}
