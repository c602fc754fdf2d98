/* save.h - images as archives that Docker, Podman and Ketch load again
 *
 * All forms are an OCI layout (image-spec 1.1, image-layout.md); docker-archive has manifest.json in it besides, as
 * Docker 25 and later write it.  Layers that came as archives are made again as they came (unpack/skeleton.h), the others from
 * their trees in the form of files/canon.h.  Of what was imported from a directory these are the bytes that the diff id
 * names.  Of what came as an archive that cannot be made again (into a store of an older Ketch; where the layer is a directory
 * and its archive has names twice) they are not: then the config names the new ones, and the image has another id than
 * here.
 */
#ifndef IMAGE_SAVE_H
#define IMAGE_SAVE_H

#include "image/store.h"

struct image_save {
	const struct strv *names; /* references or ids */
	bool docker; /* with manifest.json */
	bool gzip; /* compress layers that came as archives; with dir_fd only */
	int out_fd; /* of the archive, or -1 */
	int dir_fd; /* of an empty directory that becomes the layout, or -1 */
	image_progress progress;
	void *progress_arg;
};

/* -EPIPE: nobody reads the archive. */
int image_save(struct image_store *s, const struct image_save *rq, struct err *e);

#endif
