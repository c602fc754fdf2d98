/* vmlinux.c - the kernel unpacked, for booting without its own unpacking
 *
 * In software emulation a kernel takes a fifth of its boot to unpack itself.  QEMU starts an ELF kernel directly at
 * its PVH entry (xen/include/public/arch-x86/hvm/start_info.h).  What that costs is KASLR, which the unpacking
 * does too; so with KVM, where unpacking takes 30 ms, the image boots as it is.
 *
 * Only LZ4 is unpacked, as Debian's cloud kernels have it.
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
#include "kernel/lz4_frame.h"
#include "kernel/vmlinux.h"

#define MAX_UNPACKED	  (256U << 20)
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

static int read_payload(const struct source *s, struct buf *ret)
{
	const size_t n = s->head.payload_bytes;
	char magic[4], *p;

	/* most other kernels are found out here, at every start */
	if (n < 8 || n > MAX_UNPACKED || pread(s->image, magic, 4, (off_t)s->head.payload_off) != 4 ||
	    !lz4_frame_is_legacy(magic, 4))
		return -EINVAL;
	p = buf_room(ret, n);
	if (!p || pread(s->image, p, n, (off_t)s->head.payload_off) != (ssize_t)n)
		return -EINVAL;
	ret->len = n;
	return 0;
}

static int unpack(void *arg, struct buf *ret, struct err *e)
{
	const struct source *s = arg;
	AUTO(buf_done) struct buf packed = { 0 };
	uint32_t size;
	char *out;

	if (read_payload(s, &packed) < 0)
		return err_set(e, EOPNOTSUPP, "kernel %s is not packed with LZ4", s->head.release);
	memcpy(&size, packed.data + packed.len - 4, 4);
	size = le32toh(size);
	out = size <= MAX_UNPACKED ? buf_room(ret, size) : NULL;
	if (!out || lz4_frame_unpack(packed.data, packed.len - 4, out, size) < 0)
		return err_set(e, EINVAL, "kernel %s cannot be unpacked", s->head.release);
	ret->len = size;
	if (!vmlinux_has_pvh_entry(out, size))
		return err_set(e, EOPNOTSUPP, "kernel %s has no PVH entry", s->head.release);
	return 0;
}

int kernel_unpacked_open(const char *root, const struct kernel *k, struct err *e)
{
	autoclose int image = kernel_image_open(k, e);
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
	r = cache_open(root, &(struct cache_key){ s.head.release, "vmlinux", h }, unpack, &s, e);
	/* then as it is: slower, and as good */
	return r < 0 ? take_fd(&image) : r;
}
