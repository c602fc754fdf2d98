/* hostile.c - a driver that breaks every rule: random registers, rings, descriptors, resets, interrupt controller, ports
 *
 * What it must not do is make a device write over this program: addresses of buffers and rings are random among places
 * that are free, at edges, or no RAM at all.
 */
#include "virtio.h"

#define IOAPIC	    0xfec00000u
#define IOAPIC_GSIS 48
#define DOTS	    16

/* --- values */

static uint32_t boundary(void)
{
	static const uint32_t values[] = { 0,	     1,		 2,	     3,		 4,	 7,
					   8,	     15,	 16,	     17,	 255,	 256,
					   257,	     511,	 512,	     1023,	 1024,	 1025,
					   4095,     4096,	 4097,	     0x7fff,	 0x8000, 0xffff,
					   0x10000,  0x7fffffff, 0x80000000, 0xfffffff0, ~1u,	 ~0u,
					   1u << 28, 1u << 29 };

	return random_below(4) ? values[random_below(LEN_OF(values))] : random32();
}

/* Below the arena nothing may be written by a device but what is below 1 MiB, and there only rings of a known size. */
static uint32_t safe(uint32_t low)
{
	return low < ARENA ? low + ARENA : low;
}

static uint32_t edge(void)
{
	const uint32_t edges[] = { guest.low_end, 0xc0000000, VIRTIO_AT(0), VIRTIO_AT(31), IOAPIC,
				   0xfee00000,	  0,	      0x80000000,   0xfffff000 };

	return edges[random_below(LEN_OF(edges))] + random_below(64) - 32;
}

static uint32_t address(void)
{
	switch (random_below(8)) {
	case 0:
		return safe(edge());
	case 1:
		return safe(random32());
	case 2:
		return TABLES + random_below(TABLES_BYTES);
	case 3:
		return ARENA + random_below(MOST_QUEUES * 0x10000);
	default:
		return BUFFERS + random_below(BUFFERS_BYTES);
	}
}

static uint32_t high(void)
{
	return random_below(16) ? 0 : random_below(2) ? boundary() : 1;
}

static uint32_t length(void)
{
	switch (random_below(8)) {
	case 0:
		return boundary();
	case 1:
		return random_below(0x10000);
	case 2:
		return 44 + random_below(8);
	default:
		return 1 + random_below(4096);
	}
}

/* Where a ring may be: as address(), aligned mostly, or in the first MiB, which ends well below the program. */
static uint32_t ring_address(unsigned q)
{
	static const uint32_t low[] = { 0, 0x500, 0x9fff0, 0xa0000, 0xdfff0, 0xe0000, 0xffff0 };

	switch (random_below(8)) {
	case 0:
		return low[random_below(LEN_OF(low))];
	case 1:
		return address();
	case 2:
		return safe(edge()) & ~15u;
	default:
		return QUEUE_AT(q) + 0x1000 * random_below(16);
	}
}

/* --- memory */

static struct queue *any_queue(struct device *d)
{
	return &d->queues[random_below(d->kind->most_queues)];
}

static void fill_desc(volatile struct desc *d, uint16_t size)
{
	uint32_t what = random_below(16);

	d->addr = address();
	d->addr_high = high();
	d->len = length();
	d->flags = (uint16_t)(what == 0 ? random32() : what == 1 ? DESC_INDIRECT : random_below(4));
	d->next = (uint16_t)(random_below(16) ? random_below(size) : boundary());
}

static void poke_desc(volatile struct desc *d)
{
	switch (random_below(5)) {
	case 0:
		d->addr = address();
		break;
	case 1:
		d->addr_high = high();
		break;
	case 2:
		d->len = length();
		break;
	case 3:
		d->flags = (uint16_t)boundary();
		break;
	default:
		d->next = (uint16_t)boundary();
		break;
	}
}

static volatile struct desc *any_desc(struct queue *q)
{
	volatile struct desc *tables = (void *)TABLES;

	return random_below(3) ? &q->desc[random_below(q->size)]
			       : &tables[random_below(TABLES_BYTES / sizeof(*tables))];
}

