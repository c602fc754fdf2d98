/* block_rig.h - a disk and its driver in a test: an image, the device, requests of one line */
#ifndef TESTS_VIRTIO_BLOCK_RIG_H
#define TESTS_VIRTIO_BLOCK_RIG_H

#include "rig.h"

#include "virtio/block.h"

#define DISK_SECTORS 4096

/* Section 5.2.6. */
enum { B_IN = 0, B_OUT = 1, B_FLUSH = 4, B_GET_ID = 8, B_LIFETIME = 10, B_DISCARD = 11, B_WRITE_ZEROES = 13 };
enum { B_OK = 0, B_IOERR = 1, B_UNSUPP = 2, B_NONE = 0xee };
/* Section 5.2.3. */
#define B_F_RO	  (UINT64_C(1) << 5)
#define B_F_FLUSH (UINT64_C(1) << 9)

struct disk {
	struct rig *r;
	struct block b;
	int fd; /* the image, for reading and writing */
	int dev_fd; /* the device's */
};

struct disk_request {
	uint64_t header, data, status; /* addresses */
	uint32_t bytes;
	uint16_t head;
	bool in;
};

/* An image of DISK_SECTORS in `dir` (NULL: a memfd) filled with disk_byte, a started device; `c` without fd. */
struct disk *disk_new(const char *dir, struct block_config c, int open_flags, uint64_t without);
void disk_free(struct disk *d);
uint8_t disk_byte(uint64_t offset);
/* The bytes of the image as they are. */
void disk_image(struct disk *d, uint64_t offset, void *to, size_t n);

/* Adds a request (one buffer of data, if any) without a kick. */
struct disk_request disk_add(struct disk *d, uint32_t type, uint64_t sector, uint32_t bytes, bool in);
/* Kicks and waits for it; its status. */
int disk_wait(struct disk *d, const struct disk_request *q);
/* Both. */
int disk_do(struct disk *d, uint32_t type, uint64_t sector, uint32_t bytes, bool in);
/* DISCARD or WRITE_ZEROES. */
int disk_clear(struct disk *d, uint32_t type, uint64_t sector, uint32_t n_sectors, uint32_t flags);

#endif
