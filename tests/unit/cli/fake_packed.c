/* fake_packed.c - no image holds memory, and none goes with one, for tests of the command line */
#include <errno.h>

#include "engine/packed.h"

void packing_done(struct packing *p)
{
}

int packed_make(struct engine *en, const struct instance *in, const char *name, struct packing *ret,
		struct err *e)
{
	return err_set(e, ENOENT, "none");
}

int packed_is_in(struct engine *en, const char *image, bool *ret, struct err *e)
{
	*ret = false;
	return 0;
}

int packed_take(struct engine *en, const char *image, struct instance *ret, struct snapshot *ret_snapshot,
		char **ret_name, struct err *e)
{
	return err_set(e, ENOENT, "none");
}

int image_memory(struct image_store *s, const char *id, char **ret, struct err *e)
{
	return 0;
}

bool packed_is(const struct instance_spec *s)
{
	return false;
}

void packed_forget_image(struct engine *en, const char *image_id)
{
}
