/* engine_int.h - what the files of the engine share */
#ifndef ENGINE_ENGINE_INT_H
#define ENGINE_ENGINE_INT_H

#include "db/db.h"
#include "engine/engine.h"
#include "instance/boot.h"

struct engine {
	char *root, *run_root;
	int run_fd; /* RUN_ROOT */
	int instances_fd; /* ROOT/instances */
	int volumes_fd; /* ROOT/volumes */
	struct db *db; /* of the image store; table instance */
	struct image_store *images;
	struct host_facts facts;
	bool have_facts, have_kvm;
	image_progress progress;
	void *progress_arg;
};

/* control.c */
/* Sends it whole: it is small.  -ESRCH when the monitor has gone. */
int control_send(int fd, const struct instance *in, const struct buf *b, struct err *e);
/* The monitor at the other end of fd, as a pidfd: a number out of state.json may have gone to somebody else (security.md
 * A13).  Or -ESRCH. */
int control_monitor(int fd);
/* A monitor that does not answer: it is killed, and what it held is cleared by the next look. */
int control_kill_monitor(const struct instance *in, int fd, struct err *e);
/* engine_connect, also to one whose monitor does not listen yet: somebody, or its policy, is just starting it. */
int control_connect_live(struct engine *en, const struct instance *in, int *ret_fd, struct err *e);
/* What a monitor gets beyond the time that the user gave before it is taken for stuck. */
#define CONTROL_GRACE_S 10
/* When who was told now to end within timeout_s is taken for stuck; of clock_mono_ns. */
int64_t control_stop_deadline(int timeout_s);
/* Waits until one that was asked has ended, and kills the monitor of one that is late.  Closes s->fd; of several that were all
 * asked first, each ends by its own deadline. */
int control_await_stop(const struct instance *in, struct stopping *s, struct err *e);

/* record.c: the specs of instances in ROOT/ketch.db */
int record_init(struct db *db, struct err *e);
/* -EEXIST when the name is taken. */
int record_add(struct db *db, const struct instance_spec *s, struct err *e);
/* -EEXIST when the name is taken, -ENOENT when the instance is gone. */
int record_rename(struct db *db, const char *id, const char *name, struct err *e);
int record_remove(struct db *db, const char *id, struct err *e);
int record_name_taken(struct db *db, const char *name, bool *ret, struct err *e);
int record_name_in_use(const char *name, struct err *e); /* -EEXIST, and what to do */
/* Is the record what `was` was read from?  Within a transaction of the caller.  -ESTALE: another command has changed it. */
int record_check_unchanged(struct db *db, const struct instance_spec *was, struct err *e);
/* Limits, machine, restart policy and rate of the spec; the rest of the record stays as it is.  -ESTALE as above. */
int record_change(struct db *db, const struct instance_spec *was, const struct instance_spec *s,
		  struct err *e);
/* By name, id or unique prefix of the id. */
int record_find(struct db *db, const char *name, struct instance_spec *ret, struct err *e);
/* All, newest first. */
int record_list(struct db *db, struct instance_spec **ret, size_t *ret_n, struct err *e);
/* All of the spec is another: the same id and name. */
int record_replace(struct db *db, const struct instance_spec *s, struct err *e);
int record_image_in_use(struct db *db, const char *image_id, bool *ret, struct err *e);

/* Which wall it is behind, with its machine; within a transaction of the caller. */
int record_change_wall(struct db *db, const struct instance_spec *s, struct err *e);

/* Networks alone. */
int record_change_net(struct db *db, const struct instance_spec *s, struct err *e);

/* truth.c: what is so, from the lock and the files that the monitor leaves */
/* Takes the instance's lock (an open-file-description lock on ROOT/instances/ID/lock).  -EBUSY: it runs, or another
 * command works on it. */
int truth_lock(struct engine *en, const char *id, int *ret_fd, struct err *e);
/* Is fd, which was inherited, the lock, and held?  It becomes close-on-exec. */
int truth_take_lock(struct engine *en, const char *id, int fd, struct err *e);
/* Does somebody hold it? */
bool truth_is_locked(struct engine *en, const char *id);
/* Waits until nobody has it, or whoever has it runs the instance; -EBUSY: that takes too long. */
int truth_wait_idle(struct engine *en, const struct instance_spec *spec, struct err *e);
/* Does it run by now, though it did not a moment ago?  Waits for whoever has its lock, and may be about to start it. */
bool truth_has_begun(struct engine *en, const struct instance_spec *spec);
/* Fills in->state for in->spec.  An instance whose monitor was killed is cleaned up and recorded as ended. */
int truth_refresh(struct engine *en, struct instance *in, struct err *e);
/* The same under the lock, which the caller holds: nothing runs; clears what is left of a lost instance. */
int truth_settle(struct engine *en, struct instance *in, struct err *e);
/* Writes exit.json: it has ended, and why; under the lock. */
int truth_record_end(struct engine *en, struct instance *in, const char *why, struct err *e);
/* Notes that it is about to run for the first time since its last end; under the lock.  0 or -errno. */
int truth_note_start(int dir);
void truth_forget_start(int dir);
/* The directory ROOT/instances/ID.  -ENOENT when it is gone. */
int truth_dir_open(struct engine *en, const char *id);

