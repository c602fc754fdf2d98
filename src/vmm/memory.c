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

/* Anonymous, at a multiple of MEMORY_STEP: so the host's kernel can take huge pages for it and KVM map them whole. */
static uint8_t *map_own(uint64_t bytes)
{
	const size_t room = bytes + MEMORY_STEP;
	uint8_t *at =
		mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t before;

	if (at == MAP_FAILED)
		return at;
	before = -(uintptr_t)at % MEMORY_STEP;
	if (before)
		munmap(at, before);
	munmap(at + before + bytes, room - before - bytes);
	madvise(at + before, bytes, MADV_HUGEPAGE); /* -EINVAL where the host has none: small pages, then */
	return at + before;
}

/* Huge pages are reserved now: one that is missing later would be a SIGBUS in whoever touches it. */
static uint8_t *map_file(int fd, uint64_t bytes, bool huge)
{
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | (huge ? 0 : MAP_NORESERVE), fd, 0);
}

void memory_adopt(uint8_t *host, uint64_t bytes, struct ram *ret)
{
	const uint64_t low = bytes < LOW_RAM_END ? bytes : LOW_RAM_END;

	madvise(host, bytes, MADV_DONTDUMP);
	*ret = (struct ram){ .n = 1, .fd = -1, .slots[0] = { 0, low, host, 0 } };
	if (bytes > low)
		ret->slots[ret->n++] = (struct ram_slot){ HIGH_RAM_BASE, bytes - low, host + low, low };
}

int memory_make(uint64_t bytes, enum memory_kind kind, struct ram *ret, struct err *e)
{
	const bool huge = kind == MEMORY_HUGE;
	autoclose int fd = -1;
	uint8_t *host;

	if (!bytes || bytes % MEMORY_STEP)
		return err_set(e, EINVAL, "RAM must be a multiple of 2 MiB");
	if (kind != MEMORY_OWN) {
		fd = open_file(bytes, huge);
		if (fd < 0)
			return err_sys(e, -fd, "RAM");
	}
	host = kind == MEMORY_OWN ? map_own(bytes) : map_file(fd, bytes, huge);
	if (host == MAP_FAILED)
		return err_sys(e, errno, huge ? "RAM of huge pages" : "RAM");
	memory_adopt(host, bytes, ret);
	ret->huge = huge;
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

int memory_show(const void *host, uint64_t bytes, uint64_t gpa, int vm_fd)
{
	struct kvm_userspace_memory_region region = {
		.slot = RAM_SLOTS,
		.flags = KVM_MEM_READONLY,
		.guest_phys_addr = gpa,
		.memory_size = bytes,
		.userspace_addr = (uintptr_t)host,
	};

	return ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION, &region) < 0 ? -errno : 0;
}

void memory_free(struct ram *r)
{
	if (!r->n)
		return;
	munmap(r->slots[0].host, ram_size(r));
	if (r->fd >= 0)
		close(r->fd);
	r->n = 0;
}
