/* use_block.c - block device (virtio 1.2, section 5.2): a pattern written, flushed, read back; a read-only disk read */
#include "virtio.h"

#define SECTOR	  512u
#define FIRST	  8u /* sectors that are written: the harness knows them too */
#define N_SECTORS 16u
#define F_RO	  (1u << 5)
#define F_FLUSH	  (1u << 9)
#define FILLED	  0x5a /* what the harness has filled the disk with */

enum { IN = 0, OUT = 1, FLUSH = 4, GET_ID = 8, DISCARD = 11, WRITE_ZEROES = 13 };

struct header {
	uint32_t type, reserved, sector, sector_high;
};

static uint8_t *const data = (uint8_t *)BUFFERS + 4096;

/* Returns the status byte. */
static uint8_t ask(struct device *d, uint32_t type, uint32_t sector, uint32_t bytes)
{
	struct header *h = (struct header *)BUFFERS;
	uint8_t *status = (uint8_t *)(h + 1);
	const struct buffer buffers[] = { { h, sizeof(*h), false },
					  { data, bytes, type == IN },
					  { status, 1, true } };
	const struct buffer without[] = { buffers[0], buffers[2] };

	*h = (struct header){ .type = type, .sector = sector };
	*status = 0xff;
	queue_do(d, &d->queues[0], bytes ? buffers : without, bytes ? 3 : 2, "the disk does not answer");
	return *status;
}

/* The harness makes the same. */
static uint8_t pattern(uint32_t i)
{
	return (uint8_t)(0x80 | (i * 7 + i / SECTOR));
}

static void use(struct device *d)
{
	bool read_only = reg_read(d, REG_FEATURES) & F_RO;
	uint32_t n = N_SECTORS * SECTOR;

	for (uint32_t i = 0; i < n; i++)
		data[i] = pattern(i);
	if (read_only != !!ask(d, OUT, FIRST, n))
		fail(read_only ? "a read-only disk is written" : "the disk is not written");
	if (!read_only && ask(d, FLUSH, 0, 0))
		fail("the disk is not flushed");
	memset(data, 0, n);
	if (ask(d, IN, FIRST, n))
		fail("the disk is not read");
	for (uint32_t i = 0; i < n; i++)
		if (data[i] != (read_only ? FILLED : pattern(i)))
			fail("the disk reads wrong");
	if (!ask(d, IN, *(volatile uint32_t *)(d->base + REG_CONFIG), SECTOR))
		fail("a sector behind the end is read");
}

static void request(uint8_t *at)
{
	static const uint8_t types[] = { IN, IN, OUT, OUT, FLUSH, GET_ID, DISCARD, WRITE_ZEROES, 2, 14, 16 };
	struct header *h = (struct header *)at;
	uint32_t *segment = (uint32_t *)(h + 1); /* of DISCARD and WRITE_ZEROES */

	*h = (struct header){ .type = random_below(16) ? types[random_below(LEN_OF(types))] : random32(),
			      .sector = random_below(4) ? random_below(2100) : random32(),
			      .sector_high = random_below(8) ? 0 : random32() };
	segment[0] = random_below(2100);
	segment[1] = random_below(8) ? 0 : random32();
	segment[2] = random_below(4) ? random_below(100) : random32();
	segment[3] = random_below(4);
}

const struct kind kind_block = {
	.name = "block",
	.id = 2,
	.features = F_RO | F_FLUSH,
	.n_queues = 1,
	.most_queues = 1,
	.use = use,
	.request = request,
};
