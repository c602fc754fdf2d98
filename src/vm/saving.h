/* saving.h - the memory of a running machine goes into the files of a snapshot: what MSG_SAVE asks, in requests of the VMM
 *
 * The files are DIR/snapshots/ID/ram (ketch-vmm alone) and state, DIR that of the instance (boot "dir"); the engine has made
 * the directory, and removes it where this fails.
 *
 * A disk is no matter of memory: the VMM is given the image of a new layer, which the engine has made, to write to.
 *
 * ketch-vmm writes RAM while its guest runs, and the state while it stands still.  QEMU writes both as one stream (its
 * migration), when the guest's agent says no more: its port stays open over a restore, so nothing may be under way in it
 * (MSG_SILENCE).  An agent that does not answer that is waited for SAVING_SILENCE_MS; then the request fails, and the guest goes
 * on when it can: its answer, if it still comes, means nothing any more.
 */
#ifndef VM_SAVING_H
#define VM_SAVING_H

#include "instance/boot.h"
#include "vm/control.h"
#include "wire/msg.h"

#define SAVING_ID_LEN	  32
#define SAVING_SILENCE_MS 30000 /* it finishes what it says, maybe in an emulated machine */

/* Start from { .state_fd = -1, .room_fd = -1, .patience.fd = -1 }. */
struct vm_saving {
	const struct boot *boot; /* borrowed, as is control */
	struct vm_control *control;
	bool paused; /* before, and so afterwards */
	unsigned pausing; /* requests to pause, or to go on after that, which are not answered */
	unsigned waits; /* for so many answers */
	struct err why; /* the first that was an error */
	int state_fd; /* QEMU: to be written when the agent is silent; else -1 */
	int room_fd; /* the file that the RAM is written to, for which there is more room than it may need; else -1 */
	unsigned overlay,
		overlays; /* QEMU: the node that its disk is written to, 0: as at the start; and how many were made */
	bool switching; /* this step is SAVE_DISK: a VMM that refuses goes on as before */
	bool refused; /* one of its requests was */
	bool last; /* when this step ends, the RAM is written */
	bool migrating; /* QEMU: its end is not heard yet */
	bool asks_why; /* QEMU: what failed */
	bool going_on; /* that is what the VMM is asked for */
	bool go_on_due; /* asked for meanwhile */
	unsigned tries;
	struct watch patience; /* QEMU: a timer, while the agent is to fall silent */
	int patience_ms; /* 0: SAVING_SILENCE_MS */
	/* QEMU: the agent shall say no more (vm_saving_silent follows), or go on.  0 or -errno. */
	int (*silence)(void *arg, bool silent);
	/* What became of the request, once for each: no 0: text is JSON. */
	void (*answer)(void *arg, int no, const char *text);
	void *arg;
};

/* Ends what is under way; nothing is answered. */
void vm_saving_close(struct vm_saving *s);
/* A MSG_SAVE. */
void vm_saving_ask(struct vm_saving *s, const struct msg *m);
/* Something asked for is under way: whoever wants the machine to stop or go on has to wait. */
bool vm_saving_is_busy(const struct vm_saving *s);
/* An answer of the VMM to a request to pause it, or to let it go on after that; false: none was asked for. */
bool vm_saving_paused(struct vm_saving *s, bool well, bool paused);
/* An answer of the VMM while s->waits. */
void vm_saving_answered(struct vm_saving *s, const char *error, const char *line);
void vm_saving_silent(struct vm_saving *s);
/* QEMU's stream has come to its end. */
void vm_saving_migrated(struct vm_saving *s, bool well);
/* Why the memory of such a machine cannot be saved, in e; 0: it can. */
int vm_saving_check(const struct instance_spec *spec, struct err *e);

#endif
