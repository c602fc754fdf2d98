/* test_boot.c - kernels into RAM: where all goes, what the kernel is told, and every crooked number refused */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../cm.h"
#include "base/auto.h"
#include "kernels.h"
#include "vmm/boot.h"
#include "vmm/layout.h"
#include "vmm/memmap.h"
#include "vmm/pvh.h"

#define RAM_BYTES (4u << 20)
#define RSDP	  0xe0000

/* What boot_load makes of these files. */
static int load(const void *kernel, size_t n, const void *initramfs, size_t initramfs_n, const char *cmdline,
		const struct ram *ram, struct boot_entry *ret)
{
	autoclose int k = tiny_file(kernel, n), i = initramfs ? tiny_file(initramfs, initramfs_n) : -1;
	const struct boot_source s = { k, i, cmdline, RSDP };
	struct err e = { 0 };
	int r = boot_load(&s, ram, ret, &e);

	assert_true(r == 0 || (r == -e.no && *e.msg));
	return r;
}

/* The same in RAM of its own, without an initramfs. */
static int load_only(const void *kernel, size_t n)
{
	struct ram ram = tiny_ram(RAM_BYTES, 0);
	struct boot_entry entry;
	int r = load(kernel, n, NULL, 0, "", &ram, &entry);

	tiny_ram_done(&ram);
	return r;
}

static void an_elf_kernel_lies_where_its_segments_say_and_is_told_all(void **state)
{
	struct tiny_elf elf = tiny_elf();

	for (int with_fd = 0; with_fd < 2; with_fd++) {
		struct ram ram = tiny_ram(RAM_BYTES, with_fd);
		uint8_t *host = ram.slots[0].host;
		struct hvm_memmap_table_entry *map;
		struct hvm_modlist_entry *module;
		struct hvm_start_info *info;
		struct boot_entry entry;

		assert_int_equal(load(&elf, sizeof(elf), "initramfs", 9, "quiet x=y", &ram, &entry), 0);
		assert_int_equal(entry.protocol, BOOT_PVH);
		assert_int_equal(entry.rip, TINY_GPA + 4);
		assert_memory_equal(host + TINY_GPA, elf.code, sizeof(elf.code));
		info = (struct hvm_start_info *)(host + entry.info_gpa);
		assert_int_equal(info->magic, 0x336ec578);
		assert_int_equal(info->version, 1);
		assert_int_equal(info->flags, 0);
		assert_int_equal(info->rsdp_paddr, RSDP);
		assert_string_equal(host + info->cmdline_paddr, "quiet x=y");
		assert_int_equal(info->nr_modules, 1);
		module = (struct hvm_modlist_entry *)(host + info->modlist_paddr);
		assert_int_equal(module->paddr, RAM_BYTES - 4096);
		assert_int_equal(module->size, 9);
		assert_memory_equal(host + module->paddr, "initramfs", 10);
		assert_int_equal(info->memmap_entries, 3);
		map = (struct hvm_memmap_table_entry *)(host + info->memmap_paddr);
		assert_int_equal(map[2].addr, 1 << 20);
		assert_int_equal(map[2].size, RAM_BYTES - (1 << 20));
		assert_int_equal(map[2].type, 1);
		tiny_ram_done(&ram);
	}
}

static void without_an_initramfs_there_is_no_module(void **state)
{
	struct ram ram = tiny_ram(RAM_BYTES, 0);
	struct tiny_elf elf = tiny_elf();
	const struct hvm_start_info *info;
	struct boot_entry entry;

	assert_int_equal(load(&elf, sizeof(elf), NULL, 0, "", &ram, &entry), 0);
	info = (const struct hvm_start_info *)(ram.slots[0].host + entry.info_gpa);
	assert_int_equal(info->nr_modules, 0);
	assert_int_equal(info->modlist_paddr, 0);
	tiny_ram_done(&ram);
}

