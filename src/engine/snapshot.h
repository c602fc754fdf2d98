/* snapshot.h - snapshots of instances: made, listed, removed, gone back to (docs/design/012)
 *
 * How it works: the writable layer of an instance that does not run is sealed, which is one transaction of the database
 * (storage/layer.h), whatever it holds; so is that of a machine that runs, which goes on in another.  Of a container that
 * runs a copy is made while nothing of it writes.  Going back is a new, empty layer on top of those of the snapshot.
 *
 * Every verb holds the instance's lock of snapshots (snapshots_lock) from its first look to its end; those that change what
 * a start reads hold the instance's own lock, too.  Rows make it whole: a verb that is killed has done all or nothing, and
 * what it leaves in the file system is swept by the next.
 *
 * Volumes are copied, before the row (engine/volume_state.h).
 *
 * Memory of virtual machines (struct snapshot_memory) is taken and restored by its own files (engine/machine_memory.h), as are
 * the processes of containers (engine/processes.h); a snapshot without either has memory.format NULL.
 */
#ifndef ENGINE_SNAPSHOT_H
#define ENGINE_SNAPSHOT_H

#include "engine/layers.h"
#include "storage/snapshot.h"

struct snapshot_request {
	const char *
		name; /* NULL: chosen: snap0, snap1 ...; one that begins so is of a group that is not complete: */
#define SNAPSHOT_UNFINISHED '~'
	const char *description; /* or NULL */
	int64_t expires_ns; /* time of day; 0: never */
	bool automatic;
	bool no_volumes; /* those of the instance are not in it */
	enum snapshot_memory_wish {
		MEMORY_IF_IT_CAN, /* of a machine that runs, where that can be saved */
		MEMORY_NOT,
		MEMORY_MUST, /* or an error that says why not */
		MEMORY_LIVE, /* the same, but of a container it has the processes */
	} memory;
	/* A group's: the caller has it stand still (engine_hold), and its volumes (volumes_keep_still). */
	bool held, volumes_held;
};

/* "INSTANCE@SNAPSHOT": *ret_name is owned, NULL where there is no '@'. */
int snapshot_split(const char *word, char **ret_instance, char **ret_name, struct err *e);

/* Also of one that runs.  *ret by snapshot_done. */
int snapshot_create(struct engine *en, const struct instance *in, const struct snapshot_request *rq,
		    struct snapshot *ret, struct err *e);
/* name NULL: the newest. */
int snapshot_find(struct engine *en, const struct instance *in, const char *name, struct snapshot *ret,
		  struct err *e);
/* Oldest first, without those of a group that is not whole; *ret by snapshots_free. */
int snapshot_list(struct engine *en, const struct instance *in, struct snapshot **ret, size_t *ret_n,
		  struct err *e);
int snapshot_remove(struct engine *en, const struct instance *in, const char *name, struct err *e);
/* Those whose time is over; what cannot go now goes the next time. */
void snapshot_remove_expired(struct engine *en, const struct instance *in);
int snapshot_rename(struct engine *en, const struct instance *in, const char *name, const char *new_name,
		    struct err *e);
/* The spec that is in it; *ret by json_done. */
int snapshot_spec(const struct snapshot *s, struct instance_spec *ret, struct err *e);

/* Starts an instance whose files are those of the snapshot with its memory, too (-ENOENT: it has none): as engine_start. */
int engine_start_saved(struct engine *en, const struct instance_spec *spec, const struct snapshot *from,
		       int *ret_fd, struct err *e);

struct rollback_request {
	const char *keep; /* the state before becomes a snapshot of this name; NULL: it is lost */
	bool keep_automatic; /* that one is of a policy, which removes it again */
	bool stop; /* end it first where it runs; else -EBUSY */
	bool no_volumes; /* they stay as they are, and are not kept */
	bool memory; /* its machine shall go on from there: what cannot be restored is refused before anything is done */
};
int snapshot_rollback(struct engine *en, const struct instance *in, const char *name,
		      const struct rollback_request *rq, struct err *e);

/* A machine that runs goes back to the snapshot from which its memory was restored, without being ended: its monitor does it, whoever is killed.
 * What cannot be done so is refused, and it runs on. */
int snapshot_rollback_in_place(struct engine *en, const struct instance *in, const char *name, struct err *e);

/* --- snapshots that a policy has made: without memory, and the newest of them stay */

