/* control.h - how the owner of a machine speaks to it: one connected unix stream socket, a line a request
 *
 *	state			{"state":"running"} or "paused"
 *	pause, resume		{"ok":true} when all vcpus are out, or in
 *	quit			ends the machine at once, as if it had powered off; no answer
 *	power-button		the guest is asked to power off; {"ok":true}
 *	balloon BYTES		how much RAM the guest shall give back; {"ok":true}
 *	stats			exits of each vcpu by reason, counters of each device, memory of the balloon
 *	serial			{"serial":"..."}: the last 16 KiB of the serial port
 *	vsock PORT		a descriptor comes with the line (SCM_RIGHTS): it is connected to this port of the guest
 *
 * Answers are one line of JSON; {"error":"..."} for what cannot be done.  When the owner hangs up, the machine ends.
 */
#ifndef VMM_CONTROL_H
#define VMM_CONTROL_H

#include "vmm/devices.h"
#include "vmm/machine.h"

#define CONTROL_MAX_LINE   256
#define CONTROL_MAX_ANSWER (128 << 10) /* the serial log, each byte escaped */

struct control {
	struct machine *machine;
	struct devices *devices;
	struct watch watch;
	char line[CONTROL_MAX_LINE];
	size_t n; /* bytes in line */
	int passed_fd; /* came with the line; -1: none */
	char answer[CONTROL_MAX_ANSWER];
	size_t n_answer;
};

/* Serves fd (borrowed) on the machine's loop.  0 or -errno. */
int control_init(struct control *c, struct machine *m, struct devices *d, int fd);
/* The parser, for its fuzz target: takes n bytes as they come; the answers are in c->answer, not sent, where fd is -1. */
void control_feed(struct control *c, const char *bytes, size_t n);

#endif
