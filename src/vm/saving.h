/* saving.h - the memory of a running machine goes into the files of a snapshot: what MSG_SAVE asks, in requests of ketch-vmm
 *
 * The files are DIR/snapshots/ID/ram and state, DIR that of the instance (boot "dir"); the engine has made the directory, and
 * removes it where this fails.
 */
#ifndef VM_SAVING_H
#define VM_SAVING_H

#include "instance/boot.h"
#include "vm/control.h"
#include "wire/msg.h"

#define SAVING_ID_LEN 32

struct vm_saving {
	const struct boot *boot; /* borrowed, as is control */
	struct vm_control *control;
	bool paused; /* before, and so afterwards */
	unsigned waits; /* for so many answers */
	struct err why; /* the first that was an error */
	/* What became of the request, once for each: no 0: text is JSON. */
	void (*answer)(void *arg, int no, const char *text);
	void *arg;
};

/* A MSG_SAVE. */
void vm_saving_ask(struct vm_saving *s, const struct msg *m);
/* An answer of the VMM while s->waits. */
void vm_saving_answered(struct vm_saving *s, const char *error, const char *line);

#endif
