/* x86_state.c - a vcpu of x86-64 is saved and restored (KVM API; order of restoring as its registers depend on each other)
 *
 * Nothing here allocates: machines are saved by a sealed thread.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/auto.h"
#include "vmm/x86_int.h"

#define MSRS_AT_ONCE 128 /* KVM takes 256 */
#define EFER_SVME    (1u << 12)
#define CR4_VMXE     (1u << 13)

struct msrs {
	struct kvm_msrs head;
	struct kvm_msr_entry entries[MSRS_AT_ONCE];
};

int arch_registers_get(int kvm_fd, struct arch_registers *ret, struct err *e)
{
	struct {
		struct kvm_msr_list head;
		uint32_t indices[ARCH_MAX_MSRS];
	} l = { .head.nmsrs = ARCH_MAX_MSRS };

	if (ioctl(kvm_fd, KVM_GET_MSR_INDEX_LIST, &l.head) < 0)
		return err_sys(e, errno, "the list of registers to save");
	*ret = (struct arch_registers){ .n = l.head.nmsrs };
	memcpy(ret->indices, l.indices, l.head.nmsrs * sizeof(l.indices[0]));
	return 0;
}

/* --- the machine's clock */

int arch_vm_save(int vm_fd, struct arch_vm_state *ret, struct err *e)
{
	struct kvm_clock_data c;

	if (ioctl(vm_fd, KVM_GET_CLOCK, &c) < 0)
		return err_sys(e, errno, "KVM_GET_CLOCK");
	ret->clock_ns = c.clock;
	return 0;
}

int arch_vm_restore(int vm_fd, const struct arch_vm_state *s, struct err *e)
{
	struct kvm_clock_data c = { .clock = s->clock_ns };

	return ioctl(vm_fd, KVM_SET_CLOCK, &c) < 0 ? err_sys(e, errno, "KVM_SET_CLOCK") : 0;
}

/* --- model-specific registers */

static void forget(struct arch_registers *l, uint32_t i)
{
	l->n--;
	memmove(&l->indices[i], &l->indices[i + 1], (l->n - i) * sizeof(l->indices[0]));
}

static int save_msrs(int fd, struct arch_registers *l, struct arch_vcpu_state *ret, struct err *e)
{
	uint32_t at = 0;

	while (at < l->n) {
		uint32_t n = l->n - at < MSRS_AT_ONCE ? l->n - at : MSRS_AT_ONCE;
		struct msrs m = { .head.nmsrs = n };
		int got;

		for (uint32_t i = 0; i < n; i++)
			m.entries[i].index = l->indices[at + i];
		got = ioctl(fd, KVM_GET_MSRS, &m.head);
		if (got < 0)
			return err_sys(e, errno, "KVM_GET_MSRS");
		memcpy(&ret->msrs[at], m.entries, (uint32_t)got * sizeof(m.entries[0]));
		at += (uint32_t)got;
		if ((uint32_t)got < n)
			forget(l, at);
	}
	ret->n_msrs = at;
	return 0;
}

/* One that cannot be set does no harm where it has that value already. */
static bool has_msr(int fd, const struct kvm_msr_entry *want)
{
	struct msrs m = { .head.nmsrs = 1, .entries[0].index = want->index };

	return ioctl(fd, KVM_GET_MSRS, &m.head) == 1 && m.entries[0].data == want->data;
}

static int restore_msrs(int fd, const struct arch_vcpu_state *s, struct err *e)
{
	uint32_t at = 0;

	while (at < s->n_msrs) {
		uint32_t n = s->n_msrs - at < MSRS_AT_ONCE ? s->n_msrs - at : MSRS_AT_ONCE;
		struct msrs m = { .head.nmsrs = n };
		int done;

		memcpy(m.entries, &s->msrs[at], n * sizeof(m.entries[0]));
		done = ioctl(fd, KVM_SET_MSRS, &m.head);
		if (done < 0)
			return err_sys(e, errno, "KVM_SET_MSRS");
		at += (uint32_t)done;
		if ((uint32_t)done == n)
			continue;
		if (!has_msr(fd, &s->msrs[at]))
			return err_set(e, EINVAL, "this processor does not take the saved value of MSR 0x%x",
				       s->msrs[at].index);
		at++;
	}
	return 0;
}

/* --- a vcpu */

/* What is read and written by one call each, in the order of restoring: local APIC before its deadline timer (an MSR). */
#define FIELD(get, set, member)                                                                              \
	{                                                                                                    \
		get, set, #get, offsetof(struct arch_vcpu_state, fixed.member)                               \
	}
static const struct {
	unsigned long get, set;
	const char *name;
	size_t offset;
} fields[] = {
	FIELD(KVM_GET_MP_STATE, KVM_SET_MP_STATE, mp), FIELD(KVM_GET_REGS, KVM_SET_REGS, regs),
	FIELD(KVM_GET_SREGS, KVM_SET_SREGS, sregs),    FIELD(KVM_GET_XSAVE, KVM_SET_XSAVE, xsave),
	FIELD(KVM_GET_XCRS, KVM_SET_XCRS, xcrs),       FIELD(KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS, debug),
	FIELD(KVM_GET_LAPIC, KVM_SET_LAPIC, lapic),
};

int x86_set_cpuid(int fd, const struct arch_vcpu_state *s)
{
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[ARCH_MAX_CPUID];
	} c = { .head.nent = s->n_cpuid };

	memcpy(c.entries, s->cpuid, s->n_cpuid * sizeof(c.entries[0]));
	return ioctl(fd, KVM_SET_CPUID2, &c.head) < 0 ? -errno : 0;
}

