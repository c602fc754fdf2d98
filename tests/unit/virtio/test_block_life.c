/* test_block_life.c - many requests of a block device: batches, reset and save under way, the limit */
#include "block_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "storage/qcow2.h"

static bool plain;
static struct disk *d;

static int set_up(void **state)
{
	d = disk_new("/var/tmp", (struct block_config){ .plain_io = plain }, O_RDWR, 0);
	return 0;
}

static int tear_down(void **state)
{
	disk_free(d);
	return 0;
}

static unsigned random_below(unsigned n)
{
	static uint32_t seed = 12345;

	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % n;
}

static int status_of(const struct disk_request *q)
{
	return *(volatile uint8_t *)rig_at(d->r, q->status);
}

static void many_requests_take_few_interrupts(void **state)
{
	struct disk_request q[100];
	unsigned interrupts = 0;

	for (unsigned i = 0; i < ARRAY_LEN(q); i++)
		q[i] = disk_add(d, B_IN, i, 512, true);
	rig_kick(d->r, 0);
	for (unsigned i = 0; i < ARRAY_LEN(q); i++) {
		rig_next(d->r, 0);
		*rig_used_event(d->r, 0) = d->r->q[0].last_used;
		interrupts += rig_interrupts(d->r);
	}
	for (unsigned i = 0; i < ARRAY_LEN(q); i++)
		assert_int_equal(status_of(&q[i]), B_OK);
	assert_int_equal(d->b.dev.counters.requests, ARRAY_LEN(q));
	assert_true(interrupts >= 1 && interrupts <= ARRAY_LEN(q) / 4);
}

/* A driver as Linux's: `depth` requests under way, kicks as the device asks for, interrupts for the next one used. */
static void a_stream_takes_few_kicks_and_interrupts(unsigned depth, bool in)
{
	enum { TOTAL = 20000 };
	unsigned kicks = 0, interrupts = 0, done = 0, under_way = 0;
	struct rig_used u;
	uint64_t mark = d->r->heap;
	uint16_t old;

	while (done < TOTAL) {
		old = d->r->q[0].next_avail;
		d->r->heap = mark + (old % 256) * UINT64_C(4200);
		while (under_way < depth) {
			disk_add(d, in ? B_IN : B_OUT, random_below(DISK_SECTORS / 8) * 8, 4096, in);
			under_way++;
		}
		if (old != d->r->q[0].next_avail && rig_wants_kick(d->r, 0, old)) {
			kicks++;
			rig_kick(d->r, 0);
		}
		loop_once(d->r->loop, 100);
		interrupts += rig_interrupts(d->r);
		while (rig_take(d->r, 0, &u)) {
			done++;
			under_way--;
		}
		*rig_used_event(d->r, 0) = d->r->q[0].last_used;
	}
	d->r->heap = mark;
	print_message("%s, %s, depth %u: %u requests, %u kicks, %u interrupts\n",
		      d->b.io.ring ? "io_uring" : "plain calls", in ? "read" : "write", depth, done, kicks,
		      interrupts);
	assert_true(kicks >= 1 && interrupts >= 1);
	if (depth >= 32)
		assert_true(kicks <= done / 4 && interrupts <= done / 4);
}

static void streams_take_few_kicks_and_interrupts(void **state)
{
	a_stream_takes_few_kicks_and_interrupts(1, true);
	a_stream_takes_few_kicks_and_interrupts(32, true);
	a_stream_takes_few_kicks_and_interrupts(32, false);
}

/* A driver that gives more than the device has places for (it makes heads available again that are under way). */
static void what_is_too_much_waits(void **state)
{
	struct disk_request q = disk_add(d, B_OUT, 5, 65536, false);
	unsigned n = 1;
	struct rig_used u;

	for (unsigned round = 0; round < 20; round++) {
		while ((uint16_t)(d->r->q[0].next_avail - d->b.dev.queues[0].s.next_avail) <
		       d->r->q[0].size) {
			rig_avail(d->r, 0, q.head);
			n++;
		}
		rig_kick(d->r, 0);
		loop_once(d->r->loop, 0);
		assert_true(d->b.io.under_way <= BLOCK_IO_DEPTH);
	}
	while (n--) {
		u = rig_next(d->r, 0);
		assert_int_equal(u.id, q.head);
	}
	rig_turn(d->r);
	assert_false(rig_take(d->r, 0, &u));
	assert_int_equal(d->b.n_idle, BLOCK_IO_DEPTH);
}

