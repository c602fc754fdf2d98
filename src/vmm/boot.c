/* boot.c - a kernel, its initramfs and its command line into guest RAM
 *
 * The kind of kernel is seen in its first bytes.  It is placed first; the initramfs goes as high as it may,
 * so that a kernel which moves itself has all the room between.
 */
#include "vmm/boot.h"

#include <errno.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "vmm/elf.h"
#include "vmm/layout.h"
#include "vmm/linux64.h"
#include "vmm/memmap.h"
#include "vmm/pvh.h"

#define PAGE UINT64_C(4096)

struct kind {
	bool (*is)(const void *head, size_t n);
	int (*load)(const struct image *i, const struct ram *ram, struct boot_kernel *ret, struct err *e);
	enum boot_protocol protocol;
	uint64_t info_gpa;
};

static const struct kind kinds[] = {
	{ elf_is, elf_load, BOOT_PVH, BOOT_START_INFO },
	{ linux64_is, linux64_load, BOOT_LINUX64, BOOT_ZERO_PAGE },
};

static const struct kind *find_kind(int fd)
{
	uint8_t head[LINUX64_HEAD_BYTES];
	ssize_t n = pread(fd, head, sizeof(head), 0);

	for (size_t i = 0; n > 0 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].is(head, (size_t)n))
			return &kinds[i];
	return NULL;
}

static int load_initramfs(int fd, const struct boot_kernel *k, const struct ram *ram, struct boot_info *info,
			  struct err *e)
{
	struct image i;
	uint64_t gpa;
	int r = image_init(&i, "initramfs", fd, e);

	if (r < 0)
		return r;
	gpa = i.bytes <= k->initramfs_end ? (k->initramfs_end - i.bytes) & ~(PAGE - 1) : 0;
	if (gpa < k->end)
		return err_set(e, ENOSPC,
			       "the initramfs, %llu bytes, does not fit into the memory beside the kernel",
			       (unsigned long long)i.bytes);
	r = image_load(&i, 0, ram, gpa, i.bytes, e);
	if (r < 0)
		return r;
	info->initramfs_gpa = gpa;
	info->initramfs_bytes = i.bytes;
	return 0;
}

static int write_cmdline(const char *cmdline, const struct boot_kernel *k, uint8_t *low, struct err *e)
{
	const uint64_t max = k->cmdline_max < BOOT_CMDLINE_MAX ? k->cmdline_max : BOOT_CMDLINE_MAX - 1;
	size_t n = strlen(cmdline);

	if (n > max)
		return err_set(e, E2BIG, "the command line of the kernel has %zu bytes; it takes %llu", n,
			       (unsigned long long)max);
	memcpy(low + BOOT_CMDLINE, cmdline, n + 1);
	return 0;
}

int boot_load(const struct boot_source *s, const struct ram *ram, struct boot_entry *ret, struct err *e)
{
	uint8_t *low = ram_at(ram, 0, KERNEL_LOWEST);
	struct boot_info info = { .cmdline_gpa = BOOT_CMDLINE, .rsdp_gpa = s->rsdp_gpa };
	const struct kind *kind;
	struct boot_kernel k;
	struct image i;
	int r;

	if (!low)
		return err_set(e, ENOSPC, "the machine has less than 1 MiB of memory");
	r = image_init(&i, "kernel", s->kernel_fd, e);
	if (r < 0)
		return r;
	kind = find_kind(s->kernel_fd);
	if (!kind)
		return err_set(e, EINVAL, "the kernel is neither an ELF file nor a bzImage");
	r = kind->load(&i, ram, &k, e);
	if (r == 0)
		r = write_cmdline(s->cmdline, &k, low, e);
	if (r == 0 && s->initramfs_fd >= 0)
		r = load_initramfs(s->initramfs_fd, &k, ram, &info, e);
	if (r < 0)
		return r;
	if (kind->protocol == BOOT_PVH)
		pvh_write_info(&info, ram, low);
	else
		linux64_write_params(&k, &info, ram, low);
	*ret = (struct boot_entry){ kind->protocol, k.entry, kind->info_gpa };
	return 0;
}