#define SNAPSHOT_AUTO_NAME 40
/* What the next one is called, after the time of day: "auto-20260213-140506.123". */
void snapshot_auto_name(char ret[SNAPSHOT_AUTO_NAME]);
/* Makes one and removes those that are too many.  A failure is told in the journal, too: nobody may be listening. */
int snapshot_auto(struct engine *en, const struct instance *in, struct err *e);
/* Removes those that are too many. */
void snapshot_auto_thin_out(struct engine *en, const struct instance *in);
/* When the next one is due: at once where it is late. */
int64_t snapshot_auto_due_ns(struct engine *en, const struct instance_spec *s);

/* What a new instance does about the volumes of the other. */
enum clone_volumes {
	CLONE_VOLUMES_COPY, /* new ones, which begin with what is in the snapshot; it is refused where that has none */
	CLONE_VOLUMES_SHARE,
	CLONE_VOLUMES_NONE, /* new ones, which begin with what the image has */
};

struct clone_request {
	const char *name; /* of the new instance */
	enum clone_volumes volumes;
	bool auto_remove; /* it goes with its end */
};
/* A new instance that goes on from a snapshot (NULL: from what `in` is now): its own id, name, hostname.  *ret is its
 * spec. */
int snapshot_clone(struct engine *en, const struct instance *in, const char *snapshot,
		   const struct clone_request *rq, struct instance_spec *ret, struct err *e);

/* --- for the files of the engine */

/* The configuration of another instance becomes that of this one: without addresses and the like that only one can have.  A
 * host name that was chosen stays: it is configuration.  One that was made of the id is of the new id. */
int instance_become(const char *id, const char *name, struct instance_spec *s, struct err *e);

/* Waits for others that are about the snapshots of this instance; -ENOENT: it has been removed. */
int snapshots_lock(struct engine *en, const struct instance_spec *s, int *ret_fd, struct err *e);
/* The directory for more files of a snapshot, made if it is missing. */
int snapshot_dir_open(struct engine *en, const struct snapshot *s, struct err *e);
/* snapshot_create for who holds the lock, which is `all`. */
int snapshot_create_locked(struct engine *en, const struct instance *in, const struct snapshot_request *rq,
			   int all, struct snapshot *ret, struct err *e);
/* Could `in` go back to s, as far as can be told before anything is done?  Others than `ours` (ids) must not run with its volumes. */
int snapshot_rollback_check(struct engine *en, const struct snapshot *s, const struct rollback_request *rq,
			    const struct strv *ours, struct err *e);
/* -EBUSY: it would be stopped for the rollback, and so be removed (--rm), at any moment until it runs again. */
int snapshot_rollback_stays(const struct instance *in, struct err *e);
/* Its own lock, behind that of its snapshots; stop: it is ended first where it runs, else -EBUSY. */
int snapshot_lock_at_rest(struct engine *en, const struct instance *in, bool stop, int *ret_lock,
			  struct err *e);
/* What was said of the instance later than the snapshot whose configuration `to` is stays: its name, and how often snapshots are
 * made. */
int snapshot_keep_later(struct engine *en, const char *id, struct instance_spec *to, struct err *e);
/* Within a transaction: `id` is what it was in s, and these volumes the states `state` (volume_swap_begin). */
#define SNAPSHOT_STATE_LEN 32
int snapshot_rollback_record(struct engine *en, const char *id, const struct snapshot *s,
			     const struct strv *volumes, const char *state, struct err *e);
/* With the lock: fills a new snapshot with all but where its files are. */
int snapshot_begin(struct engine *en, const struct instance *in, const struct snapshot_request *rq,
		   struct snapshot *ret, struct err *e);
/* With both locks, the instance at rest, and copies of s->volumes made (volume_states_copy): seals its layer and records
 * s. */
int snapshot_seal(struct engine *en, const struct instance_spec *spec, struct snapshot *s, struct err *e);
/* Copies what the instance writes to into the stage; durable then.  Nothing may write to it meanwhile. */
int snapshot_capture(struct engine *en, const struct instance_spec *spec, const struct writable *w,
		     struct layer_stage *st, struct err *e);
/* A disk image that nobody writes, into an empty file: by reflink, else as sparse as it is.  0 or -errno. */
int snapshot_copy_sparse(int from, int to);
/* Within a transaction, copies of s->volumes made: records s, whose files are those of the stage (NULL: of w->below). */
int snapshot_record_captured(struct engine *en, const struct writable *w, struct layer_stage *st,
			     struct snapshot *s, struct err *e);

/* An instance is removed: its directory goes between these two. */
struct snapshots_leave {
	int lock;
	bool had;
};
int snapshots_leave(struct engine *en, const char *instance, struct snapshots_leave *ret, struct err *e);
int snapshots_left(struct engine *en, const struct snapshots_leave *l, struct err *e);
void snapshots_leave_done(struct snapshots_leave *l);

#endif
