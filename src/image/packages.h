/* packages.h - which packages an image has: what the inventories of its layers say, put on top of each other */
#ifndef IMAGE_PACKAGES_H
#define IMAGE_PACKAGES_H

#include "image/store.h"
#include "packages/package.h"

struct image_packages {
	struct package_file *files; /* those that are seen in the image */
	size_t n;
	size_t n_unknown; /* layers that came before inventories were taken */
};

void image_packages_done(struct image_packages *p);
/* ret: zeroed; by image_packages_done also after a failure. */
int image_packages(struct image_store *s, const struct image *im, struct image_packages *ret, struct err *e);

#endif
