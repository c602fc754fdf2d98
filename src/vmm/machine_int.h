/* machine_int.h - between the machine, its threads and its bus */
#ifndef VMM_MACHINE_INT_H
#define VMM_MACHINE_INT_H

#include "vmm/machine.h"

/* vcpu.c */
int vcpu_make(struct machine *m, struct vcpu *v, unsigned index, int run_bytes);
/* The body of its thread. */
void *vcpu_thread(void *vcpu);

/* bus.c: accesses of a vcpu.  Writing may end the machine. */
void bus_io(struct machine *m, uint16_t port, bool write, void *data, unsigned len);
void bus_mmio(struct machine *m, uint64_t gpa, bool write, void *data, unsigned len);

/* threads.c: called by each thread when it is sealed; returns when all are. */
void machine_thread_ready(struct machine *m);
/* Instead of an end, which asks the kernel for more than a sealed thread may: it goes with the process. */
_Noreturn void machine_thread_rest(struct machine *m);

#endif
