/* arch.h - what differs between processors: x86_*.c; nothing else knows registers or features
 *
 * Order of calls (each step is 0 or -errno): arch_vm, memory, arch_irqchip, vcpus with arch_vcpu each.
 */
#ifndef VMM_ARCH_H
#define VMM_ARCH_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define ARCH_MAX_CPUID 256
#define ARCH_MAX_MSRS  512
#define ARCH_XSAVE     1024 /* words of struct kvm_xsave: no feature that needs more is asked for */

/* The saved form of a vcpu. */
struct arch_vcpu_state {
	struct {
		struct kvm_regs regs;
		struct kvm_sregs sregs;
		struct kvm_debugregs debug;
		struct kvm_vcpu_events events;
		struct kvm_mp_state mp;
		struct kvm_xcrs xcrs;
		struct kvm_lapic_state lapic;
		uint32_t xsave[ARCH_XSAVE];
		uint32_t tsc_khz, unused;
	} fixed;
	uint32_t n_cpuid, n_msrs;
	struct kvm_cpuid_entry2 cpuid[ARCH_MAX_CPUID];
	struct kvm_msr_entry msrs[ARCH_MAX_MSRS];
};

/* What all vcpus share. */
struct arch_vm_state {
	uint64_t clock_ns; /* of the paravirtual clock */
};

/* Which registers there are to save; KVM is asked once. */
struct arch_registers {
	uint32_t n, unused;
	uint32_t indices[ARCH_MAX_MSRS];
};

struct arch_features; /* what the processor and KVM offer to a guest */

/* Asks KVM once; lives as long as the machine.  NULL with errno. */
struct arch_features *arch_features_get(int kvm_fd);
/* What must be said before there is memory or a vcpu. */
int arch_vm(int kvm_fd, int vm_fd);
/* Local interrupt controllers in KVM, the I/O one in user space (vmm/ioapic.h). */
int arch_irqchip(int vm_fd);
/* Features and machine-specific registers of vcpu `index` of `n`. */
int arch_vcpu(const struct arch_features *f, int vcpu_fd, unsigned index, unsigned n);
/* --- saving and restoring (x86_state.c): each 0 or -errno with e; vcpus are out of the guest */

int arch_registers_get(int kvm_fd, struct arch_registers *ret, struct err *e);
int arch_vm_save(int vm_fd, struct arch_vm_state *ret, struct err *e);
/* What arch_vcpu says to vcpu `index` of `n` about its processor: n_cpuid and cpuid of *ret, which stay as they are. */
void arch_cpuid(const struct arch_features *f, unsigned index, unsigned n, struct arch_vcpu_state *ret);
/* All but these.  Forgets from *l what this vcpu does not have. */
int arch_vcpu_save(int vcpu_fd, struct arch_registers *l, struct arch_vcpu_state *ret, struct err *e);
/* Can a machine saved like that run here?  The reason says which feature of the processor is missing. */
int arch_fits(const struct arch_features *f, const struct arch_vcpu_state *s, struct err *e);
int arch_vm_restore(int vm_fd, const struct arch_vm_state *s, struct err *e);
/* `anew`: the vcpu has never run, and gets its CPUID, too. */
int arch_vcpu_restore(int vcpu_fd, const struct arch_vcpu_state *s, bool anew, struct err *e);

/* Where it is, for messages about a vcpu that cannot go on. */
void arch_describe(int vcpu_fd, char *ret, unsigned n);

#endif
