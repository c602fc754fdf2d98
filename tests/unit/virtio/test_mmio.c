/* test_mmio.c - the registers of virtio-mmio (virtio 1.2, section 4.2.2) and a device's life, seen by a driver */
#include "rig.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/auto.h"

#define N_QUEUES   2
#define QUEUE_SIZE 16
#define FEATURE	   (UINT64_C(1) << 5)
#define ALL_OK	   (S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK)

/* A device that counts what it is told. */
static struct fake {
	struct virtio_dev dev;
	uint8_t config[12];
	unsigned starts, stops, kicks[N_QUEUES], config_writes, most_in_a_row;
	uint32_t written_at, written_len;
	int start_result;
	bool endless; /* the driver adds a chain for each that is taken */
} fake;

static struct rig *r;

static int on_start(struct virtio_dev *d)
{
	fake.starts++;
	return fake.start_result;
}

static void on_stop(struct virtio_dev *d)
{
	fake.stops++;
}

static void on_kick(struct virtio_dev *d, unsigned q)
{
	struct vq_chain c;
	unsigned n = 0;

	fake.kicks[q]++;
	while (virtio_pop(d, q, &c)) {
		vq_push(&d->queues[q], c.head, c.in_bytes);
		n++;
		if (fake.endless)
			rig_avail(r, q, c.head);
	}
	virtio_notify(d, q);
	fake.most_in_a_row = n > fake.most_in_a_row ? n : fake.most_in_a_row;
}

static void on_config(struct virtio_dev *d, uint32_t offset, uint32_t len)
{
	fake.config_writes++;
	fake.written_at = offset;
	fake.written_len = len;
}

static const struct virtio_ops ops = {
	.name = "fake",
	.id = 42,
	.start = on_start,
	.stop = on_stop,
	.kick = on_kick,
	.config_written = on_config,
};
static const struct virtio_ops plain_ops = { .name = "fake", .id = 42, .kick = on_kick };

static void make(const struct virtio_ops *o)
{
	fake = (struct fake){ .config = "ABCDEFGHIJK" };
	fake.dev = (struct virtio_dev){
		.ops = o,
		.features = FEATURE,
		.n_queues = N_QUEUES,
		.queue_size = QUEUE_SIZE,
		.config = fake.config,
		.config_bytes = sizeof(fake.config),
	};
	assert_int_equal(virtio_init(&fake.dev, &r->ram, r->loop), 0);
	r->dev = &fake.dev;
}

static int set_up(void **state)
{
	r = rig_new();
	make(&ops);
	return 0;
}

static int tear_down(void **state)
{
	virtio_done(&fake.dev);
	rig_free(r);
	return 0;
}

static uint64_t all_features(void)
{
	return FEATURE | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1;
}

/* --- identity and features */

static void a_device_says_what_it_is(void **state)
{
	assert_int_equal(rig_get(r, R_MAGIC), 0x74726976);
	assert_int_equal(rig_get(r, R_VERSION), 2);
	assert_int_equal(rig_get(r, R_DEVICE_ID), 42);
	assert_int_equal(rig_get(r, R_STATUS), 0);
	assert_int_equal(rig_get(r, R_SHM_LEN_LOW), UINT32_MAX);
	assert_int_equal(rig_get(r, R_SHM_BASE_HIGH), UINT32_MAX);
	assert_true(rig_offered(r) == all_features());
	rig_set(r, R_DEVICE_FEATURES_SEL, 2);
	assert_int_equal(rig_get(r, R_DEVICE_FEATURES), 0);
	rig_set(r, R_DEVICE_FEATURES_SEL, UINT32_MAX);
	assert_int_equal(rig_get(r, R_DEVICE_FEATURES), 0);
}

static void features_are_accepted_if_they_were_offered(void **state)
{
	assert_true(rig_negotiate(r, all_features()));
	assert_true(rig_negotiate(r, VIRTIO_F_VERSION_1));
	assert_false(virtio_has(&fake.dev, FEATURE));
	assert_false(rig_negotiate(r, FEATURE)); /* a legacy driver */
	assert_false(rig_negotiate(r, 0));
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t f = UINT64_C(1) << bit;

		assert_int_equal(rig_negotiate(r, VIRTIO_F_VERSION_1 | f), !!(f & all_features()));
	}
}

