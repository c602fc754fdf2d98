/* control.h - how the owner of a machine speaks to it: one connected unix stream socket, a line a request
 *
 *	state			{"state":"running"} or "paused"
 *	pause, resume		{"ok":true} when all vcpus are out, or in
 *	quit			ends the machine at once, as if it had powered off; no answer
 *	power-button		the guest is asked to power off; {"ok":true}
 *	balloon BYTES		how much RAM the guest shall give back; {"ok":true}
 *	stats			exits of each vcpu by reason, counters of each device, memory of the balloon
 *	serial			{"serial":"..."}: the last 16 KiB of the serial port
 *	ram whole|difference	a descriptor comes with the line: the file of a snapshot's RAM (vmm/saver.h)
 *	write			writes the RAM to it while the guest runs; answered when what is left is little:
 *				{"ok":true,"pages":N}; until then nothing else is done
 *	save, checkpoint	a descriptor comes with the line: the file of the state.  All stands still, and is written;
 *				{"ok":true,"pages":N,"us":N}; paused until resume.  checkpoint: rollback goes back there
 *	rollback		{"ok":true,"pages":N,"us":N}; paused until resume.  A machine that was restored goes back to that without
 *				a checkpoint, and its disks do, too (vmm/saver.h)
 *	disk SERIAL		a descriptor comes with the line: an empty image (storage/qcow2.h), which this disk is written to from
 *				now on; {"ok":true} when all that was written is in the files before.  STACK_SPARES times
 *	port PORT		a descriptor comes with the line: the guest's next connection to this port of the host
 *	vsock PORT		a descriptor comes with the line (SCM_RIGHTS): it is connected to this port of the guest
 *
 * Answers are one line of JSON; {"error":"..."} for what cannot be done.  When the owner hangs up, the machine ends.
 */
#ifndef VMM_CONTROL_H
#define VMM_CONTROL_H

#include "vmm/devices.h"
#include "vmm/machine.h"
#include "vmm/saver.h"

#define CONTROL_MAX_LINE   256
#define CONTROL_MAX_ANSWER (128 << 10) /* the serial log, each byte escaped */

struct control {
	struct machine *machine;
	struct devices *devices;
	struct saver *saver;
	struct watch watch;
	char line[CONTROL_MAX_LINE];
	size_t n; /* bytes in line */
	int passed_fd; /* came with the line; -1: none */
	char answer[CONTROL_MAX_ANSWER];
	size_t n_answer;
};

/* Serves fd (borrowed) on the machine's loop.  0 or -errno. */
int control_init(struct control *c, struct machine *m, struct devices *d, struct saver *s, int fd);
/* The parser, for its fuzz target: takes n bytes as they come; the answers are in c->answer, not sent, where fd is -1. */
void control_feed(struct control *c, const char *bytes, size_t n);

#endif
