/* tree_int.h - what a form of trees must do */
#ifndef UNPACK_TREE_INT_H
#define UNPACK_TREE_INT_H

#include "base/buf.h"
#include "unpack/tree.h"

#define IMPLICIT_MODE  0755 /* of parents that the archive does not name */
#define OVERLAY_OPAQUE "trusted.overlay.opaque"

struct tree_ops {
	int (*put)(struct tree *t, const struct entry *en, struct err *e);
	void (*place)(const struct tree *t, const struct entry *en, struct content_place *ret);
	int (*write)(struct tree *t, const void *data, size_t n, uint64_t offset, struct err *e);
	int (*end_file)(struct tree *t, const struct entry *en, struct err *e);
	int (*whiteout)(struct tree *t, const char *path, struct err *e);
	int (*opaque)(struct tree *t, const char *path, struct err *e);
	int (*finish)(struct tree *t, struct err *e);
	int (*copy_file)(struct tree *t, const char *path, uint64_t max, int to_fd, uint64_t *ret_bytes,
			 struct err *e);
	const uint8_t *(*verity)(const struct tree *t);
	void (*close)(struct tree *t);
};

/* Every form begins with this. */
struct tree {
	const struct tree_ops *ops;
	uint64_t entries, bytes;
	bool has_lost; /* as tree_has_lost */
	struct buf package_files; /* as tree_package_files */
	bool has_more_package_files;
};

#endif
