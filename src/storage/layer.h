/* layer.h - writable layers: which there are, and what each stands on (docs/design/012)
 *
 * A layer is written by one instance, which has it as its top, until it is sealed: from then on it stands below others
 * and no longer changes.  What a layer stands on is said once, when its row is made, and its row cannot go before theirs:
 * so layers are trees, without a cycle, and nobody ever stands on nothing.
 *
 * An instance without a row here has the top that bears its own id, on nothing but its image.  That is so for every
 * instance that never had a snapshot, and costs it nothing.
 */
#ifndef STORAGE_LAYER_H
#define STORAGE_LAYER_H

#include <stdbool.h>

#include "base/strv.h"
#include "db/db.h"

/* An overlay takes 500, and the image has some, too; a machine's disk is a descriptor for each. */
#define LAYERS_MOST  200
#define LAYER_ID_LEN 64

/* The tables of this room; those of the instances are there already. */
int storage_init(struct db *db, struct err *e);

/* What an instance writes to. */
struct writable {
	char *top; /* the layer that it writes to while it runs; "": never NULL */
	char *below; /* what that one stands on; NULL: the image alone */
	char *snapshot; /* the one that it went on from: parent of the next; NULL: none */
};

void writable_done(struct writable *w);
int writable_find(struct db *db, const char *instance, struct writable *ret, struct err *e);
/* The instance writes to `top` from now on, made if it is new, on `below` (NULL: the image). */
int writable_set(struct db *db, const char *instance, const char *top, const char *below,
		 const char *snapshot, struct err *e);

/* A layer that nobody has as a top: what was copied. */
int layer_add(struct db *db, const char *id, const char *below, struct err *e);
/* The layer and all below it, lowest first; id NULL: none.  -EMLINK: more than LAYERS_MOST. */
int layer_chain(struct db *db, const char *id, struct strv *ret, struct err *e);
/* All that an instance, or a snapshot of it, stands on; in no order. */
int layers_of(struct db *db, const char *instance, struct strv *ret, struct err *e);
/* Removes the rows of layers that nobody needs any more. */
int layers_forget(struct db *db, struct err *e);
/* Two that an instance stands on which could be one: the lower one is no top, no snapshot names it, nothing but the upper
 * one stands on it, and no other instance needs it.  after: only pairs whose lower id is greater ("": any).
 * 1: *ret by layer_pair_done; 0: there is none. */
struct layer_pair {
	char *lower, *upper;
	char *below; /* what the lower one stands on; NULL: the image */
};
int layer_pair_find(struct db *db, const char *instance, const char *after, struct layer_pair *ret,
		    struct err *e);
void layer_pair_done(struct layer_pair *p);
/* Within a transaction: the lower one, which holds what both did, stands for the upper one from now on. */
int layer_pair_merge(struct db *db, const struct layer_pair *p, struct err *e);
/* Has it a row?  Then somebody needs its files. */
int layer_is_known(struct db *db, const char *id, bool *ret, struct err *e);

#endif
