/* volume.h - volumes: directories of the store that instances mount and that outlive them
 *
 *	ROOT/ketch.db                tables volume, volume_use (which instance mounts it)
 *	ROOT/volumes/NAME/_data/     what is mounted; made when it is missing
 *	ROOT/volumes/NAME/.fill/     the copy of what the image has, until it is whole and becomes _data
 *	ROOT/volumes/.gone-*         on its way out
 *
 * A volume is its record: there is none without a name in the database, and a directory that no record names is
 * nobody's and goes with the next removal.  An instance holds its volumes by its record, running or not, so a
 * removal and a new instance meet in one transaction, and one of them is refused.
 */
#ifndef ENGINE_VOLUME_H
#define ENGINE_VOLUME_H

#include "engine/engine.h"

struct volume {
	char *name;
	int64_t created_ns;
	struct strv labels, options; /* "key=value" */
	bool anonymous; /* named by us for one instance */
	bool fresh; /* nobody has used it: the first takes what its image has there */
};

extern const struct jtable volume_table;
void volume_done(struct volume *v);
void volumes_free(struct volume *v, size_t n);

/* A name that Docker's local driver takes; what is wrong is said in its words. */
int volume_name_check(const char *name, struct err *e);
/* The options of Docker's local driver: none; type=tmpfs; or type=none, o=bind and device=DIRECTORY. */
enum volume_kind { VOLUME_DIRECTORY, VOLUME_TMPFS, VOLUME_BIND };
int volume_kind_of(const struct strv *options, enum volume_kind *ret, struct err *e);
/* Is the word in the value of o=? */
bool volume_o_has(const struct strv *options, const char *word);

/* Makes it unless there is one of this name with the same options.  name NULL: *ret_name is a new one. */
int volume_create(struct engine *en, const char *name, const struct strv *labels, const struct strv *options,
		  char **ret_name, struct err *e);
/* -ENOENT: "no such volume: x". */
int volume_find(struct engine *en, const char *name, struct volume *ret, struct err *e);
/* By name. */
int volume_list(struct engine *en, struct volume **ret, size_t *ret_n, struct err *e);
/* The ids of the instances that mount it. */
int volume_users(struct engine *en, const char *name, struct strv *ret, struct err *e);
/* -EBUSY: "volume is in use - [ID, ID]". */
int volume_remove(struct engine *en, const char *name, struct err *e);
/* The directory on the host, owned; NULL when memory is out. */
char *volume_path(struct engine *en, const char *name);
/* The directory itself (O_PATH), for reading, or to_fill: then no image fills it any more. */
int volume_open_files(struct engine *en, const char *name, bool to_fill, struct err *e);
/* What it takes on the disk. */
uint64_t volume_bytes(struct engine *en, const char *name);
/* Removes what removals that were killed have left. */
int volume_sweep(struct engine *en, struct err *e);

#endif