static void features_do_not_change_once_they_are_accepted(void **state)
{
	assert_true(rig_negotiate(r, VIRTIO_F_VERSION_1));
	rig_set(r, R_DRIVER_FEATURES_SEL, 0);
	rig_set(r, R_DRIVER_FEATURES, UINT32_MAX);
	assert_false(virtio_has(&fake.dev, FEATURE));
	rig_driver_ok(r);
	rig_set(r, R_DRIVER_FEATURES, UINT32_MAX);
	assert_false(virtio_has(&fake.dev, FEATURE));
	rig_reset(r);
	rig_set(r, R_DRIVER_FEATURES_SEL, 2); /* there are 64 */
	rig_set(r, R_DRIVER_FEATURES, UINT32_MAX);
	assert_true(fake.dev.s.driver_features == 0);
}

static void driver_ok_needs_features_ok(void **state)
{
	rig_set(r, R_STATUS, S_ACKNOWLEDGE | S_DRIVER | S_DRIVER_OK);
	assert_int_equal(rig_get(r, R_STATUS), S_ACKNOWLEDGE | S_DRIVER);
	assert_int_equal(fake.starts, 0);
	rig_negotiate(r, 0);
	rig_driver_ok(r);
	assert_int_equal(rig_get(r, R_STATUS), S_ACKNOWLEDGE | S_DRIVER);
	assert_true(rig_negotiate(r, VIRTIO_F_VERSION_1));
	rig_driver_ok(r);
	assert_int_equal(rig_get(r, R_STATUS), ALL_OK);
	assert_int_equal(fake.starts, 1);
	rig_driver_ok(r);
	assert_int_equal(fake.starts, 1);
}

static void status_bits_are_only_added(void **state)
{
	rig_set(r, R_STATUS, S_ACKNOWLEDGE | S_DRIVER);
	rig_set(r, R_STATUS, S_ACKNOWLEDGE);
	assert_int_equal(rig_get(r, R_STATUS), S_ACKNOWLEDGE | S_DRIVER);
	rig_set(r, R_STATUS, S_NEEDS_RESET | 0xffffff20); /* not the driver's to set */
	assert_int_equal(rig_get(r, R_STATUS), S_ACKNOWLEDGE | S_DRIVER);
	rig_set(r, R_STATUS, S_FAILED);
	assert_int_equal(rig_get(r, R_STATUS), S_ACKNOWLEDGE | S_DRIVER | S_FAILED);
	rig_reset(r);
}

/* --- queues */

static void a_queue_is_set_up_before_it_is_ready(void **state)
{
	rig_negotiate(r, all_features());
	rig_queue_setup(r, 1, 8);
	assert_int_equal(rig_get(r, R_QUEUE_READY), 1);
	rig_set(r, R_QUEUE_NUM, 4);
	rig_set(r, R_QUEUE_DESC_LOW, 0x777);
	rig_set(r, R_QUEUE_DEVICE_HIGH, 0x777);
	assert_int_equal(fake.dev.queues[1].s.size, 8);
	assert_true(fake.dev.queues[1].s.desc_gpa == r->q[1].desc);
	assert_true(fake.dev.queues[1].s.used_gpa == r->q[1].used);
	rig_set(r, R_QUEUE_READY, 0);
	rig_set(r, R_QUEUE_NUM, 4);
	rig_set(r, R_QUEUE_DESC_LOW, 0x1000);
	rig_set(r, R_QUEUE_DESC_HIGH, 0x12);
	assert_int_equal(fake.dev.queues[1].s.size, 4);
	assert_true(fake.dev.queues[1].s.desc_gpa == UINT64_C(0x1200001000));
	assert_int_equal(fake.dev.queues[0].s.ready, 0);
}

