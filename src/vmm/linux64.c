/* linux64.c - a bzImage: its header checked, its protected-mode part into RAM, struct boot_params for it
 *
 *	boot sector, setup_sects sectors of 16-bit code (not used), then the rest: what is loaded
 *
 * The 64-bit entry is 0x200 behind the place where it is loaded.
 */
#include "vmm/linux64.h"

#include <asm/e820.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "vmm/layout.h"
#include "vmm/memmap.h"

#define SECTOR	       512
#define HEADER	       0x1f1 /* where struct setup_header is in the file */
#define HEADER_JUMP    0x202 /* the header ends so many bytes behind it as the byte in front of it says */
#define BOOT_FLAG      0xaa55
#define HEADER_MAGIC   0x53726448u /* "HdrS" */
#define PROTOCOL_MIN   0x020c /* the first with xloadflags: Linux 3.8 */
#define DEFAULT_SETUP  4 /* sectors, where the header says 0 */
#define ENTRY64	       0x200
#define LOADER_UNKNOWN 0xff /* type_of_loader: "undefined" */
#define VIDEO_NORMAL   0xffff

_Static_assert(HEADER + offsetof(struct setup_header, version) == LINUX64_HEAD_BYTES, "bootparam.h");
_Static_assert(sizeof(struct boot_params) == 4096 && MEMMAP_MAX <= E820_MAX_ENTRIES_ZEROPAGE, "bootparam.h");
_Static_assert((int)MEMMAP_RAM == E820_RAM && (int)MEMMAP_ACPI == E820_ACPI, "e820.h");

bool linux64_is(const void *head, size_t n)
{
	struct setup_header h = { 0 };

	if (n < LINUX64_HEAD_BYTES)
		return false;
	memcpy(&h, (const uint8_t *)head + HEADER, LINUX64_HEAD_BYTES - HEADER);
	return h.boot_flag == BOOT_FLAG && h.header == HEADER_MAGIC;
}

/* The header as long as the kernel has it: what a newer protocol adds is left out, a missing part is 0. */
static int read_header(const struct image *i, struct setup_header *ret, struct err *e)
{
	struct setup_header h = { 0 };
	uint64_t n;
	int r = image_read(i, HEADER, &h, offsetof(struct setup_header, header), e);

	if (r < 0)
		return r;
	/* `jump` is a short jump to what follows the header: its second byte is the distance */
	n = HEADER_JUMP - HEADER + (uint64_t)(h.jump >> 8);
	r = image_read(i, HEADER, &h, n < sizeof(h) ? n : sizeof(h), e);
	if (r < 0)
		return r;
	if (h.version < PROTOCOL_MIN || !(h.xloadflags & XLF_KERNEL_64) || !(h.loadflags & LOADED_HIGH))
		return err_set(e, EOPNOTSUPP,
			       "the kernel has no 64-bit entry: it is a 32-bit one or older than Linux 3.8");
	*ret = h;
	return 0;
}

/* Is there RAM for n bytes at gpa? */
static bool fits(uint64_t gpa, uint64_t n, uint64_t end)
{
	return gpa >= KERNEL_LOWEST && gpa < end && n <= end - gpa;
}

/* Where a kernel that needs n bytes goes. */
static int choose_place(const struct setup_header *h, uint64_t n, uint64_t end, uint64_t *ret, struct err *e)
{
	const uint64_t align = h->kernel_alignment;

	if (fits(h->pref_address, n, end)) {
		*ret = h->pref_address;
		return 0;
	}
	if (h->relocatable_kernel) {
		if (!align || align & (align - 1))
			return err_set(e, EINVAL, "the alignment in the header of the kernel, %#llx, is none",
				       (unsigned long long)align);
		*ret = (KERNEL_LOWEST + align - 1) & ~(align - 1);
		if (fits(*ret, n, end))
			return 0;
	}
	return err_set(e, ENOSPC, "the kernel needs %llu bytes of memory%s, which the machine does not have",
		       (unsigned long long)n, h->relocatable_kernel ? "" : " at its own address");
}

int linux64_load(const struct image *i, const struct ram *ram, struct boot_kernel *ret, struct err *e)
{
	const uint64_t end = memmap_low_end(ram);
	struct setup_header h;
	uint64_t skip, bytes, need, gpa = 0;
	int r = read_header(i, &h, e);

	if (r < 0)
		return r;
	skip = (uint64_t)((h.setup_sects ? h.setup_sects : DEFAULT_SETUP) + 1) * SECTOR;
	/* syssize counts 16 bytes; the last of them may be half a one */
	if (skip + ENTRY64 >= i->bytes || (i->bytes - skip + 15) / 16 < h.syssize)
		return err_set(e, EINVAL, "the kernel is cut off after %llu bytes",
			       (unsigned long long)i->bytes);
	bytes = i->bytes - skip;
	need = h.init_size > bytes ? h.init_size : bytes;
	r = choose_place(&h, need, end, &gpa, e);
	if (r == 0)
		r = image_load(i, skip, ram, gpa, bytes, e);
	if (r < 0)
		return r;
	h.code32_start = (uint32_t)gpa;
	*ret = (struct boot_kernel){
		.entry = gpa + ENTRY64,
		.end = gpa + need,
		.initramfs_end =
			(uint64_t)h.initrd_addr_max + 1 < end ? (uint64_t)h.initrd_addr_max + 1 : end,
		.cmdline_max = h.cmdline_size,
		.header = h,
	};
	return 0;
}

void linux64_write_params(const struct boot_kernel *k, const struct boot_info *info, const struct ram *ram,
			  uint8_t *low)
{
	struct boot_params *p = (struct boot_params *)(low + BOOT_ZERO_PAGE);
	struct memmap_entry map[MEMMAP_MAX];
	unsigned n = memmap_make(ram, map);

	*p = (struct boot_params){ .hdr = k->header, .acpi_rsdp_addr = info->rsdp_gpa };
	p->hdr.type_of_loader = LOADER_UNKNOWN;
	p->hdr.vid_mode = VIDEO_NORMAL;
	p->hdr.setup_data = 0;
	p->hdr.cmd_line_ptr = (uint32_t)info->cmdline_gpa;
	p->hdr.ramdisk_image = (uint32_t)info->initramfs_gpa;
	p->hdr.ramdisk_size = (uint32_t)info->initramfs_bytes;
	p->e820_entries = (uint8_t)n;
	for (unsigned i = 0; i < n; i++)
		p->e820_table[i] = (struct boot_e820_entry){ map[i].gpa, map[i].bytes, map[i].type };
}
