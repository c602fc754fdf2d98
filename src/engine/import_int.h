/* import_int.h - what the files of an import share */
#ifndef ENGINE_IMPORT_INT_H
#define ENGINE_IMPORT_INT_H

#include "engine/engine_int.h"
#include "engine/import.h"
#include "instance/exported.h"

struct importing {
	struct engine *en;
	const struct import_request *rq;
	struct exported x; /* specs are of this store once they were taken */
	char id[65]; /* of the new instance */
	struct strv images; /* ids of all images of the archive, the last one that of x.now */
	struct strv fresh; /* those that were not in the store before */
	struct strv old_names, new_names; /* of anonymous volumes */
};

/* import_look.c: struct image_watch: the archive names what it must, and it could be had here. */
int import_look(void *arg, const struct strv *ids, const struct buf *config, struct err *e);
void import_forget(struct importing *im); /* what was looked at */
/* import_record.c: all is in the store but the instance: makes it. */
int import_record(struct importing *im, struct err *e);

/* The i-th state: snapshots, oldest first, then `now`. */
static inline struct exported_state *import_state(struct importing *im, size_t i)
{
	return i < im->x.n_snapshots ? &im->x.snapshots[i] : &im->x.now;
}

#endif
