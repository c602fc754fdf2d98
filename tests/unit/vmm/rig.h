/* rig.h - a machine without KVM: its registers, without vcpus */
#ifndef TESTS_UNIT_VMM_RIG_H
#define TESTS_UNIT_VMM_RIG_H

#include "vmm/machine_int.h"

/* m is zero before. */
void machine_rig_init(struct machine *m, int serial_fd);
void machine_rig_done(struct machine *m);

#endif