static void poke(struct device *d)
{
	struct queue *q = any_queue(d);

	switch (random_below(8)) {
	case 0:
		q->avail->flags = (uint16_t)boundary();
		break;
	case 1:
		q->avail->idx = (uint16_t)(random_below(4) ? q->avail->idx + random_below(4) : boundary());
		break;
	case 2:
		q->avail->ring[random_below(q->size + 1u)] =
			(uint16_t)(random_below(8) ? random_below(q->size) : boundary());
		break;
	case 3:
		q->used->idx = (uint16_t)boundary();
		break;
	case 4:
		d->kind->request((uint8_t *)BUFFERS + random_below(BUFFERS_BYTES - 64));
		break;
	default:
		poke_desc(any_desc(q));
		break;
	}
}

/* A chain that a device might take: a request, then buffers; its table may be an indirect one. */
static void chain(struct device *d)
{
	struct queue *q = any_queue(d);
	uint32_t table = TABLES + 0x1000 * random_below(TABLES_BYTES / 0x1000);
	bool indirect = !random_below(4);
	volatile struct desc *at = indirect ? (void *)table : q->desc;
	unsigned n = 1 + random_below(6), out = random_below(n + 1);
	uint8_t *request = (uint8_t *)BUFFERS + 64 * random_below(BUFFERS_BYTES / 64);

	d->kind->request(request);
	for (unsigned i = 0; i < n; i++) {
		at[i].addr = i == 0 ? (uint32_t)request : BUFFERS + random_below(BUFFERS_BYTES - 4096);
		at[i].addr_high = 0;
		at[i].len = i == 0 && random_below(2) ? 16 + random_below(49) : 1 + random_below(4096);
		if (i == n - 1u && i && random_below(2))
			at[i].len = 1;
		at[i].flags = (uint16_t)((i < out ? 0 : DESC_WRITE) | (i + 1 < n ? DESC_NEXT : 0));
		at[i].next = (uint16_t)(i + 1);
	}
	if (indirect) {
		q->desc[n] = (struct desc){ .addr = table, .len = 16 * n, .flags = DESC_INDIRECT };
		q->avail->ring[q->avail->idx % q->size] = (uint16_t)n;
	} else {
		q->avail->ring[q->avail->idx % q->size] = 0;
	}
	if (!random_below(8))
		poke_desc(&at[random_below(n)]);
	q->avail->idx++;
	if (random_below(2))
		queue_kick(d, q);
}

/* --- registers */

static void access(uint32_t at, uint32_t what, bool write)
{
	switch (what) {
	case 0:
		if (write)
			*(volatile uint8_t *)at = (uint8_t)boundary();
		else
			(void)*(volatile uint8_t *)at;
		break;
	case 1:
		if (write)
			*(volatile uint16_t *)at = (uint16_t)boundary();
		else
			(void)*(volatile uint16_t *)at;
		break;
	default:
		if (write)
			*(volatile uint32_t *)at = boundary();
		else
			(void)*(volatile uint32_t *)at;
		break;
	}
}

/* Any register but those whose value would be an address: they have their own turn. */
static void any_register(const struct device *d, bool write)
{
	uint32_t reg = random_below(4) ? 4 * random_below(0x80) : random_below(0x1000);
	uint32_t size = random_below(4);

	if (write && reg + 3 >= REG_DESC && reg < 0x0b0)
		return;
	access(d->base + reg, size, write);
}

static void ring_register(const struct device *d)
{
	static const uint32_t regs[] = { REG_DESC, REG_AVAIL, REG_USED };
	uint32_t reg = regs[random_below(3)];

	if (random_below(8))
		reg_write(d, reg, ring_address(random_below(d->kind->most_queues)));
	else
		reg_write(d, reg + 4, high());
}

static void config_register(const struct device *d)
{
	access(d->base + REG_CONFIG + random_below(0x100), random_below(4), random_below(2));
}