static void a_bzimage_lies_where_it_prefers_and_is_told_all(void **state)
{
	union tiny_bzimage z = tiny_bzimage();

	for (int with_fd = 0; with_fd < 2; with_fd++) {
		struct ram ram = tiny_ram(RAM_BYTES, with_fd);
		uint8_t *host = ram.slots[0].host;
		const struct boot_params *p;
		struct boot_entry entry;

		memset(host + BOOT_ZERO_PAGE, 0xff, 4096);
		assert_int_equal(load(&z, sizeof(z), "initramfs", 9, "quiet", &ram, &entry), 0);
		assert_int_equal(entry.protocol, BOOT_LINUX64);
		assert_int_equal(entry.rip, TINY_GPA + 0x200);
		assert_memory_equal(host + TINY_GPA, z.bytes + TINY_SETUP, TINY_CODE);
		p = (const struct boot_params *)(host + entry.info_gpa);
		assert_int_equal(p->hdr.header, 0x53726448);
		assert_int_equal(p->hdr.type_of_loader, 0xff);
		assert_int_equal(p->hdr.vid_mode, 0xffff);
		assert_int_equal(p->hdr.setup_data, 0);
		assert_int_equal(p->hdr.code32_start, TINY_GPA);
		assert_int_equal(p->hdr.kernel_info_offset, 0x5678);
		assert_string_equal(host + p->hdr.cmd_line_ptr, "quiet");
		/* a page below initrd_addr_max, which is the last byte */
		assert_int_equal(p->hdr.ramdisk_image, TINY_INITRD + 1 - 4096);
		assert_int_equal(p->hdr.ramdisk_size, 9);
		assert_memory_equal(host + p->hdr.ramdisk_image, "initramfs", 10);
		assert_int_equal(p->acpi_rsdp_addr, RSDP);
		assert_int_equal(p->e820_entries, 3);
		assert_int_equal(p->e820_table[1].addr, ACPI_BASE);
		assert_int_equal(p->e820_table[1].size, ACPI_END - ACPI_BASE);
		assert_int_equal(p->e820_table[1].type, 3);
		assert_int_equal(p->hdr.ext_loader_type, 0);
		assert_int_equal(p->sentinel, 0);
		tiny_ram_done(&ram);
	}
}

static void what_a_header_has_beyond_its_end_is_not_believed(void **state)
{
	struct ram ram = tiny_ram(RAM_BYTES, 0);
	union tiny_bzimage z = tiny_bzimage();
	const struct boot_params *p;
	struct boot_entry entry;

	z.s.hdr.jump = 0xeb | 0x66 << 8; /* to 0x268: without kernel_info_offset */
	assert_int_equal(load(&z, sizeof(z), NULL, 0, "", &ram, &entry), 0);
	p = (const struct boot_params *)(ram.slots[0].host + entry.info_gpa);
	assert_int_equal(p->hdr.pref_address, TINY_GPA);
	assert_int_equal(p->hdr.kernel_info_offset, 0);
	tiny_ram_done(&ram);
}

static void a_bzimage_moves_when_it_can_and_must(void **state)
{
	struct ram ram = tiny_ram(RAM_BYTES, 0);
	union tiny_bzimage z = tiny_bzimage();
	struct boot_entry entry;

	z.s.hdr.pref_address = RAM_BYTES;
	z.s.hdr.kernel_alignment = 0x200000;
	assert_int_equal(load(&z, sizeof(z), NULL, 0, "", &ram, &entry), 0);
	assert_int_equal(entry.rip, 0x200200);
	assert_memory_equal(ram.slots[0].host + 0x200000, z.bytes + TINY_SETUP, TINY_CODE);
	z.s.hdr.relocatable_kernel = 0;
	assert_int_equal(load(&z, sizeof(z), NULL, 0, "", &ram, &entry), -ENOSPC);
	tiny_ram_done(&ram);
}

static void the_initramfs_has_all_room_above_the_kernel_and_no_more(void **state)
{
	const size_t room = RAM_BYTES - TINY_GPA - TINY_BSS;
	autofree char *data = calloc(1, room + 1);
	struct tiny_elf elf = tiny_elf();
	struct ram ram = tiny_ram(RAM_BYTES, 0);
	struct boot_entry entry;

	assert_int_equal(load(&elf, sizeof(elf), data, room, "", &ram, &entry), 0);
	assert_int_equal(load(&elf, sizeof(elf), data, room + 1, "", &ram, &entry), -ENOSPC);
	assert_int_equal(load(&elf, sizeof(elf), data, 0, "", &ram, &entry), -EINVAL);
	tiny_ram_done(&ram);
}

