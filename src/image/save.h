/* save.h - images as archives that Docker, Podman and Ketch load again
 *
 * All forms are an OCI layout (image-spec 1.1, image-layout.md); docker-archive has manifest.json in it besides, as
 * Docker 25 and later write it.  Layers are made from their trees in the form of files/canon.h.  Of an image that was
 * imported from a directory these are the bytes that its diff ids name; of one that came as an archive they are not,
 * since the archive was not kept: then the config names the new ones, and the image has another id than here.  What
 * is loaded from an archive of ours and saved again has the same bytes.
 */
#ifndef IMAGE_SAVE_H
#define IMAGE_SAVE_H

#include "image/store.h"

struct image_save {
	const struct strv *names; /* references or ids */
	bool docker; /* with manifest.json */
	int out_fd; /* of the archive, or -1 */
	int dir_fd; /* of an empty directory that becomes the layout, or -1 */
	image_progress progress;
	void *progress_arg;
};

/* -EPIPE: nobody reads the archive. */
int image_save(struct image_store *s, const struct image_save *rq, struct err *e);

#endif
