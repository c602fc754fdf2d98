/* elf.c - an uncompressed ELF64 kernel: its segments into RAM, its PVH entry out of its notes */
#include "vmm/elf.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "vmm/layout.h"
#include "vmm/memmap.h"
#include "vmm/pvh.h"

#define MAX_SEGMENTS 64 /* Linux has 5 */
#define MAX_NOTES    (64U << 10) /* bytes of one PT_NOTE segment; Linux has half a KiB */

bool elf_is(const void *head, size_t n)
{
	return n >= SELFMAG && !memcmp(head, ELFMAG, SELFMAG);
}

static int read_segments(const struct image *i, Elf64_Phdr *ret, unsigned *ret_n, struct err *e)
{
	Elf64_Ehdr h;
	int r = image_read(i, 0, &h, sizeof(h), e);

	if (r < 0)
		return r;
	if (h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_ident[EI_DATA] != ELFDATA2LSB ||
	    h.e_machine != EM_X86_64)
		return err_set(e, EINVAL, "the kernel is an ELF file, but none for x86-64");
	if (h.e_phentsize != sizeof(*ret) || h.e_phnum == 0 || h.e_phnum > MAX_SEGMENTS)
		return err_set(e, EINVAL, "the ELF header of the kernel is malformed");
	*ret_n = h.e_phnum;
	return image_read(i, h.e_phoff, ret, h.e_phnum * sizeof(*ret), e);
}

/* The entry in n bytes of notes, whose parts are padded to `align`; 0: there is none. */
static uint64_t find_entry(const uint8_t *p, uint64_t n, uint64_t align)
{
	while (n >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr h;
		uint64_t desc, whole, entry = 0;

		memcpy(&h, p, sizeof(h));
		desc = (sizeof(h) + h.n_namesz + align - 1) & ~(align - 1);
		whole = (desc + h.n_descsz + align - 1) & ~(align - 1);
		if (desc + h.n_descsz > n)
			return 0;
		if (h.n_type == PVH_NOTE_ENTRY && h.n_namesz == sizeof(PVH_NOTE_NAME) &&
		    !memcmp(p + sizeof(h), PVH_NOTE_NAME, sizeof(PVH_NOTE_NAME)) &&
		    (h.n_descsz == 4 || h.n_descsz == 8)) {
			memcpy(&entry, p + desc, h.n_descsz);
			return entry;
		}
		if (whole >= n)
			return 0;
		p += whole;
		n -= whole;
	}
	return 0;
}

static int read_entry(const struct image *i, const Elf64_Phdr *note, uint64_t *ret, struct err *e)
{
	const uint64_t n = note->p_filesz;
	autofree uint8_t *notes = NULL;
	int r;

	if (n > MAX_NOTES)
		return err_set(e, EINVAL, "the notes of the kernel are longer than %u bytes", MAX_NOTES);
	notes = malloc(n + !n);
	if (!notes)
		return err_sys(e, ENOMEM, "kernel");
	r = image_read(i, note->p_offset, notes, n, e);
	if (r == 0)
		*ret = find_entry(notes, n, note->p_align == 8 ? 8 : 4);
	return r;
}

static int load_segment(const struct image *i, const Elf64_Phdr *s, const struct ram *ram, struct err *e)
{
	const uint64_t end = memmap_low_end(ram);

	if (s->p_filesz > s->p_memsz)
		return err_set(e, EINVAL,
			       "a segment of the kernel has more bytes in the file than in memory");
	if (!s->p_memsz)
		return 0;
	if (s->p_paddr < KERNEL_LOWEST)
		return err_set(e, EINVAL, "the kernel wants to be at address %#llx, which is not free",
			       (unsigned long long)s->p_paddr);
	if (s->p_paddr >= end || s->p_memsz > end - s->p_paddr)
		return err_set(
			e, ENOSPC,
			"the kernel needs %llu bytes of memory at address %#llx, which the machine does "
			"not have",
			(unsigned long long)s->p_memsz, (unsigned long long)s->p_paddr);
	return image_load(i, s->p_offset, ram, s->p_paddr, s->p_filesz, e);
}

/* Does the first instruction lie in one of the segments, where 32-bit code can be? */
static bool is_loaded(const Elf64_Phdr *segments, unsigned n, uint64_t entry)
{
	for (unsigned k = 0; k < n; k++)
		if (segments[k].p_type == PT_LOAD && entry >= segments[k].p_paddr &&
		    entry - segments[k].p_paddr < segments[k].p_filesz)
			return entry <= UINT32_MAX;
	return false;
}

int elf_load(const struct image *i, const struct ram *ram, struct boot_kernel *ret, struct err *e)
{
	struct boot_kernel k = { .initramfs_end = memmap_low_end(ram), .cmdline_max = PVH_CMDLINE_MAX };
	Elf64_Phdr segments[MAX_SEGMENTS];
	unsigned n = 0;
	int r = read_segments(i, segments, &n, e);

	for (unsigned s = 0; r == 0 && s < n && !k.entry; s++)
		if (segments[s].p_type == PT_NOTE)
			r = read_entry(i, &segments[s], &k.entry, e);
	if (r == 0 && !k.entry)
		return err_set(e, EOPNOTSUPP, "the kernel has no PVH entry (CONFIG_PVH)");
	if (r == 0 && !is_loaded(segments, n, k.entry))
		return err_set(e, EINVAL, "the PVH entry of the kernel, %#llx, is not in it",
			       (unsigned long long)k.entry);
	for (unsigned s = 0; r == 0 && s < n; s++) {
		if (segments[s].p_type != PT_LOAD)
			continue;
		r = load_segment(i, &segments[s], ram, e);
		if (r == 0 && segments[s].p_paddr + segments[s].p_memsz > k.end)
			k.end = segments[s].p_paddr + segments[s].p_memsz;
	}
	if (r == 0)
		*ret = k;
	return r;
}
