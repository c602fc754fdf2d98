/* saver.h - a machine is saved while it runs, restored, and taken back in place
 *
 * Saving:  saver_write: a thread of its own writes the RAM, then what changed meanwhile, until that is little; the
 *          guest runs on -> saver_save: all stands still, the rest of the RAM and the state are written.  The machine
 *          stays paused: its owner does to the disks what must be of the same moment, and resumes it.
 *          Without saver_write (saver_take_file), all RAM is written in the pause: for little of it.
 * Restoring: RAM is mapped from the files (vmm/ram_file.h), the state applied, the guest told of a new generation ID.
 * Rollback: after saver_save with `keep`, changes are tracked on: the changed pages are read back, and the state applied.  A machine
 *          that was restored from one file, and not saved since, goes back to that without any tracking: the pages that are
 *          its own are forgotten; so is what it wrote to its disks.
 *
 * Everything is called by the main thread; only the rounds of writing are not.
 */
#ifndef VMM_SAVER_H
#define VMM_SAVER_H

#include "vmm/ram_file.h"
#include "vmm/state.h"
#include "vmm/track.h"

struct saver {
	struct machine *m;
	struct track track;
	struct arch_registers registers;
	int pagemap_fd;
	bool from_files; /* its RAM maps files: a difference can be written */
	bool restored; /* `state` and the one file are what it began as */
	int ram_fd; /* of the snapshot being made, or kept; -1 */
	bool difference, writing, kept;
	uint64_t *written; /* of a difference: its map */
	struct watch asked, done; /* eventfds: to the thread that writes, and back */
	int64_t result;
	void (*on_written)(void *arg, int64_t pages); /* or -errno */
	void *arg;
	struct machine_state state; /* as saved last */
	uint8_t document[STATE_MAX];
};

/* What saver_save did. */
struct save_report {
	int64_t pages; /* written in the pause */
	int64_t pause_ns; /* since the vcpus were asked to stop */
};

/* Before the machine's threads: m is made, its devices are plugged; pagemap_fd is of pagemap_open, before the jail.  0 or
 * -errno with e. */
int saver_init(struct saver *s, struct machine *m, int pagemap_fd, struct err *e);
/* Reads a saved state and gives it to the machine, which never ran and whose RAM was mapped from the n_rams files that belong to it.
 * 0 or -errno with e: why it is refused. */
int saver_restore(struct saver *s, int state_fd, unsigned n_rams, struct err *e);

/* Takes fd as the file of the RAM; `difference`: to what this machine was restored from.  0 or -EINVAL. */
int saver_take_file(struct saver *s, int fd, bool difference);
/* Begins to write; on_written follows.  0 or -errno. */
int saver_write(struct saver *s);
/* 0 or -errno with e: then the machine runs on. */
int saver_save(struct saver *s, int state_fd, bool keep, struct save_report *ret, struct err *e);
/* The machine runs again: what a snapshot needed no longer costs anything. */
void saver_resumed(struct saver *s);
/* Paused afterwards.  -EINVAL: there is nothing to go back to, and it runs on; else the machine ends, for it is neither. */
int saver_rollback(struct saver *s, struct save_report *ret, struct err *e);

#endif