int arch_vcpu_save(int fd, struct arch_registers *l, struct arch_vcpu_state *ret, struct err *e)
{
	int khz;

	memset(&ret->fixed, 0, sizeof(ret->fixed));
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (ioctl(fd, fields[i].get, (uint8_t *)ret + fields[i].offset) < 0)
			return err_sys(e, errno, "%s", fields[i].name);
	if (ioctl(fd, KVM_GET_VCPU_EVENTS, &ret->fixed.events) < 0)
		return err_sys(e, errno, "KVM_GET_VCPU_EVENTS");
	if ((ret->fixed.sregs.efer & EFER_SVME) || (ret->fixed.sregs.cr4 & CR4_VMXE))
		return err_set(e, EBUSY, "the guest runs virtual machines of its own, which cannot be saved");
	khz = ioctl(fd, KVM_GET_TSC_KHZ, 0);
	ret->fixed.tsc_khz = khz < 0 ? 0 : (uint32_t)khz;
	return save_msrs(fd, l, ret, e);
}

static int restore_tsc_rate(int fd, uint32_t khz, struct err *e)
{
	int now = ioctl(fd, KVM_GET_TSC_KHZ, 0);

	if (!khz || now < 0 || (uint32_t)now == khz || ioctl(fd, KVM_SET_TSC_KHZ, khz) == 0)
		return 0;
	return err_set(e, ENOTSUP, "its time stamp counter ran at %u kHz, this processor's runs at %d kHz",
		       khz, now);
}

int arch_vcpu_restore(int fd, const struct arch_vcpu_state *s, bool anew, struct err *e)
{
	int r = anew ? x86_set_cpuid(fd, s) : 0;

	if (r < 0)
		return err_sys(e, -r, "KVM_SET_CPUID2");
	if (anew)
		r = restore_tsc_rate(fd, s->fixed.tsc_khz, e);
	for (size_t i = 0; i < ARRAY_LEN(fields) && r == 0; i++)
		if (ioctl(fd, fields[i].set, (const uint8_t *)s + fields[i].offset) < 0)
			r = err_sys(e, errno, "%s", fields[i].name);
	if (r == 0)
		r = restore_msrs(fd, s, e);
	if (r == 0 && ioctl(fd, KVM_SET_VCPU_EVENTS, &s->fixed.events) < 0)
		r = err_sys(e, errno, "KVM_SET_VCPU_EVENTS");
	return r;
}

/* --- does it fit? */

enum { EAX = 1, EBX = 2, ECX = 4, EDX = 8 };

/* Registers of CPUID whose bits are features. */
static const struct {
	uint32_t function, index, registers;
} features[] = {
	{ 0x1, 0, ECX | EDX },	{ 0x7, 0, EBX | ECX | EDX },  { 0x7, 1, EAX | EDX },  { 0xd, 0, EAX | EDX },
	{ 0xd, 1, EAX },	{ 0x80000001, 0, ECX | EDX }, { 0x80000007, 0, EDX }, { 0x80000008, 0, EBX },
	{ 0x8000000a, 0, EDX }, { 0x80000021, 0, EAX },	      { 0x40000001, 0, EAX },
};

#define ECX_OURS                                                                                             \
	(1u << 31 | 1u << 24 | 1u << 27) /* of leaf 1: hypervisor, TSC deadline (we set them), OSXSAVE */

static const struct kvm_cpuid_entry2 *find(const struct kvm_cpuid_entry2 *v, uint32_t n, uint32_t function,
					   uint32_t index)
{
	for (uint32_t i = 0; i < n; i++)
		if (v[i].function == function && v[i].index == index)
			return &v[i];
	return NULL;
}

static uint32_t missing(const struct kvm_cpuid_entry2 *want, const struct kvm_cpuid_entry2 *have,
			uint32_t which)
{
	static const struct kvm_cpuid_entry2 nothing;

	have = have ? have : &nothing;
	switch (which) {
	case EAX:
		return want->eax & ~have->eax;
	case EBX:
		return want->ebx & ~have->ebx;
	case ECX:
		return want->ecx & ~have->ecx & ~(want->function == 1 ? ECX_OURS : 0);
	default:
		return want->edx & ~have->edx & ~(want->function == 1 ? 1u << 28 : 0); /* several threads */
	}
}

static int check_leaf(const struct arch_features *f, const struct arch_vcpu_state *s, size_t i, struct err *e)
{
	static const char *const names[] = { [EAX] = "eax", [EBX] = "ebx", [ECX] = "ecx", [EDX] = "edx" };
	const struct kvm_cpuid_entry2 *want =
		find(s->cpuid, s->n_cpuid, features[i].function, features[i].index);

	for (uint32_t reg = EAX; want && reg <= EDX; reg <<= 1) {
		uint32_t bits =
			features[i].registers & reg
				? missing(want, find(f->entries, f->head.nent, want->function, want->index),
					  reg)
				: 0;

		if (bits)
			return err_set(e, ENOTSUP,
				       "it was saved on a processor with features that this one lacks "
				       "(CPUID 0x%x.%u %s 0x%x)",
				       want->function, want->index, names[reg], bits);
	}
	return 0;
}

int arch_fits(const struct arch_features *f, const struct arch_vcpu_state *s, struct err *e)
{
	const struct kvm_cpuid_entry2 *want = find(s->cpuid, s->n_cpuid, 0, 0),
				      *have = find(f->entries, f->head.nent, 0, 0);
	int r = 0;

	if (!want || !have || want->ebx != have->ebx || want->ecx != have->ecx || want->edx != have->edx)
		return err_set(e, ENOTSUP, "it was saved on a processor of another vendor");
	for (size_t i = 0; i < ARRAY_LEN(features) && r == 0; i++)
		r = check_leaf(f, s, i, e);
	return r;
}