static void nothing_of_a_queue_changes_while_it_is_served(void **state)
{
	static const uint32_t regs[] = { R_QUEUE_NUM,	     R_QUEUE_READY,	  R_QUEUE_DESC_LOW,
					 R_QUEUE_DESC_HIGH,  R_QUEUE_DRIVER_LOW,  R_QUEUE_DRIVER_HIGH,
					 R_QUEUE_DEVICE_LOW, R_QUEUE_DEVICE_HIGH, R_DRIVER_FEATURES };
	struct virtio_state before, after;

	/* queue 1 is not ready, and stays so */
	rig_negotiate(r, all_features());
	rig_queue_setup(r, 0, 8);
	rig_driver_ok(r);
	for (unsigned q = 0; q < N_QUEUES; q++)
		for (size_t i = 0; i < ARRAY_LEN(regs); i++)
			for (unsigned v = 0; v < 3; v++) {
				rig_set(r, R_QUEUE_SEL, q);
				virtio_save(&fake.dev, &before);
				rig_set(r, regs[i], v);
				virtio_save(&fake.dev, &after);
				assert_memory_equal(&before, &after, sizeof(before));
			}
}

static void queues_that_are_not_there_take_nothing(void **state)
{
	static const uint32_t sel[] = { N_QUEUES, VIRTIO_MAX_QUEUES, VIRTIO_MAX_QUEUES + 1, 0x7fffffff,
					UINT32_MAX };

	for (size_t i = 0; i < ARRAY_LEN(sel); i++) {
		rig_set(r, R_QUEUE_SEL, sel[i]);
		assert_int_equal(rig_get(r, R_QUEUE_NUM_MAX), 0);
		for (uint32_t reg = R_QUEUE_NUM; reg <= R_QUEUE_DEVICE_HIGH; reg += 4)
			if (reg != R_STATUS && reg != R_QUEUE_NOTIFY)
				rig_set(r, reg, 1);
		assert_int_equal(rig_get(r, R_QUEUE_READY), 0);
		rig_set(r, R_QUEUE_NOTIFY, sel[i]);
	}
	for (unsigned q = 0; q < N_QUEUES; q++)
		assert_int_equal(fake.dev.queues[q].s.desc_gpa, 0);
}

static void a_queue_that_cannot_work_fails_the_device(void **state)
{
	static const struct {
		uint32_t size;
		uint64_t desc, avail, used;
	} bad[] = {
		{ 0, 0x1000, 0x2000, 0x3000 },		{ 3, 0x1000, 0x2000, 0x3000 },
		{ 32, 0x1000, 0x2000, 0x3000 }, /* more than QueueNumMax */
		{ 0x10008, 0x1000, 0x2000, 0x3000 },	{ 8, 0x1008, 0x2000, 0x3000 },
		{ 8, 0x1000, 0x2001, 0x3000 },		{ 8, 0x1000, 0x2000, 0x3002 },
		{ 8, RIG_LOW_BYTES, 0x2000, 0x3000 },	{ 8, 0x1000, RIG_HIGH - 16, 0x3000 },
		{ 8, 0x1000, 0x2000, UINT64_MAX - 15 },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_true(rig_negotiate(r, all_features()));
		r->q[0] =
			(struct rig_queue){ .desc = bad[i].desc, .avail = bad[i].avail, .used = bad[i].used };
		rig_queue_set(r, 0);
		rig_set(r, R_QUEUE_READY, 0);
		rig_set(r, R_QUEUE_NUM, bad[i].size);
		rig_set(r, R_QUEUE_READY, 1);
		rig_driver_ok(r);
		if (rig_get(r, R_STATUS) != (ALL_OK | S_NEEDS_RESET))
			fail_msg("case %zu", i);
		assert_int_equal(rig_get(r, R_INTERRUPT_STATUS), 2);
		rig_kick(r, 0);
		rig_turn(r);
		assert_int_equal(fake.kicks[0], 0);
		assert_int_equal(fake.starts, 0);
	}
}

static void a_device_that_cannot_start_needs_a_reset(void **state)
{
	fake.start_result = -EIO;
	assert_true(rig_negotiate(r, all_features()));
	rig_queue_setup(r, 0, 8);
	rig_driver_ok(r);
	assert_true(rig_needs_reset(r));
	rig_turn(r);
	assert_int_equal(fake.kicks[0], 0);
	rig_reset(r);
	assert_int_equal(fake.stops, 1);
}

/* --- kicks and interrupts */

