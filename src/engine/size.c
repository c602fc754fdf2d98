/* size.c - what an instance takes on the disk */
#include <errno.h>

#include "base/auto.h"
#include "engine/disk_usage.h"
#include "engine/engine_int.h"

int engine_size(struct engine *en, const struct instance *in, struct instance_size *ret, struct err *e)
{
	bool vm = in->spec.isolation == ISOLATION_VM;
	autofree char *name = str_printf("%s/%s", in->spec.id, vm ? "disk.ext4" : "upper");
	struct image im = { 0 };
	int r = name ? image_find(en->images, in->spec.image_id, &im, e)
		     : err_set(e, ENOMEM, "out of memory");

	if (r < 0)
		return r;
	ret->writes_bytes = disk_usage_bytes(en->instances_fd, name);
	ret->all_bytes = ret->writes_bytes + im.size_bytes;
	image_done(&im);
	return 0;
}
