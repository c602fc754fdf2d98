/* group.h - --group and --label of snapshot create and rollback (group.c) */
#ifndef CLI_GROUP_H
#define CLI_GROUP_H

#include "cli/cli.h"
#include "engine/snapshot_group.h"

struct group_args {
	char *group, *label;
};

#define GROUP_OPTS(struct_, group_, label_)                                                                  \
	OPT(STR, 0, "group", struct_, group_, "A,B[@NAME]", "All of these at one moment, or none"),          \
		OPT(STR, 0, "label", struct_, label_, "KEY[=VALUE]",                                         \
		    "All that have this label, at one moment, or none")

static inline bool group_is_given(const struct group_args *a)
{
	return a->group || a->label;
}

/* The instances that are meant, and the snapshot that is named (or NULL) by what stands behind the last '@', or with a label by
 * the only word, @SNAPSHOT.  *ret and *ret_name are owned. */
int group_find(struct cli *c, const struct group_args *a, const struct strv *words,
	       struct instance_group *ret, char **ret_name, struct err *e);
/* INSTANCE@SNAPSHOT, a line each. */
int group_print(const struct instance_group *g, const char *name, struct err *e);

#endif
