/* history.h - how an image was made, as its config tells it, with the sizes of its layers */
#ifndef IMAGE_HISTORY_H
#define IMAGE_HISTORY_H

#include "image/store.h"

struct history_step {
	char *created; /* RFC 3339; NULL: not said */
	char *created_by, *author, *comment; /* NULL: not said */
	bool empty_layer; /* it changed the config only */
	uint64_t size_bytes; /* of its layer */
};

struct history {
	struct history_step *steps; /* the first is the lowest */
	size_t n;
};

/* Layers that the config tells nothing about have steps that say nothing. */
int image_history(struct image_store *s, const struct image *im, struct history *ret, struct err *e);
void history_done(struct history *h);

#endif
