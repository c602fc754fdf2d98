/* volume_state.h - states of volumes as the files of the engine need them (volume_snapshot.h has the picture) */
#ifndef ENGINE_VOLUME_STATE_H
#define ENGINE_VOLUME_STATE_H

#include "engine/volume_int.h"
#include "engine/volume_snapshot.h"

/* --- volume_still.c: volumes that nobody writes to for a while */

enum volume_users {
	USERS_STAND_STILL, /* those that run are held (engine_hold) */
	USERS_MUST_NOT_RUN, /* -EBUSY where one does */
	USERS_MAY_WRITE, /* nothing is read of what the volumes are now */
};

struct volumes_still {
	struct strv names; /* in order, each once */
	int *locks; /* of the volumes */
	int *holds; /* of instances */
	size_t n_locks, n_holds;
};

/* Those volumes of an instance that are directories of the store: what a snapshot can hold. */
int volumes_of_spec(struct engine *en, const struct instance_spec *s, struct strv *ret, struct err *e);
/* self: the id of an instance whose writes are the caller's affair; NULL: none. */
int volumes_keep_still(struct engine *en, const struct strv *names, const char *self, enum volume_users users,
		       struct volumes_still *ret, struct err *e);
/* The same with several: a group of instances. */
int volumes_keep_still_of(struct engine *en, const struct strv *names, const struct strv *ours,
			  enum volume_users users, struct volumes_still *ret, struct err *e);
void volumes_still_done(struct volumes_still *v);

/* --- volume_state.c: their files; under the lock of the volume */

/* The state `id` becomes a copy of the state `from` (NULL: of what the volume is now); durable then. */
int volume_state_copy(struct engine *en, const char *volume, const char *from, const char *id, struct err *e);
/* The same of several; after a failure nothing is left of them but what a sweep removes. */
int volume_states_copy(struct engine *en, const struct strv *volumes, const char *from, const char *id,
		       struct err *e);
/* Within a transaction that makes the volume: the directory `name` of another one becomes the state `id` of it (NULL: what it is
 * now).  fresh: nobody has used it yet. */
int volume_state_place(struct engine *en, const char *volume, const char *id, int from_dir, const char *name,
		       bool fresh, struct err *e);
/* The files of a state (id NULL: of what the volume is now), to be read. */
int volume_state_open(struct engine *en, const char *volume, const char *id, bool *ret_fresh, struct err *e);
/* Is there such a state? */
bool volume_state_exists(struct engine *en, const char *volume, const char *id);
/* Within a transaction that makes the volume `to`: the files of the state become its own. */
int volume_state_become(struct engine *en, const char *volume, const char *id, const char *to, struct err *e);
/* Within a transaction: the volume is that state from now on; volume_swap_finish does it, after the commit. */
int volume_swap_begin(struct engine *en, const char *volume, const char *id, struct err *e);
int volume_swap_finish(struct engine *en, const char *volume, int dir, struct err *e);
int volumes_swap_finish(struct engine *en, const struct volumes_still *v, struct err *e);
/* Removes what no row names. */
int volume_states_sweep(struct engine *en, const char *volume, struct err *e);
void volumes_still_sweep(struct engine *en, const struct volumes_still *v);
/* The same without the lock; where another has it, it sweeps by itself. */
void volume_states_try_sweep(struct engine *en, const struct strv *volumes);

/* --- volume_state_record.c */

int volume_state_record_init(struct db *db, struct err *e);
int volume_state_is_known(struct db *db, const char *id, bool *ret, struct err *e);
int volume_snapshot_record_add(struct db *db, const struct volume_snapshot *s, struct err *e);
/* By name or id. */
int volume_snapshot_record_find(struct db *db, const char *volume, const char *name,
				struct volume_snapshot *ret, struct err *e);
int volume_snapshot_record_list(struct db *db, const char *volume, struct volume_snapshot **ret,
				size_t *ret_n, struct err *e);
/* -EEXIST: the name is taken. */
int volume_snapshot_record_rename(struct db *db, const struct volume_snapshot *s, const char *name,
				  struct err *e);
int volume_snapshot_record_remove(struct db *db, const char *id, struct err *e);
int volume_swap_record_add(struct db *db, const char *volume, const char *id, struct err *e);
/* *ret is owned; NULL: there is none under way. */
int volume_swap_record_find(struct db *db, const char *volume, char **ret, struct err *e);
int volume_swap_record_remove(struct db *db, const char *volume, struct err *e);

#endif
