/* snapshot.h - INSTANCE@SNAPSHOT as a word of a command line */
#ifndef CLI_SNAPSHOT_H
#define CLI_SNAPSHOT_H

#include "cli/cli.h"
#include "engine/snapshot.h"

struct snapshot_word {
	struct instance in;
	char *name; /* of the snapshot; NULL: none was given */
};

enum snapshot_word_kind { SNAPSHOT_MAY, SNAPSHOT_MUST };

/* Finds the instance; *ret is the caller's to snapshot_word_done, also after a failure. */
int snapshot_word_find(struct cli *c, const char *word, enum snapshot_word_kind kind,
		       struct snapshot_word *ret, struct err *e);
void snapshot_word_done(struct snapshot_word *w);

#endif
