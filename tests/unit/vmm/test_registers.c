/* test_registers.c - the first vcpu: what the protocols demand of it and, under KVM, what a guest finds */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../cm.h"
#include "base/auto.h"
#include "kernels.h"
#include "vmm/boot_int.h"
#include "vmm/layout.h"

#define RAM_BYTES     (4u << 20)
#define GUEST_PORT    0x80
#define CPUID_ENTRIES 256
#define PATIENCE      20 /* seconds for a guest of twenty instructions */

static const struct boot_entry pvh = { BOOT_PVH, 0x1000200, BOOT_START_INFO };
static const struct boot_entry linux64 = { BOOT_LINUX64, 0x1000200, BOOT_ZERO_PAGE };

static void assert_flat(const struct kvm_segment *s, int type)
{
	assert_int_equal(s->base, 0);
	assert_int_equal(s->limit, UINT32_MAX);
	assert_int_equal(s->type, type);
	assert_true(s->present && s->s && s->g && !s->dpl && !s->unusable);
}

static void plan(const struct boot_entry *entry, struct kvm_sregs *s, struct kvm_regs *r)
{
	*s = (struct kvm_sregs){ .apic_base = 0xfee00900, .cr2 = 1 };
	memset(r, 0xff, sizeof(*r));
	boot_plan_registers(entry, s, r);
	assert_int_equal(s->apic_base, 0xfee00900); /* not ours to change */
	assert_int_equal(r->rip, entry->rip);
	assert_int_equal(r->rflags, 2); /* no VM, TF, IF */
	assert_flat(&s->cs, 0xb);
	assert_flat(&s->ds, 3);
	assert_flat(&s->es, 3);
	assert_flat(&s->ss, 3);
}

static void pvh_is_32_bit_protected_mode_without_paging(void **state)
{
	struct kvm_sregs s;
	struct kvm_regs r;

	plan(&pvh, &s, &r);
	assert_int_equal(s.cr0 & ~0x10ull, 1); /* PE; ET is always set */
	assert_int_equal(s.cr4, 0);
	assert_int_equal(s.efer, 0);
	assert_true(s.cs.db && !s.cs.l && s.ds.db && s.ss.db);
	assert_int_equal(s.tr.type, 0xb);
	assert_int_equal(s.tr.base, 0);
	assert_int_equal(s.tr.limit, 0x67);
	assert_true(s.tr.present && !s.tr.s);
	assert_int_equal(r.rbx, BOOT_START_INFO);
}

static void linux64_is_long_mode_with_boot_cs_and_boot_ds(void **state)
{
	struct kvm_sregs s;
	struct kvm_regs r;

	plan(&linux64, &s, &r);
	assert_int_equal(s.cr0, 0x80000011);
	assert_int_equal(s.cr4, 0x20);
	assert_int_equal(s.efer, 0x500);
	assert_int_equal(s.cr3, BOOT_PAGE_TABLES);
	assert_true(s.cs.l && !s.cs.db);
	assert_int_equal(s.cs.selector, 0x10);
	assert_int_equal(s.ds.selector, 0x18);
	assert_int_equal(r.rsi, BOOT_ZERO_PAGE);
}

static uint64_t get64(const uint8_t *low, uint64_t gpa)
{
	uint64_t v;

	memcpy(&v, low + gpa, sizeof(v));
	return v;
}

static void the_descriptor_table_says_the_same_as_the_segments(void **state)
{
	autofree uint8_t *low = malloc(KERNEL_LOWEST);

	memset(low, 0xff, KERNEL_LOWEST);
	boot_write_tables(BOOT_PVH, low);
	assert_true(get64(low, BOOT_GDT) == 0);
	assert_true(get64(low, BOOT_GDT + 0x10) == UINT64_C(0x00cf9b000000ffff));
	assert_true(get64(low, BOOT_GDT + 0x18) == UINT64_C(0x00cf93000000ffff));
	assert_true(get64(low, BOOT_GDT + 0x20) == UINT64_C(0x00008b0000000067));
	assert_true(get64(low, BOOT_GDT + 0x28) == 0);
	boot_write_tables(BOOT_LINUX64, low);
	assert_true(get64(low, BOOT_GDT + 0x10) == UINT64_C(0x00af9b000000ffff));
}

/* Walks the tables as a processor does; UINT64_MAX: not mapped for reading and writing. */
static uint64_t walk(const uint8_t *low, uint64_t address)
{
	uint64_t table = BOOT_PAGE_TABLES;

	for (int shift = 39; shift >= 21; shift -= 9) {
		uint64_t entry = get64(low, table + (address >> shift & 511) * 8);

		if ((entry & 3) != 3)
			return UINT64_MAX;
		if (entry & 0x80)
			return (entry & ~UINT64_C(0x1fffff)) | (address & 0x1fffff);
		table = entry & ~UINT64_C(4095);
	}
	return UINT64_MAX;
}

static void the_page_tables_map_all_low_ram_to_itself(void **state)
{
	autofree uint8_t *low = malloc(KERNEL_LOWEST);
	uint64_t a;

	memset(low, 0xff, KERNEL_LOWEST);
	boot_write_tables(BOOT_LINUX64, low);
	for (a = 0x123; a < LOW_RAM_END; a += 0x200000)
		assert_true(walk(low, a) == a);
	assert_true(walk(low, a) == UINT64_MAX);
	assert_true(walk(low, a + (UINT64_C(1) << 39)) == UINT64_MAX);
}

/* --- under KVM */

struct vm {
	int kvm, vm, cpu;
	struct kvm_run *run;
	size_t run_bytes;
	struct ram ram;
};

