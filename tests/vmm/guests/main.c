/* main.c - a test guest: drives one device as it should be, then as it should not, then as it should be again
 *
 * Command line: device=NAME nth=N actions=N seed=N mortal=0|1.  What it asks of the harness (tests/vmm/machine.py) and tells it is a
 * line each on the serial port: "want WORD", ".", "again", "gone", "FAIL ...", "ready".  Then it waits for its power button.
 */
#include "virtio.h"

#define PORT_SLEEP    0x600
#define PORT_GED      0x604
#define POWER_BUTTON  1u
#define SLEEP_S5      (5u << 2 | 0x20)
#define START_CMDLINE 24 /* offsets in struct hvm_start_info */
#define START_MEMMAP  40

void guest_main(const uint8_t *start_info);

static const struct kind *const kinds[] = { &kind_rng,	   &kind_vsock,	  &kind_fs, &kind_block,
					    &kind_console, &kind_balloon, &kind_net };

/* The end of the RAM that begins at 1 MiB. */
static uint32_t find_low_end(const uint8_t *start_info)
{
	const uint64_t *map = (const uint64_t *)*(const uint32_t *)(start_info + START_MEMMAP);
	uint32_t n = *(const uint32_t *)(start_info + START_MEMMAP + 8);

	for (; n--; map += 3)
		if (map[0] == 0x100000)
			return (uint32_t)(map[0] + map[1]);
	fail("no RAM at 1 MiB");
}

static const struct kind *find_kind(void)
{
	char name[16];

	option("device", name, sizeof(name));
	for (unsigned i = 0; i < LEN_OF(kinds); i++)
		if (same(kinds[i]->name, name))
			return kinds[i];
	return NULL;
}

static void wait_for_power_button(void)
{
	while (!(in32(PORT_GED) & POWER_BUTTON))
		;
	for (;;)
		out8(PORT_SLEEP, SLEEP_S5);
}

/* mortal: whoever is behind the device may be gone by now. */
static void work(struct device *d, bool mortal)
{
	if (device_start(d))
		d->kind->use(d);
	else if (mortal)
		say("gone\n");
	else
		fail("the device does not start");
}

void guest_main(const uint8_t *start_info)
{
	const struct kind *k;
	struct device d;
	uint32_t actions;
	char name[16];

	guest.cmdline = (const char *)*(const uint32_t *)(start_info + START_CMDLINE);
	guest.low_end = find_low_end(start_info);
	option("device", name, sizeof(name));
	if (same(name, "memory"))
		use_memory();
	actions = option_number("actions");
	random_seed(option_number("seed"));
	k = find_kind();
	if (k) {
		if (!device_find(&d, k, option_number("nth")))
			fail("the device is not there");
		work(&d, false);
		if (actions) {
			hostile(&d, actions);
			say("again\n");
			work(&d, option_number("mortal"));
		}
	}
	say("ready\n");
	wait_for_power_button();
}
