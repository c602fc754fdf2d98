/* size.c - what an instance takes on the disk */
#include "engine/layers.h"

int engine_size(struct engine *en, const struct instance *in, struct instance_size *ret, struct err *e)
{
	struct image im = { 0 };
	int r = image_find(en->images, in->spec.image_id, &im, e);

	if (r < 0)
		return r;
	ret->writes_bytes = layers_written_bytes(en, &in->spec);
	ret->all_bytes = ret->writes_bytes + im.size_bytes;
	image_done(&im);
	return 0;
}
