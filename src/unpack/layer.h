/* layer.h - one layer: its blob becomes a tree, with every digest computed on the way */
#ifndef UNPACK_LAYER_H
#define UNPACK_LAYER_H

#include <stdbool.h>

#include "unpack/source.h"

struct layer_job {
	struct source *blob; /* taken */
	int stage_fd; /* borrowed; the tree is made in layers/HEX below it */
	bool unpack; /* else the digests alone are checked */
	const struct digest *want_blob; /* NULL: not known */
	const struct digest *want_diff_id; /* NULL: not known, and then the tar must have its end mark */
};

/* On failure nothing is left in layers/. */
int layer_run(const struct layer_job *job, struct digest *ret_diff_id, uint64_t *ret_bytes, struct err *e);

/* The directory in which a tree is made before its name is known, and its way to layers/HEX. */
int layer_begin(int stage_fd, struct err *e);
int layer_keep(int stage_fd, const struct digest *diff_id, struct err *e);

#endif
