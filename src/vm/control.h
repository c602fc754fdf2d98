/* control.h - asking the VMM to stop the machine and let it go on, whichever VMM it is
 *
 * ketch-vmm has lines of words (vmm/control.h), QEMU has QMP (docs/interop/qmp-spec.txt of QEMU): either answers each
 * request with one line, in order.  What it says is not believed beyond that: a line is bounded, and what is no answer
 * is passed over.
 */
#ifndef VM_CONTROL_H
#define VM_CONTROL_H

#include <stdbool.h>

#include "base/loop.h"

#define CONTROL_LINE 512 /* of a longer one the rest is passed over */

/* Start from { .watch.fd = -1 }. */
struct vm_control {
	struct watch watch; /* our end; -1: none */
	struct loop *loop;
	bool qmp;
	unsigned early; /* answers to what was said before the first request */
	char line[CONTROL_LINE];
	size_t n;
	/* The oldest request was done, or not: error is its words, made printable.  `line` has the whole answer. */
	void (*answered)(void *arg, const char *error);
	/* QEMU has written its memory, or it could not, or not whole. */
	void (*migrated)(void *arg, bool well);
	void *arg;
};

/* Speaks over fd (borrowed).  0 or -errno. */
int vm_control_open(struct vm_control *c, struct loop *l, int fd, bool qmp);
/* Takes it out of the loop. */
void vm_control_close(struct vm_control *c);
/* `answered` follows, from the loop.  0 or -errno. */
int vm_control_pause(struct vm_control *c, bool pause);
/* A request in the VMM's words, a whole line with its end, and a descriptor with it (-1: none), which stays the caller's.
 * `answered` follows.  0 or -errno. */
int vm_control_ask(struct vm_control *c, const char *line, int fd);
/* Bytes of the VMM, as they come; for the fuzz target, too. */
void vm_control_feed(struct vm_control *c, const char *bytes, size_t n);

#endif
