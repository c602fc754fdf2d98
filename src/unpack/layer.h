/* layer.h - one layer: its blob becomes a tree, with every digest computed on the way */
#ifndef UNPACK_LAYER_H
#define UNPACK_LAYER_H

#include <stdbool.h>

#include "oci/digest.h"
#include "unpack/source.h"
#include "unpack/tree.h"

/* A layer that is in the stage now. */
struct layer_facts {
	struct digest diff_id;
	uint64_t bytes; /* of its files */
	bool has_verity; /* it is layers/HEX.erofs, with this fs-verity digest; else the directory layers/HEX */
	struct digest verity;
	uint64_t
		tar_bytes; /* skeletons/HEX of the stage and its files give the archive again, of this size; 0: they do not */
};

struct layer_job {
	struct source *blob; /* taken */
	int stage_fd; /* borrowed */
	bool unpack; /* else the digests alone are checked */
	bool erofs; /* the form */
	const struct digest *want_blob; /* NULL: not known */
	const struct digest *want_diff_id; /* NULL: not known, and then the tar must have its end mark */
};

/* On failure nothing is left in layers/. */
int layer_run(const struct layer_job *job, struct layer_facts *ret, struct err *e);

/* A layer in layers/ of the stage before its name is known, and its way to there. */
struct layer_making {
	int stage_fd; /* borrowed */
	bool erofs, kept;
	int fd; /* the file or the directory */
	struct tree *tree; /* to be filled */
};
int layer_begin(struct layer_making *m, struct err *e);
/* The tree is finished and its content known to have this diff id.  Takes the inventory of its packages, too. */
int layer_keep(struct layer_making *m, const struct digest *diff_id, struct layer_facts *ret, struct err *e);
void layer_done(struct layer_making *m); /* removes what was not kept */

#endif
