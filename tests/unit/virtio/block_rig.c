/* block_rig.c - a disk and its driver in a test */
#include "block_rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

uint8_t disk_byte(uint64_t offset)
{
	return (uint8_t)(1 + (offset / 512 * 7 + offset) % 255);
}

static int make_image(const char *dir)
{
	int fd = dir ? open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : memfd_create("disk", MFD_CLOEXEC);
	uint8_t sector[512];

	assert_true(fd >= 0);
	for (uint64_t s = 0; s < DISK_SECTORS; s++) {
		for (unsigned i = 0; i < sizeof(sector); i++)
			sector[i] = disk_byte(s * sizeof(sector) + i);
		assert_int_equal(pwrite(fd, sector, sizeof(sector), (off_t)(s * sizeof(sector))),
				 sizeof(sector));
	}
	return fd;
}

struct disk *disk_new(const char *dir, struct block_config c, int open_flags, uint64_t without)
{
	struct disk *d = calloc(1, sizeof(*d));
	char path[64];

	assert_non_null(d);
	d->r = rig_new();
	d->fd = make_image(dir);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", d->fd);
	d->dev_fd = c.fd = open(path, open_flags | O_CLOEXEC);
	assert_true(c.fd >= 0);
	assert_int_equal(block_init(&d->b, &c, &d->r->ram, d->r->loop), 0);
	rig_start(d->r, &d->b.dev, without);
	return d;
}

void disk_free(struct disk *d)
{
	block_done(&d->b);
	close(d->fd);
	close(d->dev_fd);
	rig_free(d->r);
	free(d);
}

void disk_image(struct disk *d, uint64_t offset, void *to, size_t n)
{
	assert_int_equal(pread(d->fd, to, n, (off_t)offset), n);
}

struct disk_request disk_add(struct disk *d, uint32_t type, uint64_t sector, uint32_t bytes, bool in)
{
	struct disk_request q = { .bytes = bytes, .in = in };
	struct rig_buf v[3];
	unsigned n = 0;

	q.header = rig_alloc(d->r, 16, 1);
	q.data = rig_alloc(d->r, bytes, 1);
	q.status = rig_alloc(d->r, 1, 1);
	memcpy(rig_at(d->r, q.header), &type, sizeof(type));
	memcpy(rig_at(d->r, q.header + 8), &sector, sizeof(sector));
	*(uint8_t *)rig_at(d->r, q.status) = B_NONE;
	v[n++] = (struct rig_buf){ q.header, 16, false };
	if (bytes)
		v[n++] = (struct rig_buf){ q.data, bytes, in };
	v[n++] = (struct rig_buf){ q.status, 1, true };
	q.head = rig_add_indirect(d->r, 0, v, n);
	return q;
}

int disk_wait(struct disk *d, const struct disk_request *q)
{
	uint32_t len;
	int status;

	rig_kick(d->r, 0);
	len = rig_wait(d->r, 0, q->head);
	status = *(uint8_t *)rig_at(d->r, q->status);
	assert_int_equal(len, status == B_OK && q->in ? q->bytes + 1 : 1);
	return status;
}

int disk_do(struct disk *d, uint32_t type, uint64_t sector, uint32_t bytes, bool in)
{
	struct disk_request q = disk_add(d, type, sector, bytes, in);

	return disk_wait(d, &q);
}

int disk_clear(struct disk *d, uint32_t type, uint64_t sector, uint32_t n_sectors, uint32_t flags)
{
	struct disk_request q = disk_add(d, type, 0, 16, false);

	memcpy(rig_at(d->r, q.data), &sector, 8);
	memcpy(rig_at(d->r, q.data + 8), &n_sectors, 4);
	memcpy(rig_at(d->r, q.data + 12), &flags, 4);
	return disk_wait(d, &q);
}
