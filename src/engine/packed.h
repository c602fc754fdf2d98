/* packed.h - the memory of a machine goes to a registry with an image, and a machine goes on from there elsewhere (docs/design/012)
 *
 * How it works: a snapshot's disk, as one raw image, its state and its RAM are cut into chunks (image/chunks.h), and the
 * config of the image that is made of its files names them, beside what they fit (instance/packed.h).
 *
 * The other store makes them files again, signs the state with its own key, and keeps all of it as a template: an instance
 * at rest, with the label PACKED_LABEL, and its snapshot with memory.  Who runs the image goes on from that.  What comes of
 * a stranger's state is what QEMU or ketch-vmm make of it in their jails, so somebody has to allow it.
 *
 * One lock of the store is held while one is fetched; who is killed then leaves a directory without a record, which is a
 * stray, and blobs that the next one finds.
 */
#ifndef ENGINE_PACKED_H
#define ENGINE_PACKED_H

#include "engine/snapshot.h"
#include "image/chunks.h"

#define PACKED_LABEL "ketch.packed" /* its value is the id of the image that it came with */

/* What goes with an image; by packing_done. */
struct packing {
	struct image_chunks *chunks;
	char *document; /* JSON */
};
void packing_done(struct packing *p);
/* Of a snapshot (name NULL: the newest).  -ENOENT: it holds no memory; -ENOTSUP: such memory cannot go. */
int packed_make(struct engine *en, const struct instance *in, const char *name, struct packing *ret,
		struct err *e);

/* Is there memory in the image? */
int packed_is_in(struct engine *en, const char *image, bool *ret, struct err *e);
/* The template that was made of it, with its snapshot; it is made where it is missing.  What does not fit here is refused before
 * anything is fetched (-EPROTO, with both named).  *ret_name: what the machine was called; owned. */
int packed_take(struct engine *en, const char *image, struct instance *ret, struct snapshot *ret_snapshot,
		char **ret_name, struct err *e);
/* Was it made of an image? */
bool packed_is(const struct instance_spec *s);
/* The image was removed, unless it is still there: its template goes, too.  Those that went on from it stay as they are. */
void packed_forget_image(struct engine *en, const char *image_id);

#endif
