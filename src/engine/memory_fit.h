/* memory_fit.h - which hosts a saved state fits; ketch-vmm knows by itself (vmm/state.h), of QEMU it is noted beside it
 *
 * QEMU's machine microvm and its CPU are what a QEMU makes of them, and no version of them has a name: so its state
 * fits the program that wrote it.  The guest counts time by a counter that is the host's in software emulation
 * (vm/qemu_start.c), and with KVM runs as fast as the host's.  With KVM its CPU is the host's, as far as the host's kernel
 * passes it on, and QEMU's stream does not say what that was: so it fits that processor and that kernel.
 * Kernel, vcpus, RAM and devices are of the configuration in the snapshot.
 */
#ifndef ENGINE_MEMORY_FIT_H
#define ENGINE_MEMORY_FIT_H

#include "engine/snapshot.h"

#define MEMORY_FORMAT_VMM                                                                                    \
	"ketch-vmm/1" /* that of vmm/state.h and its RAM; another layout has another number */
#define MEMORY_FORMAT_CRIU                                                                                   \
	"criu/1" /* images of a container's processes (engine/processes.h); CRIU says what they fit */
#define MEMORY_FORMAT_QEMU     "qemu/2" /* QEMU's stream of a machine as vm/qemu.c makes it */
#define MEMORY_FORMAT_QEMU_KVM "qemu-kvm/1" /* the same of one that ran with KVM, whose CPUs are others */

/* Fills format, program, host, tsc_khz and ram_bytes of what is saved of this machine. */
int memory_fit_note(struct engine *en, const struct instance_spec *spec, struct snapshot_memory *m,
		    struct err *e);
/* It is QEMU's stream, with or without KVM: all of it is in one file, and `program` wrote it. */
bool memory_fit_is_qemu(const struct snapshot_memory *m);
/* -EPROTO with the reason where this Ketch or this host cannot restore it. */
int memory_fit_check(struct engine *en, const struct snapshot *s, struct err *e);

#endif
