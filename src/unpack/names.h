/* names.h - the names of a layer in memory: what is in which directory, and where its inode is
 *
 * About 46 bytes a name of 20 letters.  A name that something else takes the place of stays the same name; names below a
 * directory that is replaced are dead: no longer found, and never again.
 */
#ifndef UNPACK_NAMES_H
#define UNPACK_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "unpack/erofs_format.h"

#define NAMES_ROOT UINT32_C(0) /* always there, a directory */
#define NAMES_NONE UINT32_MAX

struct names;

/* A directory that is or was one. */
struct names_dir {
	uint32_t name, child; /* its first: NAMES_NONE: none */
	uint32_t record, slot; /* where its inode was written when it came, and where it lies in the end */
	bool opaque;
};

int names_open(struct names **ret, struct err *e);
struct names *names_close(struct names *n);

/* NAMES_NONE: no such name. */
uint32_t names_find(const struct names *n, uint32_t dir, const char *text, size_t len);
/* A name that is not there yet, for a thing of type 0; -E2BIG: too many. */
int names_add(struct names *n, uint32_t dir, const char *text, size_t len, uint32_t *ret, struct err *e);
/* What the name is for: a file of any type with its inode at `slot`.  A directory becomes one anew: empty. */
void names_set_file(struct names *n, uint32_t name, enum erofs_type type, bool whiteout, uint32_t slot);
int names_set_dir(struct names *n, uint32_t name, uint32_t record, struct err *e);

enum erofs_type names_type(const struct names *n, uint32_t name); /* 0: nothing yet */
bool names_is_whiteout(const struct names *n, uint32_t name);
uint32_t names_parent(const struct names *n, uint32_t name);
uint32_t names_next(const struct names *n, uint32_t name); /* in the same directory; dead ones, too */
/* Its length; *ret is valid until the next names_add. */
size_t names_text(const struct names *n, uint32_t name, const char **ret);
uint32_t names_slot(const struct names *n, uint32_t name); /* of its inode; of a directory in the end */
/* NULL: it is none. */
struct names_dir *names_dir(const struct names *n, uint32_t name);

bool names_is_dead(const struct names *n, uint32_t name);
void names_kill(struct names *n, uint32_t name);

/* Directories in the order in which they came, those that are none any more left out: NULL behind the last. */
struct names_dir *names_dir_at(const struct names *n, uint32_t *at);
/* Puts the children of a directory into the order of their bytes and leaves out the dead. */
void names_sort(struct names *n, struct names_dir *d);
/* -1, 0 or 1, as EROFS wants it. */
int names_compare(const char *a, size_t n_a, const char *b, size_t n_b);

#endif