static void kicks_reach_queues_that_are_served(void **state)
{
	rig_negotiate(r, all_features());
	rig_queue_setup(r, 0, 8);
	rig_kick(r, 0);
	rig_turn(r);
	assert_int_equal(fake.kicks[0], 0);
	rig_avail(r, 0, 0);
	*rig_desc(r, 0, 0) = (struct rig_desc){ 0x10000, 7, D_WRITE, 0 };
	rig_driver_ok(r); /* finds what is there already */
	rig_turn(r);
	assert_int_equal(fake.kicks[0], 1);
	assert_int_equal(fake.kicks[1], 0); /* is not ready */
	assert_int_equal(rig_wait(r, 0, 0), 7);
	rig_kick(r, 1);
	rig_turn(r);
	assert_int_equal(fake.kicks[1], 0);
	rig_kick(r, 0);
	rig_kick(r, 0);
	rig_turn(r);
	assert_int_equal(fake.kicks[0], 2);
}

static void interrupts_stay_until_they_are_acknowledged(void **state)
{
	uint64_t n;

	rig_start(r, &fake.dev, VIRTIO_F_EVENT_IDX);
	*rig_desc(r, 0, 0) = (struct rig_desc){ 0x10000, 7, D_WRITE, 0 };
	rig_avail(r, 0, 0);
	rig_kick(r, 0);
	rig_turn(r);
	assert_int_equal(rig_get(r, R_INTERRUPT_STATUS), 1);
	virtio_config_changed(&fake.dev);
	assert_int_equal(rig_get(r, R_INTERRUPT_STATUS), 3);
	assert_int_equal(rig_get(r, R_CONFIG_GENERATION), 1);
	rig_set(r, R_INTERRUPT_ACK, 1);
	assert_int_equal(rig_get(r, R_INTERRUPT_STATUS), 2);
	rig_set(r, R_INTERRUPT_ACK, UINT32_MAX);
	assert_int_equal(rig_get(r, R_INTERRUPT_STATUS), 0);
	assert_int_equal(read(fake.dev.irq_fd, &n, sizeof(n)), sizeof(n));
	assert_int_equal(n, 2);
	rig_reset(r);
	virtio_config_changed(&fake.dev); /* nobody is there */
	assert_int_equal(rig_get(r, R_INTERRUPT_STATUS), 0);
	assert_int_equal(rig_get(r, R_CONFIG_GENERATION), 2);
}

static void a_broken_chain_fails_the_device_until_its_reset(void **state)
{
	rig_start(r, &fake.dev, 0);
	fake.kicks[0] = 0;
	rig_avail(r, 0, 999);
	rig_kick(r, 0);
	rig_turn(r);
	assert_int_equal(rig_get(r, R_STATUS), ALL_OK | S_NEEDS_RESET);
	assert_int_equal(rig_get(r, R_INTERRUPT_STATUS), 2);
	assert_int_equal(fake.dev.counters.failures, 1);
	*rig_desc(r, 1, 0) = (struct rig_desc){ 0x10000, 7, D_WRITE, 0 };
	rig_avail(r, 1, 0);
	rig_kick(r, 0);
	rig_kick(r, 1); /* the other queue rests too */
	rig_turn(r);
	assert_int_equal(fake.kicks[0], 1);
	assert_int_equal(*rig_used_idx(r, 1), 0);
	rig_start(r, &fake.dev, 0);
	assert_int_equal(fake.stops, 1);
	*rig_desc(r, 0, 0) = (struct rig_desc){ 0x10000, 7, D_WRITE, 0 };
	rig_avail(r, 0, 0);
	rig_kick(r, 0);
	assert_int_equal(rig_wait(r, 0, 0), 7);
}

/* Row D12: the loop and the lock are free again after VIRTIO_TURN chains, and nothing is lost. */
static void a_driver_that_never_stops_is_served_in_turns(void **state)
{
	rig_start(r, &fake.dev, 0);
	fake.endless = true;
	*rig_desc(r, 0, 0) = (struct rig_desc){ 0x10000, 7, D_WRITE, 0 };
	rig_avail(r, 0, 0);
	rig_kick(r, 0);
	for (int i = 0; i < 10; i++)
		loop_once(r->loop, 0);
	assert_int_equal(fake.most_in_a_row, VIRTIO_TURN);
	assert_true(fake.dev.queues[0].s.next_used >= (uint16_t)(9 * VIRTIO_TURN));
	fake.endless = false;
	rig_turn(r);
	assert_int_equal(fake.dev.queues[0].s.next_used, r->q[0].next_avail);
	assert_int_equal(*rig_avail_event(r, 0), r->q[0].next_avail);
}

