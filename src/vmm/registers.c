/* registers.c - the first vcpu as its kernel wants to find it
 *
 * PVH (xen/docs/misc/pvh.pandoc): flat 32-bit segments, a TSS, paging off, %ebx names the start info.
 * 64-bit (boot.rst): long mode, flat segments __BOOT_CS and __BOOT_DS, an identity map, %rsi names the
 * boot_params.  Interrupts are off in both.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vmm/boot_int.h"
#include "vmm/layout.h"

/* Selectors of the descriptor table; those of code and data are boot.rst's. */
enum { SEL_CODE = 0x10, SEL_DATA = 0x18, SEL_TSS = 0x20, GDT_ENTRIES = 6 /* a long mode TSS takes two */ };

#define CR0_PE	   (1u << 0)
#define CR0_ET	   (1u << 4) /* cannot be cleared */
#define CR0_PG	   (1u << 31)
#define CR4_PAE	   (1u << 5)
#define EFER_LME   (1u << 8)
#define EFER_LMA   (1u << 10)
#define RFLAGS_ONE 2u /* cannot be cleared */

#define TYPE_CODE 0xb /* execute, read, accessed */
#define TYPE_DATA 0x3 /* read, write, accessed */
#define TYPE_TSS  0xb /* busy */
#define TSS_LIMIT 0x67

#define TABLE_ENTRIES 512
#define PTE_PRESENT   1u
#define PTE_WRITE     2u
#define PTE_HUGE      (1u << 7)
#define HUGE_PAGE     (UINT64_C(2) << 20)
#define MAPPED_GIB    3 /* the low RAM: all that is there before the kernel has tables of its own */

_Static_assert(LOW_RAM_END <= MAPPED_GIB * (UINT64_C(1) << 30), "layout.h");
_Static_assert(BOOT_PAGE_TABLES + (2 + MAPPED_GIB) * 4096 <= BOOT_CMDLINE, "layout.h");
_Static_assert(BOOT_GDT + GDT_ENTRIES * 8 <= BOOT_START_INFO, "layout.h");

static struct kvm_segment segment_code(enum boot_protocol p)
{
	return (struct kvm_segment){ .selector = SEL_CODE,
				     .limit = UINT32_MAX,
				     .type = TYPE_CODE,
				     .present = 1,
				     .s = 1,
				     .g = 1,
				     .db = p == BOOT_PVH,
				     .l = p == BOOT_LINUX64 };
}

static struct kvm_segment segment_data(void)
{
	return (struct kvm_segment){ .selector = SEL_DATA,
				     .limit = UINT32_MAX,
				     .type = TYPE_DATA,
				     .present = 1,
				     .s = 1,
				     .g = 1,
				     .db = 1 };
}

static struct kvm_segment segment_tss(void)
{
	return (struct kvm_segment){
		.selector = SEL_TSS, .limit = TSS_LIMIT, .type = TYPE_TSS, .present = 1
	};
}

/* The same as 8 bytes of a descriptor table (Intel SDM vol. 3, 3.4.5); all bases are 0. */
static uint64_t descriptor(struct kvm_segment s)
{
	uint64_t limit = s.g ? s.limit >> 12 : s.limit;
	uint64_t flags = s.type | s.s << 4 | s.dpl << 5 | s.present << 7 | s.avl << 12 | s.l << 13 |
			 s.db << 14 | s.g << 15;

	return (limit & 0xffff) | flags << 40 | (limit >> 16) << 48;
}

void boot_plan_registers(const struct boot_entry *entry, struct kvm_sregs *s, struct kvm_regs *r)
{
	s->cs = segment_code(entry->protocol);
	s->ds = s->es = s->fs = s->gs = s->ss = segment_data();
	s->tr = segment_tss();
	s->gdt = (struct kvm_dtable){ .base = BOOT_GDT, .limit = GDT_ENTRIES * 8 - 1 };
	s->idt = (struct kvm_dtable){ 0 };
	s->cr0 = CR0_PE | CR0_ET;
	s->cr3 = s->cr4 = s->efer = 0;
	*r = (struct kvm_regs){ .rip = entry->rip, .rflags = RFLAGS_ONE, .rsp = BOOT_STACK };
	if (entry->protocol == BOOT_PVH) {
		r->rbx = entry->info_gpa;
		return;
	}
	s->cr0 |= CR0_PG;
	s->cr3 = BOOT_PAGE_TABLES;
	s->cr4 = CR4_PAE;
	s->efer = EFER_LME | EFER_LMA;
	r->rsi = entry->info_gpa;
}

/* PML4, PDPT, then a directory of 2 MiB pages for each GiB. */
static void write_page_tables(uint8_t *low)
{
	uint64_t(*table)[TABLE_ENTRIES] = (uint64_t(*)[TABLE_ENTRIES])(low + BOOT_PAGE_TABLES);

	memset(table, 0, sizeof(*table) * 2);
	table[0][0] = (BOOT_PAGE_TABLES + sizeof(*table)) | PTE_PRESENT | PTE_WRITE;
	for (unsigned i = 0; i < MAPPED_GIB; i++)
		table[1][i] = (BOOT_PAGE_TABLES + (2 + i) * sizeof(*table)) | PTE_PRESENT | PTE_WRITE;
	for (unsigned i = 0; i < MAPPED_GIB * TABLE_ENTRIES; i++)
		table[2 + i / TABLE_ENTRIES][i % TABLE_ENTRIES] =
			i * HUGE_PAGE | PTE_PRESENT | PTE_WRITE | PTE_HUGE;
}

void boot_write_tables(enum boot_protocol protocol, uint8_t *low)
{
	uint64_t *gdt = (uint64_t *)(low + BOOT_GDT);

	memset(gdt, 0, GDT_ENTRIES * sizeof(*gdt));
	gdt[SEL_CODE / 8] = descriptor(segment_code(protocol));
	gdt[SEL_DATA / 8] = descriptor(segment_data());
	gdt[SEL_TSS / 8] = descriptor(segment_tss());
	if (protocol == BOOT_LINUX64)
		write_page_tables(low);
}

int boot_set_registers(int vcpu_fd, const struct boot_entry *entry, const struct ram *ram)
{
	uint8_t *low = ram_at(ram, 0, KERNEL_LOWEST);
	struct kvm_sregs s;
	struct kvm_regs r;

	if (!low)
		return -ENOSPC;
	if (ioctl(vcpu_fd, KVM_GET_SREGS, &s) < 0)
		return -errno;
	boot_plan_registers(entry, &s, &r);
	boot_write_tables(entry->protocol, low);
	return ioctl(vcpu_fd, KVM_SET_SREGS, &s) < 0 || ioctl(vcpu_fd, KVM_SET_REGS, &r) < 0 ? -errno : 0;
}
