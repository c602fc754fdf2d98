/* fuzz_boot.c - kernels for the hypervisor: loaded within the RAM or refused, and told the truth */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/boot_int.h"
#include "vmm/layout.h"
#include "vmm/pvh.h"

#define RAM_BYTES (2u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct boot_entry *entry, const struct ram *ram, uint64_t initramfs_bytes)
{
	const uint8_t *low = ram->slots[0].host, *initramfs;
	uint64_t gpa = 0, bytes = 0;
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	assert(entry->rip >= KERNEL_LOWEST && ram_at(ram, entry->rip, 1));
	if (entry->protocol == BOOT_PVH) {
		const struct hvm_start_info *info = (const struct hvm_start_info *)(low + entry->info_gpa);
		const struct hvm_modlist_entry *m = (const void *)(low + info->modlist_paddr);

		gpa = info->nr_modules ? m->paddr : 0;
		bytes = info->nr_modules ? m->size : 0;
	} else {
		const struct boot_params *p = (const struct boot_params *)(low + entry->info_gpa);

		gpa = p->hdr.ramdisk_image;
		bytes = p->hdr.ramdisk_size;
	}
	assert(bytes == initramfs_bytes);
	if (bytes) {
		initramfs = ram_at(ram, gpa, bytes);
		assert(gpa % 4096 == 0 && initramfs && !memcmp(initramfs, "initramfs", bytes));
		assert(entry->rip < gpa || entry->rip >= gpa + bytes);
	}
	boot_plan_registers(entry, &sregs, &regs);
	assert(regs.rip == entry->rip);
}

/* A file with these bytes; the same one each time. */
static int file(int *fd, const void *data, size_t n)
{
	if (*fd < 0)
		*fd = memfd_create("fuzz", MFD_CLOEXEC);
	assert(*fd >= 0 && ftruncate(*fd, 0) == 0 && pwrite(*fd, data, n, 0) == (ssize_t)n);
	return *fd;
}

/* The first byte: is there an initramfs?  Behind it is the kernel. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t host[RAM_BYTES] __attribute__((aligned(4096)));
	static int kernel = -1, initramfs = -1;
	const struct ram ram = { .slots = { { .bytes = RAM_BYTES, .host = host } }, .n = 1, .fd = -1 };
	struct boot_source s = { .initramfs_fd = -1, .cmdline = "quiet", .rsdp_gpa = ACPI_BASE };
	struct boot_entry entry;
	struct err e;

	if (size < 2)
		return 0;
	s.kernel_fd = file(&kernel, data + 1, size - 1);
	if (data[0] & 1)
		s.initramfs_fd = file(&initramfs, "initramfs", 9);
	if (boot_load(&s, &ram, &entry, &e) == 0)
		check(&entry, &ram, s.initramfs_fd < 0 ? 0 : 9);
	return 0;
}