/* From reset to DRIVER_OK with a slip here and there. */
static void restart(struct device *d)
{
	unsigned slips = random_below(3) ? 0 : 4;
	uint32_t features[2] = { random_below(2) ? ~0u : random32(), F_VERSION_1 };

	if (slips && !random_below(slips))
		features[1] = random32();
	reg_write(d, REG_STATUS, 0);
	reg_write(d, REG_STATUS, 3);
	for (unsigned i = 0; i < 2; i++) {
		reg_write(d, REG_FEATURES_SEL, i);
		reg_write(d, REG_DRIVER_FEATURES_SEL, i);
		reg_write(d, REG_DRIVER_FEATURES, features[i] & reg_read(d, REG_FEATURES));
	}
	reg_write(d, REG_STATUS, 11);
	for (unsigned i = 0; i < d->kind->most_queues; i++) {
		bool slip = slips && !random_below(slips);

		reg_write(d, REG_QUEUE_SEL, i);
		reg_write(d, REG_QUEUE_NUM, slip ? boundary() : d->queues[i].size);
		reg_write(d, REG_DESC, slip ? ring_address(i) : DESC_AT(i));
		reg_write(d, REG_AVAIL, slip ? ring_address(i) : AVAIL_AT(i));
		reg_write(d, REG_USED, slip ? ring_address(i) : USED_AT(i));
		d->queues[i].avail->idx = 0;
		reg_write(d, REG_QUEUE_READY, slip ? random_below(2) : 1);
	}
	reg_write(d, REG_STATUS, 15);
}

/* --- beside the device */

/* Without NMI, SMI, INIT (delivery modes 2, 4, 5): this processor would not come back from them. */
static void ioapic(void)
{
	uint32_t index = random_below(8) ? 0x10 + random_below(2 * IOAPIC_GSIS) : random32(), v = random32();

	if ((v >> 8 & 7) == 2 || (v >> 8 & 7) == 4 || (v >> 8 & 7) == 5)
		v &= ~0x700u;
	if (random_below(4)) {
		*(volatile uint32_t *)IOAPIC = index;
		*(volatile uint32_t *)(IOAPIC + 0x10) = v;
	} else {
		access(IOAPIC + random_below(0x1000 - 4), random_below(2), random_below(2));
	}
}

/* Not those where a machine ends, and not the serial port's data: that is what we speak through. */
static void port(void)
{
	uint16_t p = (uint16_t)(random_below(2) ? random32() : 0x3f9 + random_below(7));

	if (random_below(2)) {
		in32(p);
	} else if (p != 0x3f8 && p != 0x64 && (p < 0x3f0 || p > 0x3ff) && (p < 0x500 || p > 0x610)) {
		out32(p, random32());
	} else if (p >= 0x3f9 && p <= 0x3ff && p != 0x3fb && p != 0x3fc) {
		out8(p, (uint8_t)random32()); /* not line and modem control: no loopback, no divisor */
	}
}

/* Mostly in memory: that does not leave the guest, and goes on while the device works. */
static void act(struct device *d)
{
	uint32_t what = random_below(1000);

	if (what < 700)
		poke(d);
	else if (what < 880)
		chain(d);
	else if (what < 900)
		fill_desc(any_desc(any_queue(d)), QUEUE_SIZE);
	else if (what < 910)
		reg_write(d, REG_NOTIFY, random_below(8) ? random_below(d->kind->most_queues) : boundary());
	else if (what < 930)
		any_register(d, false);
	else if (what < 945)
		any_register(d, true);
	else if (what < 955)
		ring_register(d);
	else if (what < 965)
		config_register(d);
	else if (what < 972)
		ioapic();
	else if (what < 980)
		port();
	else if (what < 999 ? reg_read(d, REG_STATUS) != 15 : !random_below(8))
		restart(d);
}

void hostile(struct device *d, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		act(d);
		if (i % (n / DOTS + 1) == 0)
			say(".\n");
	}
}
