/* vmlinux.c - the kernel unpacked, for booting without its own unpacking
 *
 * In software emulation a kernel takes a fifth of its boot to unpack itself.  An ELF kernel starts directly
 * at its PVH entry (xen/include/public/arch-x86/hvm/start_info.h), in QEMU and in our own hypervisor.  What
 * that costs is KASLR, which the unpacking does too.
 *
 * An empty file is kept for a kernel that turned out not to start so, or else each start would unpack it
 * anew.
 */
#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "kernel/cache.h"
#include "kernel/kernel_int.h"
#include "kernel/payload.h"
#include "kernel/vmlinux.h"

#define NOTE_PHYS32_ENTRY 18 /* XEN_ELFNOTE_PHYS32_ENTRY */

/* Is the note in this segment?  Notes are padded to 4 bytes (elf(5)). */
static bool notes_have_entry(const char *p, size_t n)
{
	while (n >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr h;
		size_t name, whole;

		memcpy(&h, p, sizeof(h));
		name = ((size_t)h.n_namesz + 3) & ~(size_t)3;
		whole = sizeof(h) + name + (((size_t)h.n_descsz + 3) & ~(size_t)3);
		if (whole > n)
			return false;
		if (h.n_type == NOTE_PHYS32_ENTRY && h.n_namesz == 4 && !memcmp(p + sizeof(h), "Xen", 4))
			return true;
		p += whole;
		n -= whole;
	}
	return false;
}

bool vmlinux_has_pvh_entry(const void *elf, size_t n)
{
	Elf64_Ehdr h;

	if (n < sizeof(h))
		return false;
	memcpy(&h, elf, sizeof(h));
	if (memcmp(h.e_ident, ELFMAG, SELFMAG) || h.e_ident[EI_CLASS] != ELFCLASS64 ||
	    h.e_phentsize != sizeof(Elf64_Phdr) || h.e_phoff > n ||
	    h.e_phnum > (n - h.e_phoff) / sizeof(Elf64_Phdr))
		return false;
	for (unsigned i = 0; i < h.e_phnum; i++) {
		Elf64_Phdr ph;

		memcpy(&ph, (const char *)elf + h.e_phoff + i * sizeof(ph), sizeof(ph));
		if (ph.p_type == PT_NOTE && ph.p_offset <= n && ph.p_filesz <= n - ph.p_offset &&
		    notes_have_entry((const char *)elf + ph.p_offset, ph.p_filesz))
			return true;
	}
	return false;
}

struct source {
	int image;
	struct bzimage head;
};

/* The payload, and how it is packed; NULL: not in a way that we know. */
static const struct packing *read_payload(const struct source *s, struct buf *ret)
{
	const size_t n = s->head.payload_bytes;
	const struct packing *packing = NULL;
	char magic[PAYLOAD_MAGIC_BYTES], *p;

	if (n >= sizeof(magic) && n <= PAYLOAD_UNPACKED_MAX &&
	    pread(s->image, magic, sizeof(magic), (off_t)s->head.payload_off) == sizeof(magic))
		packing = payload_packing(magic);
	p = packing ? buf_room(ret, n) : NULL;
	if (!p || pread(s->image, p, n, (off_t)s->head.payload_off) != (ssize_t)n)
		return NULL;
	ret->len = n;
	return packing;
}

/* Fills *ret with the ELF kernel; with nothing where there is none to start. */
static int unpack(void *arg, struct buf *ret, struct err *e)
{
	const struct source *s = arg;
	AUTO(buf_done) struct buf packed = { 0 };
	const struct packing *packing = read_payload(s, &packed);
	size_t n = packing ? payload_unpacked_bytes(packed.data, packed.len) : 0;
	char *out;

	if (!packing)
		return err_set(e, EOPNOTSUPP, "kernel %s is packed in an unknown way", s->head.release);
	if (!n)
		return 0;
	out = buf_room(ret, n);
	if (!out)
		return err_sys(e, ENOMEM, "kernel %s", s->head.release);
	if (payload_unpack(packing, packed.data, packed.len, out, n) == 0 && vmlinux_has_pvh_entry(out, n))
		ret->len = n;
	return 0;
}

int kernel_unpacked_open(const char *root, const struct kernel *k, struct err *e)
{
	autoclose int image = kernel_image_open(k, e), unpacked = -1;
	struct source s = { .image = image };
	uint64_t h = CACHE_HASH;
	struct stat st;
	int r = image < 0 ? image : kernel_head_read(image, &s.head, e);

	if (r < 0)
		return r;
	if (fstat(image, &st) < 0)
		return err_sys(e, errno, "%s", k->image);
	/* one version text may have come with two kernels */
	h = cache_hash(h, s.head.build, strlen(s.head.build));
	h = cache_hash(h, &st.st_ino, sizeof(st.st_ino));
	h = cache_hash(h, &st.st_size, sizeof(st.st_size));
	h = cache_hash(h, &st.st_mtim, sizeof(st.st_mtim));
	unpacked = cache_open(root, &(struct cache_key){ s.head.release, "vmlinux", h }, unpack, &s, e);
	/* else as it is: slower, and as good */
	return unpacked >= 0 && fstat(unpacked, &st) == 0 && st.st_size ? take_fd(&unpacked)
									: take_fd(&image);
}