static void a_command_line_that_the_kernel_would_cut_is_refused(void **state)
{
	struct ram ram = tiny_ram(RAM_BYTES, 0);
	union tiny_bzimage z = tiny_bzimage();
	struct tiny_elf elf = tiny_elf();
	char text[2050] = { 0 };
	struct boot_entry entry;

	memset(text, 'x', TINY_CMDLINE);
	assert_int_equal(load(&z, sizeof(z), NULL, 0, text, &ram, &entry), 0);
	text[TINY_CMDLINE] = 'x';
	assert_int_equal(load(&z, sizeof(z), NULL, 0, text, &ram, &entry), -E2BIG);
	memset(text, 'x', 2047);
	assert_int_equal(load(&elf, sizeof(elf), NULL, 0, text, &ram, &entry), 0);
	text[2047] = 'x';
	assert_int_equal(load(&elf, sizeof(elf), NULL, 0, text, &ram, &entry), -E2BIG);
	tiny_ram_done(&ram);
}

/* A kernel with one field changed. */
struct change {
	const char *what;
	size_t offset, bytes;
	uint64_t value;
	int expected;
};

static void try_changes(const void *kernel, size_t n, const struct change *c, size_t n_changes)
{
	for (size_t i = 0; i < n_changes; i++) {
		autofree uint8_t *copy = malloc(n);
		int r;

		memcpy(copy, kernel, n);
		memcpy(copy + c[i].offset, &c[i].value, c[i].bytes);
		r = load_only(copy, n);
		if (r != c[i].expected)
			fail_msg("%s = %#llx: %d, not %d", c[i].what, (unsigned long long)c[i].value, r,
				 c[i].expected);
	}
}

#define ELF(field, value, expected)                                                                          \
	{                                                                                                    \
#field, offsetof(struct tiny_elf, field), sizeof(((struct tiny_elf *)0)->field), value,      \
			expected                                                                             \
	}

static void every_crooked_number_of_an_elf_kernel_is_refused(void **state)
{
	static const struct change cases[] = {
		ELF(h.e_ident[EI_CLASS], ELFCLASS32, -EINVAL),
		ELF(h.e_ident[EI_DATA], ELFDATA2MSB, -EINVAL),
		ELF(h.e_machine, EM_AARCH64, -EINVAL),
		ELF(h.e_phentsize, 55, -EINVAL),
		ELF(h.e_phentsize, 0, -EINVAL),
		ELF(h.e_phnum, 0, -EINVAL),
		ELF(h.e_phnum, 65, -EINVAL),
		ELF(h.e_phnum, UINT16_MAX, -EINVAL),
		ELF(h.e_phoff, UINT64_MAX, -EINVAL),
		ELF(h.e_phoff, UINT64_MAX - 111, -EINVAL),
		ELF(h.e_phoff, sizeof(struct tiny_elf), -EINVAL),
		ELF(note.p_type, PT_NULL, -EOPNOTSUPP),
		ELF(note.p_offset, UINT64_MAX, -EINVAL),
		ELF(note.p_offset, UINT64_MAX - 40, -EINVAL),
		ELF(note.p_filesz, UINT64_MAX, -EINVAL),
		ELF(note.p_filesz, (64 << 10) + 1, -EINVAL),
		ELF(note.p_filesz, 0, -EOPNOTSUPP),
		ELF(note.p_filesz, 11, -EOPNOTSUPP),
		ELF(note.p_filesz, 12, -EOPNOTSUPP),
		ELF(note.p_filesz, 47, -EOPNOTSUPP),
		ELF(other.n_namesz, UINT32_MAX, -EOPNOTSUPP),
		ELF(other.n_descsz, UINT32_MAX, -EOPNOTSUPP),
		ELF(entry.n_type, 17, -EOPNOTSUPP),
		ELF(entry.n_namesz, 3, -EOPNOTSUPP),
		ELF(entry.n_descsz, 5, -EOPNOTSUPP),
		ELF(entry.n_descsz, 9, -EOPNOTSUPP),
		ELF(entry_name[0], 'x', -EOPNOTSUPP),
		ELF(entry_desc, 0, -EOPNOTSUPP),
		ELF(entry_desc, TINY_GPA - 1, -EINVAL),
		ELF(entry_desc, TINY_GPA + 32, -EINVAL),
		ELF(entry_desc, UINT64_MAX, -EINVAL),
		ELF(load.p_type, PT_NULL, -EINVAL), /* then the entry is nowhere */
		ELF(load.p_offset, UINT64_MAX, -EINVAL),
		ELF(load.p_offset, UINT64_MAX - 31, -EINVAL),
		ELF(load.p_offset, sizeof(struct tiny_elf) - 31, -EINVAL),
		ELF(load.p_filesz, TINY_BSS, -EINVAL), /* more than the file has */
		ELF(load.p_filesz, UINT64_MAX, -EINVAL),
		ELF(load.p_memsz, 31, -EINVAL), /* less than in the file */
		ELF(load.p_memsz, RAM_BYTES - TINY_GPA, 0),
		ELF(load.p_memsz, RAM_BYTES - TINY_GPA + 1, -ENOSPC),
		ELF(load.p_memsz, UINT64_MAX, -ENOSPC),
		ELF(load.p_memsz, UINT64_MAX - TINY_GPA + 1, -ENOSPC),
		ELF(load.p_paddr, TINY_GPA - 1, 0),
		ELF(load.p_paddr, 0, -EINVAL),
		ELF(load.p_paddr, RAM_BYTES, -EINVAL),
	};
	struct tiny_elf elf = tiny_elf();

	try_changes(&elf, sizeof(elf), cases, ARRAY_LEN(cases));
}

