/* committed.h - an image made of a snapshot, for other commands than commit (commit.c) */
#ifndef CLI_COMMITTED_H
#define CLI_COMMITTED_H

#include "cli/cli.h"
#include "engine/packed.h"

/* word: INSTANCE@SNAPSHOT; ref: what the image is called.  *ret_id is its id, owned. */
int commit_snapshot(struct cli *c, const char *word, const char *ref, char **ret_id, struct err *e);
/* The same with the memory that is in the snapshot; *ret by packing_done. */
int commit_packed(struct cli *c, const char *word, const char *ref, struct packing *ret, struct err *e);

#endif
