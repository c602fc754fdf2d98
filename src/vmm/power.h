/* power.h - how a machine ends or is told to: sleep and reset registers, keyboard controller, pvpanic, event device */
#ifndef VMM_POWER_H
#define VMM_POWER_H

#include <stdint.h>

/* How it ended: also the exit status of ketch-vmm. */
enum machine_end {
	END_NONE = -1,
	END_POWER_OFF = 0, /* by the guest, or "quit" */
	END_USAGE = 2, /* ketch-vmm was called wrongly, or could not make the machine */
	END_REBOOT = 10,
	END_PANIC = 11, /* the guest's kernel said so (pvpanic) */
	END_TRIPLE_FAULT = 12,
	END_ERROR = 13, /* KVM could not go on */
};

/* For people: "the guest powered off"; NULL for a number that is none of them. */
const char *machine_end_text(int end);

/* The saved form of the event device. */
struct power_state {
	uint32_t pending; /* GED_*, not read by the guest yet */
};

struct power {
	struct power_state s; /* atomic */
	int irq_fd; /* an eventfd, line GSI_GED */
};

int power_init(struct power *p);
void power_done(struct power *p);
/* Tells the guest of GED_POWER_BUTTON, GED_NEW_GENERATION. */
void power_event(struct power *p, uint32_t event);
/* An access of a vcpu to an I/O port of ours.  power_out: how the machine ends by that, or END_NONE. */
uint32_t power_in(struct power *p, uint16_t port);
enum machine_end power_out(uint16_t port, uint32_t v);

#endif
