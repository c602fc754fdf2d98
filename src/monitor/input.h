/* input.h - stdin of the main process, whose owner changes: what is under way, and what has to wait
 *
 * Whoever leaves stdin may have left bytes under way.  They fill the window of the process, so that the input of the next
 * owner waits until they are consumed, and the credit for them is nobody's.  No I/O.
 */
#ifndef MONITOR_INPUT_H
#define MONITOR_INPUT_H

#include "wire/msg.h"

/* Start from { 0 }. */
struct input {
	uint32_t under_way; /* bytes of the owner that were not consumed yet */
	uint32_t debt; /* the same of former owners */
	struct buf held; /* frames of the owner: they wait until there is no debt */
};

/* STDIN or STDIN_EOF of the owner.  true: it goes on now. */
bool input_pass(struct input *in, const struct msg *m);
/* The owner has gone.  What it sent that was not passed on yet is lost, as what nobody has read from a terminal that hangs
 * up. */
void input_leave(struct input *in);
/* n bytes were consumed.  Returns for how many of them the owner gets credit; true in *ret_release: what was held goes on. */
uint32_t input_credit(struct input *in, uint32_t n, bool *ret_release);
void input_done(struct input *in);

#endif