static void give_cpuid(const struct vm *m)
{
	union {
		struct kvm_cpuid2 head;
		char room[sizeof(struct kvm_cpuid2) + CPUID_ENTRIES * sizeof(struct kvm_cpuid_entry2)];
	} c = { .head.nent = CPUID_ENTRIES };

	assert_int_equal(ioctl(m->kvm, KVM_GET_SUPPORTED_CPUID, &c), 0);
	assert_int_equal(ioctl(m->cpu, KVM_SET_CPUID2, &c), 0);
}

static void vm_init(struct vm *m)
{
	struct kvm_userspace_memory_region region = { .memory_size = RAM_BYTES };

	*m = (struct vm){ .kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC) };
	if (m->kvm < 0) {
		print_message("skipped: no /dev/kvm\n");
		skip();
	}
	m->ram = tiny_ram(RAM_BYTES, 1);
	region.userspace_addr = (uintptr_t)m->ram.slots[0].host;
	m->vm = ioctl(m->kvm, KVM_CREATE_VM, 0);
	assert_int_equal(ioctl(m->vm, KVM_SET_USER_MEMORY_REGION, &region), 0);
	m->cpu = ioctl(m->vm, KVM_CREATE_VCPU, 0);
	give_cpuid(m);
	m->run_bytes = (size_t)ioctl(m->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	m->run = mmap(NULL, m->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, m->cpu, 0);
	assert_true(m->run != MAP_FAILED);
}

static void vm_done(struct vm *m)
{
	munmap(m->run, m->run_bytes);
	close(m->cpu);
	close(m->vm);
	close(m->kvm);
	tiny_ram_done(&m->ram);
}

/* Boots this kernel and runs it until it halts; what it wrote to the port. */
static size_t run(struct vm *m, int kernel_fd, uint32_t *ret, size_t max)
{
	const struct boot_source s = { kernel_fd, -1, "cmdline", 0 };
	struct boot_entry entry;
	struct err e = { 0 };
	size_t n = 0;

	if (boot_load(&s, &m->ram, &entry, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(boot_set_registers(m->cpu, &entry, &m->ram), 0);
	alarm(PATIENCE);
	for (;;) {
		assert_int_equal(ioctl(m->cpu, KVM_RUN, 0), 0);
		if (m->run->exit_reason == KVM_EXIT_HLT)
			break;
		assert_int_equal(m->run->exit_reason, KVM_EXIT_IO);
		assert_int_equal(m->run->io.port, GUEST_PORT);
		assert_int_equal(m->run->io.size, 4);
		assert_true(n < max);
		memcpy(&ret[n++], (char *)m->run + m->run->io.data_offset, 4);
	}
	alarm(0);
	return n;
}

static void a_pvh_guest_finds_what_the_abi_promises(void **state)
{
	uint32_t said[16], cmdline;
	struct vm m;
	autoclose int kernel = open(*state, O_RDONLY | O_CLOEXEC);

	assert_true(kernel >= 0);
	memcpy(&cmdline, "cmdl", 4);
	vm_init(&m);
	assert_int_equal(run(&m, kernel, said, ARRAY_LEN(said)), 7);
	assert_int_equal(said[0], 0x336ec578);
	assert_int_equal(said[1], 1);
	assert_int_equal(said[2], cmdline);
	assert_int_equal(said[3] & ~0x10u, 1); /* CR0 */
	assert_int_equal(said[4], 0); /* CR4 */
	assert_int_equal(said[5], 0x20); /* the TSS */
	assert_int_equal(said[6], 0x600d); /* it came to its end, over a far return */
	vm_done(&m);
}

static void a_64_bit_guest_finds_its_boot_params(void **state)
{
	static const uint8_t code[] = {
		0x8b, 0x86,	  0x02, 0x02, 0x00, 0x00, /* mov 0x202(%rsi), %eax */
		0xe7, GUEST_PORT, /* out %eax, $GUEST_PORT */
		0x8c, 0xd8, /* mov %ds, %eax */
		0x8e, 0xd0, /* mov %eax, %ss: the descriptor table is there */
		0x50, /* push %rax */
		0x66, 0x8c,	  0xc8, /* mov %cs, %ax */
		0x48, 0xc1,	  0xe0, 0x04, /* shl $4, %rax: as it is only in 64-bit code */
		0xe7, GUEST_PORT, /* out %eax, $GUEST_PORT */
		0xf4, /* hlt */
	};
	union tiny_bzimage z = tiny_bzimage();
	uint32_t said[4];
	struct vm m;

	memcpy(z.bytes + TINY_SETUP + 0x200, code, sizeof(code));
	vm_init(&m);
	{
		autoclose int kernel = tiny_file(&z, sizeof(z));

		assert_int_equal(run(&m, kernel, said, ARRAY_LEN(said)), 2);
	}
	assert_int_equal(said[0], 0x53726448);
	assert_int_equal(said[1], 0x10 << 4);
	vm_done(&m);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pvh_is_32_bit_protected_mode_without_paging),
		cmocka_unit_test(linux64_is_long_mode_with_boot_cs_and_boot_ds),
		cmocka_unit_test(the_descriptor_table_says_the_same_as_the_segments),
		cmocka_unit_test(the_page_tables_map_all_low_ram_to_itself),
		cmocka_unit_test_prestate(a_pvh_guest_finds_what_the_abi_promises, argv[1]),
		cmocka_unit_test(a_64_bit_guest_finds_its_boot_params),
	};

	return argc == 2 ? cmocka_run_group_tests(tests, NULL, NULL) : 2;
}
