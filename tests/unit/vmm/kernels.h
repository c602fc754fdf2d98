/* kernels.h - the smallest kernels of both kinds, and RAM for them */
#ifndef TESTS_VMM_KERNELS_H
#define TESTS_VMM_KERNELS_H

#include <asm/bootparam.h>
#include <elf.h>
#include <stdint.h>

#include "virtio/ram.h"

#define TINY_GPA UINT64_C(0x180000) /* where both want to be */
#define TINY_BSS 0x2000 /* of the ELF kernel: all that it has in memory */

struct tiny_elf {
	Elf64_Ehdr h;
	Elf64_Phdr note, load;
	Elf64_Nhdr other;
	char other_name[4], other_desc[8];
	Elf64_Nhdr entry;
	char entry_name[4];
	uint64_t entry_desc;
	uint8_t code[32];
};

struct tiny_elf tiny_elf(void);

#define TINY_SETUP   (3 * 512) /* boot sector and 2 setup sectors */
#define TINY_CODE    0x400
#define TINY_INIT    0x3000 /* init_size */
#define TINY_INITRD  0x37ffff /* initrd_addr_max */
#define TINY_CMDLINE 255
#define TINY_ALIGN   0x10000

union tiny_bzimage {
	uint8_t bytes[TINY_SETUP + TINY_CODE];
	struct {
		uint8_t pad[0x1f1];
		struct setup_header hdr;
	} __attribute__((packed)) s;
};

union tiny_bzimage tiny_bzimage(void);

/* A memfd with these bytes. */
int tiny_file(const void *data, size_t n);
/* RAM at 0; its host memory ends where it ends (malloc), or is a mapped memfd. */
struct ram tiny_ram(uint64_t bytes, int with_fd);
void tiny_ram_done(struct ram *r);

#endif