/* --- configuration space */

static void configuration_is_read_at_any_width(void **state)
{
	uint8_t data[8];

	for (uint32_t at = 0; at < 0x100; at++)
		for (uint32_t len = 1; len <= 8; len *= 2) {
			uint8_t want[8] = { 0 };

			if (at + len <= sizeof(fake.config))
				memcpy(want, fake.config + at, len);
			virtio_mmio_read(&fake.dev, R_CONFIG + at, data, len);
			assert_memory_equal(data, want, len);
		}
}

static void configuration_is_written_where_the_device_allows_it(void **state)
{
	virtio_mmio_write(&fake.dev, R_CONFIG + 10, "xy", 2);
	assert_int_equal(fake.config_writes, 1);
	assert_int_equal(fake.written_at, 10);
	assert_int_equal(fake.written_len, 2);
	assert_memory_equal(fake.config, "ABCDEFGHIJxy", 12);
	virtio_mmio_write(&fake.dev, R_CONFIG + 11, "zz", 2);
	virtio_mmio_write(&fake.dev, R_CONFIG + 12, "z", 1);
	virtio_mmio_write(&fake.dev, R_CONFIG + 5, "zzzzzzzz", 8);
	assert_int_equal(fake.config_writes, 1);
	virtio_done(&fake.dev);
	make(&plain_ops);
	virtio_mmio_write(&fake.dev, R_CONFIG, "z", 1);
	assert_memory_equal(fake.config, "ABCDEFGHIJK", 12);
}

/* --- registers that the guest reads where they lie */

static uint32_t page[VIRTIO_MMIO_BYTES / 4];

/* Reads through the door have to be what the memory says, and nothing else lies there. */
static void assert_shown(void)
{
	for (uint32_t at = 0; at < VIRTIO_MMIO_BYTES; at += 4) {
		uint32_t v;

		virtio_mmio_read(&fake.dev, at, &v, sizeof(v));
		if (v != page[at / 4])
			fail_msg("at %#x there is %#x, a read gives %#x", at, page[at / 4], v);
	}
}

static void registers_lie_in_memory_as_they_are_read(void **state)
{
	virtio_show_at(&fake.dev, page);
	assert_shown();
	assert_int_equal(page[R_MAGIC / 4], 0x74726976);
	assert_int_equal(page[R_SHM_LEN_LOW / 4], UINT32_MAX);
	assert_memory_equal(&page[R_CONFIG / 4], fake.config, sizeof(fake.config));
	rig_set(r, R_DEVICE_FEATURES_SEL, 1);
	assert_int_equal(page[R_DEVICE_FEATURES / 4], 1); /* VERSION_1 */
	rig_set(r, R_QUEUE_SEL, 1);
	assert_int_equal(page[R_QUEUE_NUM_MAX / 4], QUEUE_SIZE);
	rig_set(r, R_QUEUE_SEL, N_QUEUES);
	assert_int_equal(page[R_QUEUE_NUM_MAX / 4], 0);
	rig_start(r, &fake.dev, 0);
	assert_int_equal(page[R_STATUS / 4], ALL_OK);
	rig_set(r, R_QUEUE_SEL, 0);
	assert_int_equal(page[R_QUEUE_READY / 4], 1);
	virtio_mmio_write(&fake.dev, R_CONFIG + 10, "xy", 2);
	assert_memory_equal(&page[R_CONFIG / 4], "ABCDEFGHIJxy", 12);
	assert_shown();
	rig_reset(r);
	assert_int_equal(page[R_QUEUE_READY / 4], 0);
	assert_shown();
}

