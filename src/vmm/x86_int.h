/* x86_int.h - between the files of x86-64 */
#ifndef VMM_X86_INT_H
#define VMM_X86_INT_H

#include "vmm/arch.h"

struct arch_features {
	bool tsc_deadline;
	struct kvm_cpuid2 head;
	struct kvm_cpuid_entry2 entries[ARCH_MAX_CPUID];
};

/* x86_state.c: what arch_cpuid has put into *s.  0 or -errno. */
int x86_set_cpuid(int vcpu_fd, const struct arch_vcpu_state *s);

#endif
