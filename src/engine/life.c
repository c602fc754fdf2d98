/* life.c - renaming an instance, and removing those that have ended */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "engine/disk_usage.h"
#include "engine/layers.h"

static void tell_rename(struct engine *en, const struct instance *in, const char *name)
{
	autofree char *old = str_printf("oldName=%s", in->spec.name);
	struct instance_spec now = in->spec;

	now.name = (char *)(uintptr_t)name; /* only read */
	engine_tell(en, &now, "rename", (const char *const[]){ old, NULL });
}

int engine_rename(struct engine *en, const struct instance *in, const char *name, struct err *e)
{
	int r;

	if (engine_check_name(name, e) < 0)
		return -e->no;
	if (!strcmp(name, in->spec.name))
		return err_set(e, EEXIST, "renaming an instance with the same name as its current name");
	r = record_rename(en->db, in->spec.id, name, e);
	if (r == 0)
		tell_rename(en, in, name);
	return r;
}

uint64_t engine_disk_bytes(struct engine *en, const struct instance *in)
{
	return disk_usage_bytes(en->instances_fd, in->spec.id) + layers_bytes(en, &in->spec);
}

int engine_prune(struct engine *en, bool (*takes)(const struct instance *in, void *arg), void *arg,
		 struct strv *ret_ids, uint64_t *ret_bytes, struct err *e)
{
	struct instance *in;
	size_t n;
	int r = engine_list(en, true, &in, &n, e);

	if (r < 0)
		return r;
	*ret_bytes = 0;
	for (size_t i = 0; i < n && r == 0; i++) {
		uint64_t bytes;

		if (instance_is_live(&in[i].state) || (takes && !takes(&in[i], arg)))
			continue;
		bytes = engine_disk_bytes(en, &in[i]);
		r = engine_remove(en, &in[i], 0, e);
		if (r == 0) {
			*ret_bytes += bytes;
			r = strv_add(ret_ids, in[i].spec.id) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
		} else if (r == -EBUSY || r == -ENOENT) {
			r = 0; /* started, or removed, meanwhile */
		}
	}
	instances_free(in, n);
	return r;
}