static void what_the_device_changes_lies_there_before_its_interrupt(void **state)
{
	virtio_show_at(&fake.dev, page);
	rig_start(r, &fake.dev, 0);
	assert_int_equal(page[R_INTERRUPT_STATUS / 4], 0);
	*rig_desc(r, 0, 0) = (struct rig_desc){ 0x10000, 7, D_WRITE, 0 };
	rig_avail(r, 0, 0);
	rig_kick(r, 0);
	rig_wait(r, 0, 0);
	assert_int_equal(page[R_INTERRUPT_STATUS / 4], 1);
	rig_set(r, R_INTERRUPT_ACK, 1);
	assert_int_equal(page[R_INTERRUPT_STATUS / 4], 0);
	fake.config[0] = 'z';
	virtio_config_changed(&fake.dev);
	assert_int_equal(page[R_CONFIG / 4] & 0xff, 'z');
	assert_int_equal(page[R_CONFIG_GENERATION / 4], 1);
	assert_int_equal(page[R_INTERRUPT_STATUS / 4], 2);
	rig_avail(r, 0, 999);
	rig_kick(r, 0);
	rig_turn(r);
	assert_int_equal(page[R_STATUS / 4], ALL_OK | S_NEEDS_RESET);
	assert_shown();
}

static void a_restored_device_shows_what_it_is(void **state)
{
	struct virtio_state s;

	rig_start(r, &fake.dev, 0);
	virtio_interrupt(&fake.dev);
	virtio_save(&fake.dev, &s);
	rig_reset(r);
	virtio_show_at(&fake.dev, page);
	assert_int_equal(virtio_restore(&fake.dev, &s), 0);
	assert_int_equal(page[R_STATUS / 4], ALL_OK);
	assert_int_equal(page[R_INTERRUPT_STATUS / 4], 1);
	assert_shown();
}

/* --- reset, save, restore */

static void a_reset_forgets_everything(void **state)
{
	struct virtio_state fresh, now;

	virtio_save(&fake.dev, &fresh);
	for (unsigned step = 0; step < 5; step++) {
		rig_set(r, R_STATUS, S_ACKNOWLEDGE | S_DRIVER);
		rig_set(r, R_QUEUE_SEL, 1);
		rig_set(r, R_DEVICE_FEATURES_SEL, 1);
		rig_set(r, R_DRIVER_FEATURES_SEL, 1);
		if (step >= 1)
			rig_negotiate(r, all_features());
		if (step >= 2)
			rig_queue_setup(r, 0, 8);
		if (step >= 3)
			rig_driver_ok(r);
		if (step >= 4) {
			rig_avail(r, 0, 999);
			rig_kick(r, 0);
			rig_turn(r);
			assert_true(rig_needs_reset(r));
		}
		fake.stops = 0;
		rig_reset(r);
		assert_int_equal(fake.stops, step >= 3);
		virtio_save(&fake.dev, &now);
		assert_memory_equal(&fresh, &now, sizeof(now));
	}
}

static void a_saved_device_goes_on_where_it_was(void **state)
{
	struct virtio_state s, again;

	rig_start(r, &fake.dev, 0);
	*rig_desc(r, 0, 0) = (struct rig_desc){ 0x10000, 7, D_WRITE, 0 };
	rig_avail(r, 0, 0);
	rig_kick(r, 0);
	rig_wait(r, 0, 0);
	rig_avail(r, 0, 0);
	rig_kick(r, 0); /* not served before it is saved */
	virtio_save(&fake.dev, &s);
	virtio_done(&fake.dev);
	make(&ops);
	assert_int_equal(virtio_restore(&fake.dev, &s), 0);
	virtio_save(&fake.dev, &again);
	assert_memory_equal(&s, &again, sizeof(s));
	assert_int_equal(rig_get(r, R_STATUS), ALL_OK);
	assert_int_equal(rig_interrupts(r), 1); /* was not acknowledged */
	assert_int_equal(rig_wait(r, 0, 0), 7);
	assert_int_equal(fake.starts, 0);
}

static void a_failed_device_can_be_saved_too(void **state)
{
	struct virtio_state s;

	rig_negotiate(r, all_features());
	rig_queue_setup(r, 0, 8);
	rig_set(r, R_QUEUE_READY, 0);
	rig_set(r, R_QUEUE_NUM, 3);
	rig_set(r, R_QUEUE_READY, 1);
	rig_driver_ok(r);
	assert_true(rig_needs_reset(r));
	virtio_save(&fake.dev, &s);
	assert_int_equal(virtio_restore(&fake.dev, &s), 0);
	assert_true(rig_needs_reset(r));
	rig_turn(r);
	assert_int_equal(fake.kicks[0], 0);
}