/* Row D5: after a reset nothing of the old life touches the guest. */
static void a_reset_waits_for_what_is_under_way(void **state)
{
	static const uint32_t types[] = { B_IN, B_OUT, B_OUT, B_FLUSH, B_WRITE_ZEROES };
	uint64_t mark = d->r->heap;

	for (int round = 0; round < 10000; round++) {
		for (unsigned n = random_below(12); n; n--) {
			uint32_t t = types[random_below(ARRAY_LEN(types))];

			disk_add(d, t, random_below(DISK_SECTORS),
				 t == B_FLUSH	       ? 0
				 : t == B_WRITE_ZEROES ? 16
						       : 2048,
				 t == B_IN);
		}
		rig_kick(d->r, 0);
		for (unsigned n = random_below(4); n; n--)
			loop_once(d->r->loop, 0);
		rig_reset(d->r);
		assert_int_equal(d->b.io.under_way, 0);
		assert_int_equal(d->b.n_idle, BLOCK_IO_DEPTH);
		d->r->heap = mark;
		rig_start(d->r, &d->b.dev, 0);
	}
	assert_int_equal(disk_do(d, B_IN, 0, 512, true), B_OK);
}

/* Every request made before is answered once, by this device or by the one that goes on. */
static void a_saved_disk_goes_on(void **state)
{
	struct disk_request q[60];
	struct block_state s;
	struct block_config c = { .fd = d->dev_fd, .plain_io = plain };
	struct rig_used u;

	for (unsigned i = 0; i < ARRAY_LEN(q); i++) {
		q[i] = disk_add(d, B_OUT, 8 * i, 4096, false);
		memset(rig_at(d->r, q[i].data), (int)i + 1, 4096);
		if (i == 40) {
			rig_kick(d->r, 0);
			loop_once(d->r->loop, 0);
		}
	}
	rig_kick(d->r, 0);
	block_save(&d->b, &s);
	assert_int_equal(d->b.io.under_way, 0);
	block_done(&d->b);
	assert_int_equal(block_init(&d->b, &c, &d->r->ram, d->r->loop), 0);
	assert_int_equal(block_restore(&d->b, &s), 0);
	for (unsigned i = 0; i < ARRAY_LEN(q); i++)
		rig_next(d->r, 0);
	rig_turn(d->r);
	assert_false(rig_take(d->r, 0, &u));
	for (unsigned i = 0; i < ARRAY_LEN(q); i++) {
		uint8_t got[4096];

		assert_int_equal(status_of(&q[i]), B_OK);
		disk_image(d, UINT64_C(4096) * i, got, sizeof(got));
		assert_memory_equal(got, rig_at(d->r, q[i].data), sizeof(got));
	}
	s.capacity--;
	assert_int_equal(block_restore(&d->b, &s), -EINVAL);
}

static bool write_and_flush(void)
{
	struct disk_request q = disk_add(d, B_OUT, 8, 4096, false);
	uint8_t got[4096];

	memset(rig_at(d->r, q.data), 0x77, 4096);
	if (disk_wait(d, &q) != B_OK || disk_do(d, B_FLUSH, 0, 0, false) != B_OK)
		return false;
	disk_image(d, 4096, got, sizeof(got));
	return !memcmp(got, rig_at(d->r, q.data), sizeof(got)) &&
	       disk_clear(d, B_WRITE_ZEROES, 0, 16, 0) == B_OK &&
	       disk_clear(d, B_DISCARD, 0, 16, 0) == B_OK && disk_do(d, B_IN, 0, 8192, true) == B_OK;
}

/* In a process that has given something up. */
static void a_child_has_a_disk(bool (*give_up)(void))
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		if (!give_up())
			_exit(2);
		for (int i = 0; i < 3; i++)
			if (!write_and_flush())
				_exit(1);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* A user who may have no further thread: io_uring has no helpers then. */
static bool give_up_helpers(void)
{
	return setrlimit(RLIMIT_NPROC, &(struct rlimit){ 0, 0 }) == 0 &&
	       (geteuid() != 0 || setresuid(65534, 65534, 65534) == 0);
}

static void a_jail_without_room_for_helpers_has_a_disk(void **state)
{
	a_child_has_a_disk(give_up_helpers);
}

