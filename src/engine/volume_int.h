/* volume_int.h - volumes as the other files of the engine need them */
#ifndef ENGINE_VOLUME_INT_H
#define ENGINE_VOLUME_INT_H

#include "engine/engine_int.h"
#include "engine/volume.h"

/* volume_record.c: records; within a transaction of the caller where it changes more than one thing */
int volume_record_init(struct db *db, struct err *e);
/* *ret_new: there was none of that name. */
int volume_record_add(struct db *db, const struct volume *v, bool *ret_new, struct err *e);
int volume_record_find(struct db *db, const char *name, struct volume *ret, struct err *e);
int volume_record_list(struct db *db, struct volume **ret, size_t *ret_n, struct err *e);
int volume_record_used(struct db *db, const char *name, struct err *e); /* no longer fresh */
int volume_record_set_fresh(struct db *db, const char *name, bool fresh, struct err *e);
int volume_record_use(struct db *db, const char *name, const char *instance, struct err *e);
int volume_record_users(struct db *db, const char *name, struct strv *ret, struct err *e);
int volume_record_remove(struct db *db, const char *name, struct err *e);

/* volume.c */
/* A name that nobody has. */
int volume_name_new(char **ret, struct err *e);
/* Names the anonymous volumes of a new instance, and takes over what the others are: a tmpfs, read-only. */
int volumes_resolve(struct engine *en, struct instance_spec *s, struct err *e);
/* Records an instance with its volumes, made where they are missing: all or nothing. */
int volumes_record_instance(struct engine *en, const struct instance_spec *s, struct err *e);
/* The same within a transaction of the caller, who tells of the volumes that were made once it is committed. */
int volumes_add_instance(struct engine *en, const struct instance_spec *s, struct strv *ret_made,
			 struct err *e);
/* Within a transaction: a volume of this name with the labels of `like`; -EEXIST. */
int volume_add_copy(struct engine *en, const char *like, const char *name, struct err *e);
/* The same of one that has a record: the volumes that it did not mount before. */
int volumes_add_mounts(struct engine *en, const struct instance_spec *s, struct strv *ret_made,
		       struct err *e);
void volumes_tell_made(struct engine *en, const struct strv *made);
/* Removes the record of an instance; with_volumes: and the anonymous volumes that nobody else mounts. */
int volumes_forget_instance(struct engine *en, const struct instance_spec *s, bool with_volumes,
			    struct err *e);

/* volume_dir.c */
/* Within a transaction: a directory of this name, that no record names, goes out of the way. */
int volume_dir_bury(struct engine *en, const char *name, struct err *e);
/* Makes that of a volume; one that is there is as good. */
int volume_dir_make(struct engine *en, const char *name, struct err *e);
/* Removes the directories of volumes whose records are gone.  What cannot be removed now (there is a mount in it) is out
 * of the way, and said, but is no failure: it may be of another volume, and volume prune tries again. */
int volume_dirs_remove(struct engine *en, const struct strv *names, struct err *e);
/* Whoever lists volumes removes what a command that was killed has left, where it may. */
void volume_strays_remove(struct engine *en);

/* volume_open.c: the directory or file of a mount (O_PATH), filled if this is the volume's first use. */
int volume_open(struct engine *en, const struct instance_spec *s, const struct mount_spec *m, struct err *e);
/* flock(2) of ROOT/volumes/NAME; how: LOCK_SH to open what is in it, LOCK_EX to exchange or to keep that. */
int volume_lock(int dir, const char *name, int how, struct err *e);

/* volumes_from.c: the mounts of other instances, in front of those of the request */
int volumes_from(struct engine *en, const struct strv *words, struct instance_spec *s, struct err *e);

#endif
