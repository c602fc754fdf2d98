/* use_memory.c - no device: memory that changes all the time, and is looked through when the machine has become another
 *
 * Page c % n gets the number c, for c = 1, 2, 3 ...: so at any moment, which of them hold what follows from c alone.
 * "count N" is said at each new generation ID, after all pages were looked at.  Command line: pages=N step=N (numbers
 * between two looks at the event device, which leave the guest).
 */
#include "virtio.h"

#define PAGE	       4096u
#define PORT_SLEEP     0x600
#define PORT_GED       0x604
#define POWER_BUTTON   1u
#define NEW_GENERATION 2u
#define SLEEP_S5       (5u << 2 | 0x20)

static volatile uint32_t *page_at(uint32_t i)
{
	return (volatile uint32_t *)(ARENA + i * PAGE);
}

/* The last number of page i so far; 0: none yet. */
static uint32_t expected(uint32_t i, uint32_t count, uint32_t n)
{
	uint32_t back = (count % n + n - i) % n;

	return count > back ? count - back : 0;
}

static void look_through(uint32_t count, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (*page_at(i) != expected(i, count, n))
			fail("a page is of another time");
	}
	say("count ");
	say_number(count);
	say("\n");
}

_Noreturn void use_memory(void)
{
	uint32_t n = option_number("pages"), step = option_number("step"), count = 0;

	for (uint32_t i = 0; i < n; i++)
		*page_at(i) = 0;
	for (bool first = true;; first = false) {
		uint32_t events = in32(PORT_GED);

		if (events & POWER_BUTTON)
			for (;;)
				out8(PORT_SLEEP, SLEEP_S5);
		if (events & NEW_GENERATION)
			look_through(count, n);
		for (uint32_t i = 0; i < step; i++) {
			count++;
			*page_at(count % n) = count;
		}
		if (first)
			say("ready\n");
	}
}
