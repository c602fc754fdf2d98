/* packed_int.h - between packed_make.c, packed_fit.c and packed_take.c */
#ifndef ENGINE_PACKED_INT_H
#define ENGINE_PACKED_INT_H

#include "engine/engine_int.h"
#include "engine/packed.h"
#include "instance/packed.h"

/* The digest of a guest kernel, by its version. */
int packed_kernel_digest(struct engine *en, const char *version, char ret[DIGEST_TEXT], struct err *e);
/* What the disks that a machine of s has of its image hold, as struct packed has it; image_id: that image. */
int packed_verities(struct engine *en, const struct instance_spec *s, const char *image_id, struct strv *ret,
		    struct err *e);
/* Does it fit this host, and can it be had here?  Then p->spec is of this store, as that instance.  im: the image it is in.
 * *ret_below, also set by some failures: the id of that image without the layer of its files, which is made; owned. */
struct packed_as {
	const char *id, *name;
};
int packed_fit(struct engine *en, const struct image *im, const struct packed_as *as, struct packed *p,
	       char **ret_below, struct err *e);
/* What of its files is in those of other templates goes into dir, and out of the list of chunks. */
int packed_reuse(struct engine *en, int dir, struct chunked *c, struct err *e);
/* The document in the config of an image; -ENOENT: there is none.  *ret by packed_done. */
int packed_read(struct engine *en, const struct image *im, struct packed *ret, struct err *e);
/* Files of a template, by enum chunked_file; -errno. */
int packed_file_open(struct engine *en, const struct snapshot *s, unsigned file);

#endif