/* To the ring the kernel says EAGAIN, and nothing is under way that could end. */
static bool give_up_the_ring(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_enter, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog filter = { ARRAY_LEN(code), code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

static void a_kernel_without_memory_for_the_ring_has_a_disk(void **state)
{
	a_child_has_a_disk(give_up_the_ring);
}

static void a_limited_disk_takes_its_time(void **state)
{
	struct block_config c = { .plain_io = plain,
				  .rate.ops = { 200, 5 },
				  .rate.bytes = { 1 << 20, 1 << 16 } };
	int64_t begin;

	disk_free(d);
	d = disk_new("/var/tmp", c, O_RDWR, 0);
	begin = clock_mono_ns();
	for (unsigned i = 0; i < 40; i++)
		disk_add(d, B_IN, 8 * i, 4096, true);
	rig_kick(d->r, 0);
	for (unsigned i = 1; i <= 40; i++) {
		rig_next(d->r, 0);
		assert_true(i <= 6 + 200e-9 * (double)(clock_mono_ns() - begin));
	}
	/* a reset while the limit holds something back */
	for (unsigned i = 0; i < 40; i++)
		disk_add(d, B_IN, 8 * i, 4096, true);
	rig_kick(d->r, 0);
	rig_turn(d->r);
	rig_start(d->r, &d->b.dev, 0);
	assert_int_equal(disk_do(d, B_IN, 0, 512, true), B_OK);
}

/* What was given to it before is in the old image, what comes after is not; the driver notices nothing. */
static void an_empty_image_takes_over_from_what_is_under_way(void **state)
{
	int fds[2] = { memfd_create("first", MFD_CLOEXEC), memfd_create("second", MFD_CLOEXEC) };
	struct disk_request q[40];
	uint8_t want[512], got[512];

	for (int i = 0; i < 2; i++) {
		assert_int_equal(qcow2_format(fds[i], DISK_SECTORS * 512), 0);
		for (unsigned k = 0; k < ARRAY_LEN(q); k++) {
			q[k] = disk_add(d, B_OUT, k * 8, 512, false);
			memset(rig_at(d->r, q[k].data), 0x40 + i, 512);
		}
		rig_kick(d->r, 0);
		for (unsigned k = 0; k < ARRAY_LEN(q) / 2; k++)
			rig_next(d->r, 0);
		assert_int_equal(block_push(&d->b, fds[i]), 0);
		for (unsigned k = ARRAY_LEN(q) / 2; k < ARRAY_LEN(q); k++)
			rig_next(d->r, 0);
		for (unsigned k = 0; k < ARRAY_LEN(q); k++)
			assert_int_equal(status_of(&q[k]), B_OK);
		assert_int_equal(disk_do(d, B_FLUSH, 0, 0, false), B_OK);
	}
	memset(want, 0x40, sizeof(want));
	for (unsigned k = 0; k < ARRAY_LEN(q) / 2; k++) {
		disk_image(d, k * 8 * 512, got, sizeof(got));
		assert_memory_equal(got, want, sizeof(want));
	}
	memset(want, 0x41, sizeof(want));
	for (unsigned k = 0; k < ARRAY_LEN(q); k++) {
		struct disk_request in = disk_add(d, B_IN, k * 8, 512, true);

		assert_int_equal(disk_wait(d, &in), B_OK);
		assert_memory_equal(rig_at(d->r, in.data), want, sizeof(want));
	}
	assert_int_equal(qcow2_is_empty(fds[1]), 1);
	assert_int_equal(disk_do(d, B_OUT, 0, 512, false), B_OK);
	assert_int_equal(qcow2_is_empty(fds[1]), 0);
	assert_int_equal(block_push(&d->b, fds[1]), -EINVAL);
	assert_int_equal(disk_do(d, B_OUT, 8, 512, false), B_OK);
	for (int i = 0; i < 2; i++)
		close(fds[i]);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static int run(void)
{
	const struct CMUnitTest tests[] = {
		T(many_requests_take_few_interrupts),
		T(streams_take_few_kicks_and_interrupts),
		T(what_is_too_much_waits),
		T(a_reset_waits_for_what_is_under_way),
		T(a_saved_disk_goes_on),
		T(an_empty_image_takes_over_from_what_is_under_way),
		T(a_jail_without_room_for_helpers_has_a_disk),
		T(a_kernel_without_memory_for_the_ring_has_a_disk),
		T(a_limited_disk_takes_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	int failed = run();

	plain = true;
	return failed + run();
}
