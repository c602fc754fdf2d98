/* machine_state.h - the parts of a machine are gathered into its saved form, and take it on */
#ifndef VMM_MACHINE_STATE_H
#define VMM_MACHINE_STATE_H

#include "vmm/machine.h"
#include "vmm/state.h"

/* Its vcpus are out of the guest, its devices held (vmm/track.h). */
int machine_state_get(struct machine *m, struct arch_registers *registers, struct machine_state *ret,
		      struct err *e);
/* The same, or `anew` for a machine whose vcpus have never run and that nobody serves yet.  A guest that had its saved form is told of a new
 * generation ID.  0 or -errno with e: the machine is none like the saved one, or the state is none that it can have; then
 * it cannot go on. */
int machine_state_apply(struct machine *m, const struct machine_state *s, bool anew, struct err *e);

#endif