/* news.c: tells the journal what happened to an instance; more: see instance/news.h. */
void engine_tell(struct engine *en, const struct instance_spec *s, const char *action,
		 const char *const *more);
/* The same of a volume: "create", "destroy". */
void engine_tell_volume(struct engine *en, const char *name, const char *action);
/* The same of a network: "create", "destroy"; more: "container=ID", or NULL. */
struct network;
void engine_tell_network(struct engine *en, const struct network *n, const char *action, const char *more);
/* start.c: starts a machine with no main process (boot.h, blank), which ends when *ret_fd is closed. */
int engine_start_blank(struct engine *en, const struct instance_spec *spec, int *ret_fd, struct err *e);
/* start.c: starts a monitor for the files of an instance that does not run; -EALREADY: it does.  *ret_fd as engine_start. */
int start_files(struct engine *en, const struct instance_spec *spec, int *ret_fd, struct err *e);
/* start.c: the same of one without a record (scratch.h), whose lock is taken. */
struct writable;
int start_scratch(struct engine *en, const struct instance_spec *spec, const struct writable *w, int lock,
		  int *ret_fd, struct err *e);
/* start.c: the lock of an instance that does not run; waits for who has it for a moment.  -EALREADY: it runs. */
int start_lock(struct engine *en, const struct instance_spec *spec, int *ret, struct err *e);
/* start.c: for a change of its record: one that does not run stays at rest while *ret_lock is open; of one that does (-1), and
 * of one that just begins, in->state is what it is by now. */
int start_hold_off(struct engine *en, struct instance *in, int *ret_lock, struct err *e);
/* control.c: the monitor that listens on this socket of the run directory; -ESRCH. */
int control_connect(struct engine *en, const struct instance *in, const char *socket_name, int *ret_fd,
		    struct err *e);
/* Ends a monitor that is there for the files of `in`, if there is one. */
void control_end_files(struct engine *en, const struct instance *in);

/* namespaces.c: names of other instances become ids. */
int namespaces_resolve(struct engine *en, struct sandbox *b, struct err *e);
/* At the start: what is the host's or another instance's as it is now, devices in the spec and descriptors "ns/KIND".  Who
 * comes for the files alone needs none of it, and it may be gone. */
int shared_open(struct engine *en, struct boot *b, struct err *e);
/* Fills the maps of --userns auto with IDs that no other instance has. */
int userns_choose(struct engine *en, struct instance_spec *s, struct err *e);

/* create.c: -EINVAL and what is wrong, unless it may be the name of an instance. */
int engine_check_name(const char *name, struct err *e);

/* create.c: what a request comes to, checked, and not recorded.  *ret by json_done. */
int engine_describe(struct engine *en, const struct run_request *rq, struct instance_spec *ret,
		    struct err *e);
/* create.c: the record and the directory of an instance that is described. */
int engine_record(struct engine *en, struct instance_spec *s, struct err *e);
/* create.c: a new directory below ROOT/instances, and its lock */
int instance_dir_make(struct engine *en, const char *id, int *ret_lock, struct err *e);

/* create.c: a machine for a spec that is to have one: kernel, driver (NULL: the usual ones), RAM, processors, disks. */
int engine_choose_machine(struct engine *en, const struct run_request *rq, struct instance_spec *s,
			  struct err *e);
/* create.c: the filter of a spec that is to have one, kept in this store. */
int engine_choose_seccomp(struct engine *en, const struct run_request *rq, struct instance_spec *s,
			  struct err *e);
/* create.c: a back end refuses in its plan what it cannot do, by the name of the flag. */
int engine_check_plan(struct engine *en, const struct instance_spec *s, struct err *e);

/* create.c: processors of a machine with these limits. */
int engine_choose_vcpus(const struct resources *r, const struct host_facts *h);

/* strays.c: removes directories of instances that have no record and that nobody makes or removes just now. */
void strays_remove(struct engine *en);

/* Random bytes as hex digits: n * 2 characters and a NUL. */
void engine_random_hex(unsigned n, char *ret);

#endif
