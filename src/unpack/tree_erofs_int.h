/* tree_erofs_int.h - between the two halves of tree_erofs: paths, and what is done at them */
#ifndef UNPACK_TREE_EROFS_INT_H
#define UNPACK_TREE_EROFS_INT_H

#include "unpack/erofs_dirs.h"
#include "unpack/tree_int.h"

/* The regular file whose content comes. */
struct file {
	uint32_t name;
	struct erofs_inode inode;
	uint64_t done, in_blocks; /* the rest is for the tail */
	char tail[EROFS_TAIL_MAX];
};

struct erofs_tree {
	struct tree tree;
	struct erofs_image image;
	int fd; /* of the file it becomes; borrowed */
	struct buf attrs; /* of the entry now */
	struct file file;
	char parent[PATH_BYTES_MAX + 1]; /* of the entry before; entries mostly come directory by directory */
	uint32_t parent_name; /* NAMES_NONE: not known */
	uint8_t verity[SHA256_BYTES];
};

/* --- tree_erofs_paths.c */

int erofs_read_inode(struct erofs_tree *t, uint32_t slot, struct erofs_inode *ret, struct err *e);
/* Adds an inode with the attributes in t->attrs. */
int erofs_add_inode(struct erofs_tree *t, struct erofs_inode *in, const struct erofs_piece *behind,
		    uint32_t *ret_slot, struct err *e);
/* The inode of a directory as it is known now: in the end one with the same attributes and data is written. */
int erofs_set_directory(struct erofs_tree *t, uint32_t name, const struct entry *en, struct err *e);
int erofs_check_depth(struct erofs_tree *t, uint32_t dir, struct err *e);

/* Where a path leads: links are followed, never out of the layer. */
struct erofs_walk {
	uint32_t at; /* a directory: from there, and then where it came to */
	int links;
	bool make; /* what is missing, but not behind a link */
};
/* 0; -ENOENT, -ENOTDIR or -ELOOP with nothing said; or another error with it. */
int erofs_walk(struct erofs_tree *t, struct erofs_walk *w, const char *path, size_t len, struct err *e);
/* The directory `path`, made if it is missing. */
int erofs_find_directory(struct erofs_tree *t, const char *path, size_t len, uint32_t *ret, struct err *e);
/* Splits a path; its directory is made if it is missing, and kept for the next entry. */
int erofs_find_parent(struct erofs_tree *t, const char *path, uint32_t *ret, const char **ret_name,
		      struct err *e);

/* The inode of the regular file `path`, without following links.  0; -ENOENT or -ELOOP with nothing said; or another. */
int erofs_find_file(struct erofs_tree *t, const char *path, uint32_t *ret_slot, struct erofs_inode *ret,
		    struct err *e);

#endif