static void a_driver_that_asked_for_too_much_can_be_saved_too(void **state)
{
	struct virtio_state s;

	assert_false(rig_negotiate(r, all_features() | 1));
	virtio_save(&fake.dev, &s);
	assert_int_equal(virtio_restore(&fake.dev, &s), 0);
	assert_false(rig_get(r, R_STATUS) & S_FEATURES_OK);
}

static void states_that_cannot_be_are_refused(void **state)
{
	struct virtio_state good, s;

	rig_start(r, &fake.dev, 0);
	virtio_save(&fake.dev, &good);
	s = good;
	s.driver_features |= 1;
	assert_int_equal(virtio_restore(&fake.dev, &s), -EINVAL);
	s = good;
	s.driver_features &= ~VIRTIO_F_VERSION_1;
	assert_int_equal(virtio_restore(&fake.dev, &s), -EINVAL);
	s = good;
	s.status &= ~(uint32_t)S_FEATURES_OK;
	assert_int_equal(virtio_restore(&fake.dev, &s), -EINVAL);
	s = good;
	s.status |= 16;
	assert_int_equal(virtio_restore(&fake.dev, &s), -EINVAL);
	s = good;
	s.queues[1].size = QUEUE_SIZE * 2;
	assert_int_equal(virtio_restore(&fake.dev, &s), -EINVAL);
	assert_int_equal(rig_get(r, R_STATUS), 0);
	s = good;
	s.queues[0].used_gpa = RIG_LOW_BYTES;
	assert_int_equal(virtio_restore(&fake.dev, &s), -EINVAL);
	assert_int_equal(rig_get(r, R_STATUS), 0);
	assert_int_equal(virtio_restore(&fake.dev, &good), 0);
}

/* --- every access */

/* Row D1.  What each register may do is in this table; everything else reads as 0 and changes nothing. */
enum access { NOTHING, READS = 1, WRITES = 2 };

static enum access access_of(uint32_t offset, uint32_t len)
{
	static const uint8_t regs[0x40] = {
		[R_MAGIC / 4] = READS,
		[R_VERSION / 4] = READS,
		[R_DEVICE_ID / 4] = READS,
		[R_VENDOR_ID / 4] = READS,
		[R_DEVICE_FEATURES / 4] = READS,
		[R_DEVICE_FEATURES_SEL / 4] = WRITES,
		[R_DRIVER_FEATURES / 4] = WRITES,
		[R_DRIVER_FEATURES_SEL / 4] = WRITES,
		[R_QUEUE_SEL / 4] = WRITES,
		[R_QUEUE_NUM_MAX / 4] = READS,
		[R_QUEUE_NUM / 4] = WRITES,
		[R_QUEUE_READY / 4] = READS | WRITES,
		[R_QUEUE_NOTIFY / 4] = WRITES,
		[R_INTERRUPT_STATUS / 4] = READS,
		[R_INTERRUPT_ACK / 4] = WRITES,
		[R_STATUS / 4] = READS | WRITES,
		[R_QUEUE_DESC_LOW / 4] = WRITES,
		[R_QUEUE_DESC_HIGH / 4] = WRITES,
		[R_QUEUE_DRIVER_LOW / 4] = WRITES,
		[R_QUEUE_DRIVER_HIGH / 4] = WRITES,
		[R_QUEUE_DEVICE_LOW / 4] = WRITES,
		[R_QUEUE_DEVICE_HIGH / 4] = WRITES,
		[R_SHM_LEN_LOW / 4] = READS,
		[R_SHM_LEN_LOW / 4 + 1] = READS,
		[R_SHM_LEN_LOW / 4 + 2] = READS,
		[R_SHM_BASE_HIGH / 4] = READS,
		[R_CONFIG_GENERATION / 4] = READS,
	};

