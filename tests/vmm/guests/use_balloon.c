/* use_balloon.c - memory balloon (virtio 1.2, section 5.5): given back as the harness wants, then taken again */
#include "virtio.h"

#define INFLATE	   0
#define DEFLATE	   1
#define PAGE	   4096u
#define NUM_PAGES  REG_CONFIG
#define ACTUAL	   (REG_CONFIG + 4)
#define PAGES	   1024u /* what the harness asks for: 4 MiB */
#define FIRST_PAGE ((ARENA + 0x200000u) / PAGE)

static void move(struct device *d, unsigned queue, const char *what)
{
	uint32_t *pages = (uint32_t *)BUFFERS;
	const struct buffer out = { pages, PAGES * sizeof(*pages), false };

	for (uint32_t i = 0; i < PAGES; i++)
		pages[i] = FIRST_PAGE + i;
	queue_do(d, &d->queues[queue], &out, 1, what);
}

static void wait_for_target(const struct device *d, uint32_t pages)
{
	struct patience p = { .what = "the balloon's size does not change" };

	while (reg_read(d, NUM_PAGES) != pages)
		wait_a_little(&p);
}

static void use(struct device *d)
{
	volatile uint32_t *last = (void *)((FIRST_PAGE + PAGES - 1) * PAGE);

	*last = 1;
	say("want inflated\n");
	wait_for_target(d, PAGES);
	move(d, INFLATE, "the balloon takes no pages");
	reg_write(d, ACTUAL, PAGES);
	if (*last)
		fail("a page in the balloon keeps its content");
	say("want deflated\n");
	wait_for_target(d, 0);
	move(d, DEFLATE, "the balloon gives no pages");
	reg_write(d, ACTUAL, 0);
}

/* Pages of the arena behind its first MiB, of the device hole, or none at all. */
static void request(uint8_t *at)
{
	uint32_t *pages = (uint32_t *)at;

	for (unsigned i = 0; i < 16; i++)
		pages[i] =
			random_below(4) ? FIRST_PAGE + random_below(4096) : 0xbff00 + random_below(0x41000);
}

const struct kind kind_balloon = {
	.name = "balloon",
	.id = 5,
	.n_queues = 2,
	.most_queues = 5,
	.use = use,
	.request = request,
};
