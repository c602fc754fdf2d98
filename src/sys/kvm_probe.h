/* kvm_probe.h - does a guest really run under /dev/kvm? found out by running one
 *
 * That the device is there says little: a software KVM (a nested one without hardware virtualization, such as PVM)
 * opens, makes machines and runs small code, but cannot do instructions that every stock kernel uses, or does two
 * million of them a second.
 */
#ifndef SYS_KVM_PROBE_H
#define SYS_KVM_PROBE_H

#include <stdbool.h>

struct kvm_verdict {
	bool usable;
	bool late; /* no answer in time: it hangs, or the machine was busy; another try may tell */
	double mips; /* million guest instructions per second of CPU time; 0: the guest did not come so far */
	char reason[200]; /* why not, one sentence; "" when usable */
};

/* Opens /dev/kvm: a descriptor or -errno; reason (of a verdict) then says so in words. */
int kvm_open(char *reason, unsigned n);
/* Runs the guest in a child process: some milliseconds, 0.3 s when it is slow; `late` 0.8 s after the last that was heard
 * of it: a KVM that hangs is found out in less than a second.  0 or -errno (no child). */
int kvm_probe(int kvm_fd, struct kvm_verdict *ret);

#endif
