/* kernels.c - the smallest kernels of both kinds, and RAM for them */
#include "kernels.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../cm.h"

struct tiny_elf tiny_elf(void)
{
	struct tiny_elf e = {
		.h = { .e_type = ET_EXEC,
		       .e_machine = EM_X86_64,
		       .e_phentsize = sizeof(Elf64_Phdr),
		       .e_phnum = 2,
		       .e_phoff = offsetof(struct tiny_elf, note) },
		.note = { .p_type = PT_NOTE,
			  .p_offset = offsetof(struct tiny_elf, other),
			  .p_filesz = offsetof(struct tiny_elf, code) - offsetof(struct tiny_elf, other) },
		.load = { .p_type = PT_LOAD,
			  .p_offset = offsetof(struct tiny_elf, code),
			  .p_paddr = TINY_GPA,
			  .p_filesz = sizeof(e.code),
			  .p_memsz = TINY_BSS },
		.other = { 4, 8, 3 },
		.other_name = "GNU",
		.entry = { 4, 8, 18 },
		.entry_name = "Xen",
		.entry_desc = TINY_GPA + 4,
		.code = "the code of an ELF kernel",
	};

	memcpy(e.h.e_ident, ELFMAG, SELFMAG);
	e.h.e_ident[EI_CLASS] = ELFCLASS64;
	e.h.e_ident[EI_DATA] = ELFDATA2LSB;
	return e;
}

union tiny_bzimage tiny_bzimage(void)
{
	union tiny_bzimage z = { 0 };

	z.s.hdr = (struct setup_header){
		.setup_sects = 2,
		.syssize = TINY_CODE / 16,
		.boot_flag = 0xaa55,
		.jump = 0xeb | 0x6a << 8,
		.header = 0x53726448,
		.version = 0x020f,
		.loadflags = LOADED_HIGH,
		.initrd_addr_max = TINY_INITRD,
		.kernel_alignment = TINY_ALIGN,
		.relocatable_kernel = 1,
		.xloadflags = XLF_KERNEL_64,
		.cmdline_size = TINY_CMDLINE,
		.setup_data = 0x1234, /* a loader has to set it */
		.pref_address = TINY_GPA,
		.init_size = TINY_INIT,
		.kernel_info_offset = 0x5678,
	};
	for (size_t i = 0; i < TINY_CODE; i++)
		z.bytes[TINY_SETUP + i] = (uint8_t)(i * 7);
	return z;
}

int tiny_file(const void *data, size_t n)
{
	int fd = memfd_create("kernel", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, n), n);
	return fd;
}

struct ram tiny_ram(uint64_t bytes, int with_fd)
{
	struct ram r = { .n = 1, .fd = -1 };

	r.slots[0].bytes = bytes;
	if (with_fd) {
		r.fd = memfd_create("ram", MFD_CLOEXEC);
		assert_true(r.fd >= 0 && ftruncate(r.fd, (off_t)bytes) == 0);
		r.slots[0].host = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, r.fd, 0);
		assert_true(r.slots[0].host != MAP_FAILED);
	} else {
		r.slots[0].host = calloc(1, bytes);
		assert_non_null(r.slots[0].host);
	}
	return r;
}

void tiny_ram_done(struct ram *r)
{
	if (r->fd >= 0) {
		munmap(r->slots[0].host, r->slots[0].bytes);
		close(r->fd);
	} else {
		free(r->slots[0].host);
	}
}
