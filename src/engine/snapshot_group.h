/* snapshot_group.h - one moment of several instances: all of them, or none
 *
 * How it works: the volumes of all are locked, and whoever else runs with one of them is held; then those of the group that run
 * are held, all at the same time, with what they wrote on the disk (engine_hold: a kill of ours lets all go on).  While they
 * stand still each gets its snapshot with its volumes, and a machine its memory, where that can be saved, under a name that
 * nobody can type; one transaction gives all of them their name.  What a kill leaves under the other name is removed as what
 * has expired is.
 *
 * A volume that several of them mount is in the snapshot of each, the same at that moment.
 */
#ifndef ENGINE_SNAPSHOT_GROUP_H
#define ENGINE_SNAPSHOT_GROUP_H

#include "engine/snapshot.h"

/* The instances of a group; no two are the same. */
struct instance_group {
	struct instance *list;
	size_t n;
};
void instance_group_done(struct instance_group *g);
/* By name; "a,b,c". */
int instance_group_named(struct engine *en, const char *names, struct instance_group *ret, struct err *e);
/* All that have this label, KEY or KEY=VALUE; -ENOENT: none. */
int instance_group_labelled(struct engine *en, const char *label, struct instance_group *ret, struct err *e);

/* rq: its name NULL: chosen, group0, group1 ...; *ret_name, owned: which it is. */
int snapshot_group_create(struct engine *en, const struct instance_group *g,
			  const struct snapshot_request *rq, char **ret_name, struct err *e);
/* What can be told is told before anything is done; then all go back in one transaction.  Of how, `keep` is not looked at;
 * `memory` is for the caller to start (engine_start_saved). */
int snapshot_group_rollback(struct engine *en, const struct instance_group *g, const char *name,
			    const struct rollback_request *how, struct err *e);

/* The member whose id is the next behind `after` (NULL: the first). */
size_t instance_group_next(const struct instance_group *g, const char *after);
/* Adds the ids of all. */
int instance_group_ids(const struct instance_group *g, struct strv *ret, struct err *e);

#endif
