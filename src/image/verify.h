/* verify.h - is what the store keeps of an image still what it was? */
#ifndef IMAGE_VERIFY_H
#define IMAGE_VERIFY_H

#include "image/store.h"

/* Reads the config and every layer of an image with its inventory back.  *ret_lines: a sentence for each that is missing or
 * changed; empty: all is well.  *ret_unknown: layers that are kept as directories, of which nothing is known that could be compared.  Layers
 * whose diff ids stand in `checked` already are not read again; those that are well are added to it.  repair: files of layers
 * that have changed are removed, so that who loads or pulls the image brings them again; what runs keeps what it has open.
 * Inventories are made again from their layers. */
int image_verify(struct image_store *s, const struct image *im, bool repair, struct strv *checked,
		 struct strv *ret_lines, size_t *ret_unknown, struct err *e);

#endif
