/* x86_cpu.c - a vcpu of x86-64: CPUID, model-specific registers, interrupt controllers (Intel SDM; AMD APM; KVM API) */
#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/auto.h"
#include "vmm/arch.h"
#include "vmm/layout.h"
#include "vmm/x86_int.h"

#define TSS_BASE      0xfffbd000u /* three pages that Intel's KVM wants for itself, in the hole below 4 GiB */
#define IDENTITY_BASE UINT64_C(0xfffbc000)

#define MSR_MISC_ENABLE	 0x1a0
#define MISC_FAST_STRING 1
#define MSR_MTRR_DEFAULT 0x2ff
#define MTRR_ENABLED_WB	 (1 << 11 | 6) /* without firmware nobody else says that RAM may be cached */

struct arch_features *arch_features_get(int kvm_fd)
{
	struct arch_features *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->head.nent = ARCH_MAX_CPUID;
	if (ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, &f->head) < 0) {
		free(f);
		return NULL;
	}
	f->tsc_deadline = ioctl(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0;
	return f;
}

/* --- the machine */

/* A guest without performance counters boots faster and has less to attack. */
static void disable_counters(int kvm_fd, int vm_fd)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_PMU_CAPABILITY, .args = { KVM_PMU_CAP_DISABLE } };

	if (ioctl(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_PMU_CAPABILITY) & KVM_PMU_CAP_DISABLE)
		ioctl(vm_fd, KVM_ENABLE_CAP, &cap);
}

int arch_vm(int kvm_fd, int vm_fd)
{
	uint64_t identity = IDENTITY_BASE;

	disable_counters(kvm_fd, vm_fd);
	if (ioctl(vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &identity) < 0 ||
	    ioctl(vm_fd, KVM_SET_TSS_ADDR, TSS_BASE) < 0)
		return -errno;
	return 0;
}

int arch_irqchip(int vm_fd)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { GSI_N } };

	return ioctl(vm_fd, KVM_ENABLE_CAP, &cap) < 0 ? -errno : 0;
}

/* --- CPUID: one socket, `n` cores of one thread */

static unsigned bits_for(unsigned n)
{
	unsigned bits = 0;

	while (1u << bits < n)
		bits++;
	return bits;
}

static void put_bits(uint32_t *to, unsigned at, unsigned width, uint32_t v)
{
	uint32_t mask = ((1u << width) - 1) << at;

	*to = (*to & ~mask) | (v << at & mask);
}

static void fix_features(const struct arch_features *f, struct kvm_cpuid_entry2 *e, unsigned index,
			 unsigned n)
{
	put_bits(&e->ebx, 24, 8, index);
	put_bits(&e->ebx, 16, 8, n);
	put_bits(&e->edx, 28, 1, n > 1);
	put_bits(&e->ecx, 24, 1, f->tsc_deadline);
	put_bits(&e->ecx, 31, 1, 1); /* a hypervisor is here */
}

/* Leaf 4 and AMD's 0x8000001d: the last level is shared by all, the others by none. */
static void fix_cache(struct kvm_cpuid_entry2 *e, unsigned n)
{
	unsigned level = e->eax >> 5 & 7;

	put_bits(&e->eax, 14, 12, level >= 3 ? n - 1 : 0);
	if (e->function == 4)
		put_bits(&e->eax, 26, 6, (1u << bits_for(n)) - 1);
}

/* Leaves 0xb and 0x1f, extended topology: level 0 threads, 1 cores. */
static void fix_topology(struct kvm_cpuid_entry2 *e, unsigned index, unsigned n)
{
	static const uint32_t thread = 1 << 8, core = 2 << 8;

	e->edx = index;
	e->eax = e->index == 1 ? bits_for(n) : 0;
	e->ebx = e->index == 0 ? 1 : e->index == 1 ? n : 0;
	e->ecx = e->index | (e->index == 0 ? thread : e->index == 1 ? core : 0);
}

static void fix_entry(const struct arch_features *f, struct kvm_cpuid_entry2 *e, unsigned index, unsigned n)
{
	switch (e->function) {
	case 0x1:
		fix_features(f, e, index, n);
		break;
	case 0x4:
	case 0x8000001d:
		fix_cache(e, n);
		break;
	case 0xa: /* performance counters */
		e->eax = e->ebx = e->ecx = e->edx = 0;
		break;
	case 0xb:
	case 0x1f:
		fix_topology(e, index, n);
		break;
	case 0x80000008: /* AMD: cores, and bits of the APIC ID that number them */
		e->ecx = (n - 1) | bits_for(n) << 12;
		break;
	case 0x8000001e: /* AMD: APIC ID, core ID with one thread each, node 0 */
		e->eax = e->ebx = index;
		e->ecx = 0;
		break;
	default:
		break;
	}
}

void arch_cpuid(const struct arch_features *f, unsigned index, unsigned n, struct arch_vcpu_state *ret)
{
	ret->n_cpuid = f->head.nent;
	memcpy(ret->cpuid, f->entries, f->head.nent * sizeof(ret->cpuid[0]));
	for (unsigned i = 0; i < ret->n_cpuid; i++)
		fix_entry(f, &ret->cpuid[i], index, n);
}

static int set_msrs(int vcpu_fd)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entries[2];
	} m = { .head.nmsrs = 2,
		.entries = { { .index = MSR_MTRR_DEFAULT, .data = MTRR_ENABLED_WB },
			     { .index = MSR_MISC_ENABLE, .data = MISC_FAST_STRING } } };

	/* the second is Intel's: another processor's KVM may not know it */
	return ioctl(vcpu_fd, KVM_SET_MSRS, &m.head) < 1 ? -errno : 0;
}

int arch_vcpu(const struct arch_features *f, int vcpu_fd, unsigned index, unsigned n)
{
	struct arch_vcpu_state s;
	int r;

	arch_cpuid(f, index, n, &s);
	r = x86_set_cpuid(vcpu_fd, &s);
	return r < 0 ? r : set_msrs(vcpu_fd);
}

void arch_describe(int vcpu_fd, char *ret, unsigned n)
{
	struct kvm_regs regs = { 0 };
	struct kvm_sregs s = { 0 };

	if (ioctl(vcpu_fd, KVM_GET_REGS, &regs) < 0 || ioctl(vcpu_fd, KVM_GET_SREGS, &s) < 0)
		snprintf(ret, n, "registers unknown");
	else
		snprintf(ret, n, "rip 0x%llx, cr0 0x%llx, cr2 0x%llx, cr3 0x%llx", regs.rip, s.cr0, s.cr2,
			 s.cr3);
}
