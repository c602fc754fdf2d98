/* memory.c - the RAM of a machine */
#include "vmm/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "vmm/layout.h"

static int open_file(uint64_t bytes, bool hugepages)
{
	autoclose int fd =
		memfd_create("ram", MFD_CLOEXEC | MFD_ALLOW_SEALING | (hugepages ? MFD_HUGETLB : 0));

	if (fd < 0 || ftruncate(fd, (off_t)bytes) < 0)
		return -errno;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return -errno;
	return take_fd(&fd);
}

int memory_make(uint64_t bytes, bool hugepages, struct ram *ret, struct err *e)
{
	autoclose int fd = -1;
	uint64_t low = bytes < LOW_RAM_END ? bytes : LOW_RAM_END;
	uint8_t *host;

	if (!bytes || bytes % MEMORY_STEP)
		return err_set(e, EINVAL, "RAM must be a multiple of 2 MiB");
	fd = open_file(bytes, hugepages);
	if (fd < 0)
		return err_sys(e, -fd, "RAM");
	/* huge pages are reserved now: one that is missing later would be a SIGBUS in whoever touches it */
	host = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | (hugepages ? 0 : MAP_NORESERVE), fd, 0);
	if (host == MAP_FAILED)
		return err_sys(e, errno, hugepages ? "RAM of huge pages" : "RAM");
	madvise(host, bytes, MADV_DONTDUMP);
	*ret = (struct ram){ .n = 1, .huge = hugepages, .slots[0] = { 0, low, host, 0 } };
	if (bytes > low)
		ret->slots[ret->n++] = (struct ram_slot){ HIGH_RAM_BASE, bytes - low, host + low, low };
	ret->fd = take_fd(&fd);
	return 0;
}

int memory_give(const struct ram *r, int vm_fd)
{
	for (unsigned i = 0; i < r->n; i++) {
		struct kvm_userspace_memory_region region = {
			.slot = i,
			.guest_phys_addr = r->slots[i].gpa,
			.memory_size = r->slots[i].bytes,
			.userspace_addr = (uintptr_t)r->slots[i].host,
		};

		if (ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION, &region) < 0)
			return -errno;
	}
	return 0;
}

void memory_free(struct ram *r)
{
	uint64_t bytes = 0;

	if (!r->n)
		return;
	for (unsigned i = 0; i < r->n; i++)
		bytes += r->slots[i].bytes;
	munmap(r->slots[0].host, bytes);
	close(r->fd);
	r->n = 0;
}
