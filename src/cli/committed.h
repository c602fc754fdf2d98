/* committed.h - an image made of a snapshot, for other commands than commit (commit.c) */
#ifndef CLI_COMMITTED_H
#define CLI_COMMITTED_H

#include "cli/cli.h"

/* word: INSTANCE@SNAPSHOT; ref: what the image is called.  *ret_id is its id, owned. */
int commit_snapshot(struct cli *c, const char *word, const char *ref, char **ret_id, struct err *e);

#endif