	if (offset < R_CONFIG)
		return len == 4 && offset % 4 == 0 ? regs[offset / 4] : NOTHING;
	return offset - R_CONFIG + len <= sizeof(fake.config) ? READS | WRITES : NOTHING;
}

/* Brings the device to this status, as far as a driver can. */
static void go_to_status(uint32_t status)
{
	rig_set(r, R_STATUS, 0);
	rig_set(r, R_DRIVER_FEATURES_SEL, 1);
	rig_set(r, R_DRIVER_FEATURES, 1); /* VERSION_1 */
	for (unsigned q = 0; q < N_QUEUES; q++) {
		r->q[q] = (struct rig_queue){ 8, 0x1000, 0x2000, 0x3000, 0, 0, 0, 0 };
		rig_queue_set(r, q);
	}
	rig_set(r, R_STATUS, status);
}

static void check_read(uint32_t offset, uint32_t len)
{
	struct virtio_state before, after;
	uint8_t data[8 + 1], zero[8] = { 0 };

	virtio_save(&fake.dev, &before);
	memset(data, 0xa5, sizeof(data));
	virtio_mmio_read(&fake.dev, offset, data, len);
	virtio_save(&fake.dev, &after);
	assert_int_equal(data[len], 0xa5);
	if (!(access_of(offset, len) & READS))
		assert_memory_equal(data, zero, len);
	if (memcmp(&before, &after, sizeof(before)))
		fail_msg("a read of %u bytes at %#x has an effect", len, offset);
}

/* True when the device was touched and has to be set up anew. */
static bool check_write(uint32_t offset, uint32_t len, uint64_t value)
{
	struct virtio_state before, after;
	uint8_t config[sizeof(fake.config)];
	bool may = access_of(offset, len) & WRITES, changed;

	memcpy(config, fake.config, sizeof(config));
	virtio_save(&fake.dev, &before);
	virtio_mmio_write(&fake.dev, offset, &value, len);
	virtio_save(&fake.dev, &after);
	changed = memcmp(&before, &after, sizeof(before)) || memcmp(config, fake.config, sizeof(config));
	if (changed && !may)
		fail_msg("a write of %u bytes at %#x has an effect", len, offset);
	return changed;
}

static void every_access_in_every_status(void **state)
{
	static const uint64_t values[] = { 0, 1, 8, 0x5a5a5a5a5a5a5a5a, UINT64_MAX };
	uint64_t n = 0;

	for (uint32_t status = 0; status < 256; status++) {
		go_to_status(status);
		for (uint32_t offset = 0; offset < VIRTIO_MMIO_BYTES; offset++)
			for (uint32_t len = 1; len <= 8; len *= 2) {
				check_read(offset, len);
				for (size_t i = 0; i < ARRAY_LEN(values); i++, n++)
					if (check_write(offset, len, values[i]))
						go_to_status(status);
			}
		rig_turn(r);
	}
	print_message("%ju writes\n", (uintmax_t)n);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_device_says_what_it_is),
		T(features_are_accepted_if_they_were_offered),
		T(features_do_not_change_once_they_are_accepted),
		T(driver_ok_needs_features_ok),
		T(status_bits_are_only_added),
		T(a_queue_is_set_up_before_it_is_ready),
		T(nothing_of_a_queue_changes_while_it_is_served),
		T(queues_that_are_not_there_take_nothing),
		T(a_queue_that_cannot_work_fails_the_device),
		T(a_device_that_cannot_start_needs_a_reset),
		T(kicks_reach_queues_that_are_served),
		T(interrupts_stay_until_they_are_acknowledged),
		T(a_broken_chain_fails_the_device_until_its_reset),
		T(a_driver_that_never_stops_is_served_in_turns),
		T(configuration_is_read_at_any_width),
		T(configuration_is_written_where_the_device_allows_it),
		T(registers_lie_in_memory_as_they_are_read),
		T(what_the_device_changes_lies_there_before_its_interrupt),
		T(a_restored_device_shows_what_it_is),
		T(a_reset_forgets_everything),
		T(a_saved_device_goes_on_where_it_was),
		T(a_failed_device_can_be_saved_too),
		T(a_driver_that_asked_for_too_much_can_be_saved_too),
		T(states_that_cannot_be_are_refused),
		T(every_access_in_every_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
