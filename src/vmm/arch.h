/* arch.h - what differs between processors: x86_*.c; nothing else knows registers or features
 *
 * Order of calls (each step is 0 or -errno): arch_vm, memory, arch_irqchip, vcpus with arch_vcpu each.
 */
#ifndef VMM_ARCH_H
#define VMM_ARCH_H

#include "base/err.h"

struct arch_features; /* what the processor and KVM offer to a guest */

/* Asks KVM once; owned.  NULL with errno. */
struct arch_features *arch_features_get(int kvm_fd);
struct arch_features *arch_features_free(struct arch_features *f);
/* What must be said before there is memory or a vcpu. */
int arch_vm(int kvm_fd, int vm_fd);
/* Local interrupt controllers in KVM, the I/O one in user space (vmm/ioapic.h). */
int arch_irqchip(int vm_fd);
/* Features and machine-specific registers of vcpu `index` of `n`. */
int arch_vcpu(const struct arch_features *f, int vcpu_fd, unsigned index, unsigned n);
/* Where it is, for messages about a vcpu that cannot go on. */
void arch_describe(int vcpu_fd, char *ret, unsigned n);

#endif