static void a_segment_that_is_not_in_ram_is_refused(void **state)
{
	static const struct {
		uint64_t gpa;
		int expected;
	} cases[] = {
		{ 0, -EINVAL },
		{ KERNEL_LOWEST - 1, -EINVAL },
		{ KERNEL_LOWEST, 0 },
		{ RAM_BYTES - TINY_BSS, 0 },
		{ RAM_BYTES - TINY_BSS + 1, -ENOSPC },
		{ RAM_BYTES, -ENOSPC },
		{ UINT32_MAX, -EINVAL },
		{ UINT64_MAX - TINY_BSS + 1, -EINVAL }, /* its end would be 0 */
		{ UINT64_MAX, -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tiny_elf elf = tiny_elf();

		elf.load.p_paddr = cases[i].gpa;
		elf.entry_desc = cases[i].gpa + 4;
		assert_int_equal(load_only(&elf, sizeof(elf)), cases[i].expected);
	}
}

static void notes_are_padded_as_their_segment_says(void **state)
{
	struct tiny_elf elf = tiny_elf();

	elf.other.n_namesz = 3; /* padding is not counted */
	elf.other.n_descsz = 5;
	assert_int_equal(load_only(&elf, sizeof(elf)), 0);
	elf.note.p_align = 8;
	assert_int_equal(load_only(&elf, sizeof(elf)), 0);
	elf.entry.n_descsz = 4;
	assert_int_equal(load_only(&elf, sizeof(elf)), 0);
}

#define BZ(field, value, expected)                                                                           \
	{                                                                                                    \
#field, offsetof(struct boot_params, hdr.field), sizeof(((struct setup_header *)0)->field),  \
			value, expected                                                                      \
	}

static void every_crooked_number_of_a_bzimage_is_refused(void **state)
{
	static const struct change cases[] = {
		BZ(boot_flag, 0x55aa, -EINVAL),
		BZ(header, 0, -EINVAL),
		BZ(version, 0x020b, -EOPNOTSUPP),
		BZ(xloadflags, 0, -EOPNOTSUPP),
		BZ(loadflags, 0, -EOPNOTSUPP),
		BZ(jump, 0xeb, -EOPNOTSUPP), /* a header of nothing */
		BZ(jump, 0xeb | 0x30 << 8, -EOPNOTSUPP), /* one that ends before xloadflags */
		BZ(jump, 0xeb | 0xff << 8, 0),
		BZ(setup_sects, 4, -EINVAL), /* nothing is behind them */
		BZ(setup_sects, 0, -EINVAL), /* that means 4 */
		BZ(setup_sects, 255, -EINVAL),
		BZ(syssize, TINY_CODE / 16 + 1, -EINVAL),
		BZ(syssize, UINT32_MAX, -EINVAL),
		BZ(syssize, 0, 0),
		BZ(kernel_alignment, 0, 0), /* not asked for where it need not move */
		BZ(pref_address, UINT64_MAX, 0),
		BZ(pref_address, UINT64_MAX - TINY_INIT + 1, 0),
		BZ(pref_address, 0, 0),
		BZ(init_size, 0, 0),
		BZ(init_size, RAM_BYTES - KERNEL_LOWEST, 0),
		BZ(init_size, RAM_BYTES - KERNEL_LOWEST + 1, -ENOSPC),
		BZ(init_size, UINT32_MAX, -ENOSPC),
		BZ(initrd_addr_max, 0, 0),
		BZ(initrd_addr_max, UINT32_MAX, 0),
		BZ(cmdline_size, 0, 0),
		BZ(cmdline_size, UINT32_MAX, 0),
	};
	static const uint32_t no_alignments[] = { 0, 3, 0x10001, UINT32_MAX };
	union tiny_bzimage z = tiny_bzimage();

	try_changes(&z, sizeof(z), cases, ARRAY_LEN(cases));
	z.s.hdr.pref_address = RAM_BYTES;
	for (size_t i = 0; i < ARRAY_LEN(no_alignments); i++) {
		z.s.hdr.kernel_alignment = no_alignments[i];
		assert_int_equal(load_only(&z, sizeof(z)), -EINVAL);
	}
	z.s.hdr.kernel_alignment = 0x80000000;
	assert_int_equal(load_only(&z, sizeof(z)), -ENOSPC);
}

static void an_initramfs_that_may_not_lie_above_the_kernel_is_refused(void **state)
{
	static const uint32_t highest[] = { 0, TINY_GPA, TINY_GPA + TINY_INIT - 1 };
	struct ram ram = tiny_ram(RAM_BYTES, 0);
	union tiny_bzimage z = tiny_bzimage();
	struct boot_entry entry;

	for (size_t i = 0; i < ARRAY_LEN(highest); i++) {
		z.s.hdr.initrd_addr_max = highest[i];
		assert_int_equal(load(&z, sizeof(z), "i", 1, "", &ram, &entry), -ENOSPC);
	}
	z.s.hdr.initrd_addr_max = UINT32_MAX;
	assert_int_equal(load(&z, sizeof(z), "i", 1, "", &ram, &entry), 0);
	tiny_ram_done(&ram);
}

static void holes_of_a_file_are_left_out(void **state)
{
	enum { HOLE = 256 << 10, INITRAMFS = 2 * HOLE + 5 };
	struct tiny_elf elf = tiny_elf();

	for (int with_fd = 0; with_fd < 2; with_fd++) {
		autoclose int k = tiny_file(&elf, sizeof(elf)), i = tiny_file("head", 4);
		struct ram ram = tiny_ram(RAM_BYTES, with_fd);
		const uint64_t gpa = (RAM_BYTES - INITRAMFS) & ~4095u;
		uint8_t *host = ram.slots[0].host + gpa;
		struct boot_entry entry;

		assert_int_equal(ftruncate(i, INITRAMFS), 0);
		assert_int_equal(pwrite(i, "tail", 4, INITRAMFS - HOLE), 4); /* and a hole at the end */
		host[HOLE / 2] = host[INITRAMFS - 1] = 1;
		assert_int_equal(boot_load(&(struct boot_source){ k, i, "", 0 }, &ram, &entry, NULL), 0);
		assert_memory_equal(host, "head\0", 6);
		assert_memory_equal(host + INITRAMFS - HOLE, "tail\0", 6);
		assert_int_equal(host[HOLE / 2], 1);
		assert_int_equal(host[INITRAMFS - 1], 1);
		tiny_ram_done(&ram);
	}
}

static void a_kernel_is_refused_wherever_it_ends(void **state)
{
	struct tiny_elf elf = tiny_elf();
	union tiny_bzimage z = tiny_bzimage();

	for (size_t n = 0; n < sizeof(elf); n++)
		assert_true(load_only(&elf, n) < 0);
	for (size_t n = 0; n < sizeof(z) - 15; n += 7)
		assert_true(load_only(&z, n) < 0);
}

static void what_is_no_kernel_is_refused(void **state)
{
	autoclose int dir = open("/tmp", O_RDONLY | O_CLOEXEC),
		      null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	static const char text[1024] = "#!/bin/sh\n";
	struct ram ram = tiny_ram(RAM_BYTES, 0), little = tiny_ram(KERNEL_LOWEST - 1, 0);
	struct tiny_elf elf = tiny_elf();
	struct boot_entry entry;

	assert_int_equal(load_only(text, sizeof(text)), -EINVAL);
	assert_int_equal(load_only(text, 1), -EINVAL);
	assert_int_equal(load_only(text, 0), -EINVAL);
	assert_int_equal(boot_load(&(struct boot_source){ dir, -1, "", 0 }, &ram, &entry, NULL), -EINVAL);
	assert_int_equal(boot_load(&(struct boot_source){ null, -1, "", 0 }, &ram, &entry, NULL), -EINVAL);
	assert_int_equal(load(&elf, sizeof(elf), NULL, 0, "", &little, &entry), -ENOSPC);
	tiny_ram_done(&ram);
	tiny_ram_done(&little);
}

static void the_memory_map_is_what_the_ram_is_less_its_holes(void **state)
{
	static const struct {
		struct ram ram;
		unsigned n;
		struct memmap_entry map[MEMMAP_MAX];
	} cases[] = {
		{ { .n = 0 }, 0, { { 0 } } },
		{ { .slots = { { .bytes = 0x1000 } }, .n = 1 }, 1, { { 0, 0x1000, MEMMAP_RAM } } },
		{ { .slots = { { .bytes = 0xf0000 } }, .n = 1 },
		  2,
		  { { 0, 0xa0000, MEMMAP_RAM }, { 0xe0000, 0x10000, MEMMAP_ACPI } } },
		{ { .slots = { { .bytes = LOW_RAM_END }, { .gpa = HIGH_RAM_BASE, .bytes = 0x5000 } },
		    .n = 2 },
		  4,
		  { { 0, 0xa0000, MEMMAP_RAM },
		    { 0xe0000, 0x20000, MEMMAP_ACPI },
		    { 0x100000, LOW_RAM_END - 0x100000, MEMMAP_RAM },
		    { HIGH_RAM_BASE, 0x5000, MEMMAP_RAM } } },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct memmap_entry map[MEMMAP_MAX];

		assert_int_equal(memmap_make(&cases[i].ram, map), cases[i].n);
		for (unsigned k = 0; k < cases[i].n; k++) {
			assert_int_equal(map[k].gpa, cases[i].map[k].gpa);
			assert_int_equal(map[k].bytes, cases[i].map[k].bytes);
			assert_int_equal(map[k].type, cases[i].map[k].type);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_elf_kernel_lies_where_its_segments_say_and_is_told_all),
		cmocka_unit_test(without_an_initramfs_there_is_no_module),
		cmocka_unit_test(a_bzimage_lies_where_it_prefers_and_is_told_all),
		cmocka_unit_test(what_a_header_has_beyond_its_end_is_not_believed),
		cmocka_unit_test(a_bzimage_moves_when_it_can_and_must),
		cmocka_unit_test(the_initramfs_has_all_room_above_the_kernel_and_no_more),
		cmocka_unit_test(a_command_line_that_the_kernel_would_cut_is_refused),
		cmocka_unit_test(every_crooked_number_of_an_elf_kernel_is_refused),
		cmocka_unit_test(a_segment_that_is_not_in_ram_is_refused),
		cmocka_unit_test(notes_are_padded_as_their_segment_says),
		cmocka_unit_test(every_crooked_number_of_a_bzimage_is_refused),
		cmocka_unit_test(an_initramfs_that_may_not_lie_above_the_kernel_is_refused),
		cmocka_unit_test(holes_of_a_file_are_left_out),
		cmocka_unit_test(a_kernel_is_refused_wherever_it_ends),
		cmocka_unit_test(what_is_no_kernel_is_refused),
		cmocka_unit_test(the_memory_map_is_what_the_ram_is_less_its_holes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
