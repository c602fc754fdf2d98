/* test_block.c - the block device's requests, by io_uring and by plain calls, on memory and on a disk's file system */
#include "block_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"

#define MOST_ZEROES (16 << 11) /* sectors: 16 MiB */

static bool plain;
static const char *dir; /* of images */
static struct disk *d;

/* What the file system says to fallocate, where the test decides that (plain calls only); 0: what it really says. */
static int no_punch, no_zero_range;

int fallocate(int fd, int mode, off_t offset, off_t len)
{
	int refuse = mode & FALLOC_FL_PUNCH_HOLE ? no_punch : no_zero_range;

	if (!refuse)
		return (int)syscall(SYS_fallocate, fd, mode, offset, len);
	errno = refuse;
	return -1;
}

static struct block_config config(void)
{
	return (struct block_config){ .plain_io = plain, .serial = "ketch-disk-0123456789-too-long" };
}

static int set_up(void **state)
{
	no_punch = no_zero_range = 0;
	d = disk_new(dir, config(), O_RDWR, 0);
	return 0;
}

static int tear_down(void **state)
{
	disk_free(d);
	return 0;
}

static void fill(uint64_t gpa, uint32_t n, uint8_t seed)
{
	uint8_t *p = rig_at(d->r, gpa);

	while (n--)
		*p++ = seed = (uint8_t)(seed * 5 + 1);
}

static bool is_original(uint64_t sector, uint32_t n)
{
	uint8_t b[512];

	for (uint64_t s = sector; s < sector + n; s++) {
		disk_image(d, s * 512, b, sizeof(b));
		for (unsigned i = 0; i < sizeof(b); i++)
			if (b[i] != disk_byte(s * 512 + i))
				return false;
	}
	return true;
}

static bool is_zero(uint64_t sector, uint32_t n)
{
	uint8_t b[512], zero[512] = { 0 };

	for (uint64_t s = sector; s < sector + n; s++) {
		disk_image(d, s * 512, b, sizeof(b));
		if (memcmp(b, zero, sizeof(b)))
			return false;
	}
	return true;
}

/* --- */

static void the_disk_says_what_it_is(void **state)
{
	struct block_space s;

	for (uint32_t i = 0; i < BLOCK_SPACE_BYTES; i += 4)
		virtio_mmio_read(&d->b.dev, R_CONFIG + i, (uint8_t *)&s + i, 4);
	assert_int_equal(rig_get(d->r, R_DEVICE_ID), 2);
	assert_int_equal(offsetof(struct block_space, unused1) + 3, BLOCK_SPACE_BYTES);
	assert_int_equal(s.capacity, DISK_SECTORS);
	assert_int_equal(s.seg_max, 126);
	assert_int_equal(s.blk_size, 512);
	assert_int_equal(s.max_discard_seg, 1);
	assert_int_equal(s.max_write_zeroes_sectors, MOST_ZEROES);
	assert_int_equal(s.write_zeroes_may_unmap, 1);
	assert_true((rig_offered(d->r) & UINT32_C(0xffffff)) ==
		    (1u << 2 | 1u << 6 | 1u << 9 | 1u << 13 | 1u << 14));
	if (!plain && !d->b.io.ring)
		print_message("no io_uring here: plain calls are tested twice\n");
}

static void sectors_are_read(void **state)
{
	static const struct {
		uint64_t sector;
		uint32_t n;
	} cases[] = { { 0, 1 }, { 1, 8 }, { DISK_SECTORS - 1, 1 }, { 100, 1024 }, { 0, DISK_SECTORS } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct disk_request q = disk_add(d, B_IN, cases[i].sector, cases[i].n * 512, true);
		const uint8_t *p = rig_at(d->r, q.data);

		assert_int_equal(disk_wait(d, &q), B_OK);
		for (uint32_t k = 0; k < q.bytes; k++)
			if (p[k] != disk_byte(cases[i].sector * 512 + k))
				fail_msg("sector %ju, byte %u", (uintmax_t)cases[i].sector, k);
	}
	assert_int_equal(d->b.dev.counters.requests, ARRAY_LEN(cases));
	assert_true(d->b.dev.counters.bytes_in == (1 + 8 + 1 + 1024 + DISK_SECTORS) * UINT64_C(512));
}

static void sectors_are_written(void **state)
{
	struct disk_request q = disk_add(d, B_OUT, 17, 4096, false);
	uint8_t got[4096];

	fill(q.data, 4096, 3);
	assert_int_equal(disk_wait(d, &q), B_OK);
	disk_image(d, 17 * 512, got, sizeof(got));
	assert_memory_equal(got, rig_at(d->r, q.data), sizeof(got));
	assert_true(is_original(0, 17));
	assert_true(is_original(25, DISK_SECTORS - 25));
	assert_int_equal(disk_do(d, B_FLUSH, 0, 0, false), B_OK);
	assert_true(d->b.dev.counters.bytes_out == 4096);
}

/* A request may be cut anywhere (section 5.2.6.4 refers to 2.7.4): every byte of header and data its own buffer. */
static void a_request_may_be_in_many_pieces(void **state)
{
	struct rig_buf v[60];
	uint64_t h = rig_alloc(d->r, 16, 16), data = rig_alloc(d->r, 8192, 1), st = rig_alloc(d->r, 1, 1);
	unsigned n = 0;

	memset(rig_at(d->r, h), 0, 16);
	*(uint8_t *)rig_at(d->r, h) = B_OUT;
	*(uint8_t *)rig_at(d->r, h + 8) = 3;
	fill(data, 512, 9);
	for (unsigned i = 0; i < 16; i++)
		v[n++] = (struct rig_buf){ h + i, 1, false };
	for (unsigned i = 0; i < 42; i++)
		v[n++] = (struct rig_buf){ data + 12 * i, i < 41 ? 12 : 20, false };
	v[n++] = (struct rig_buf){ st, 1, true };
	rig_add_indirect(d->r, 0, v, n);
	rig_kick(d->r, 0);
	assert_int_equal(rig_next(d->r, 0).len, 1);
	assert_int_equal(*(uint8_t *)rig_at(d->r, st), B_OK);
	/* and back, the status in the same buffer as the last data */
	*(uint8_t *)rig_at(d->r, h) = B_IN;
	rig_add(d->r, 0,
		(struct rig_buf[]){
			{ h, 16, false }, { data + 1000, 100, true }, { data + 1100, 413, true } },
		3);
	*(uint8_t *)rig_at(d->r, data + 1512) = B_NONE;
	rig_kick(d->r, 0);
	assert_int_equal(rig_next(d->r, 0).len, 513);
	assert_memory_equal(rig_at(d->r, data), rig_at(d->r, data + 1000), 512);
	assert_int_equal(*(uint8_t *)rig_at(d->r, data + 1512), B_OK);
}

static void what_is_not_on_the_disk_is_an_error(void **state)
{
	static const struct {
		uint64_t sector;
		uint32_t bytes;
	} bad[] = {
		{ DISK_SECTORS, 512 },
		{ DISK_SECTORS - 1, 1024 },
		{ DISK_SECTORS + 1, 512 },
		{ UINT64_MAX, 512 },
		{ UINT64_MAX / 512, 512 },
		{ UINT64_C(1) << 55, 512 },
		{ UINT64_MAX / 512 + 1, 512 },
		{ 0, 511 },
		{ 0, 513 },
		{ 0, 1 },
		{ 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(disk_do(d, B_IN, bad[i].sector, bad[i].bytes, true), B_IOERR);
		assert_int_equal(disk_do(d, B_OUT, bad[i].sector, bad[i].bytes, false), B_IOERR);
	}
	assert_true(is_original(0, DISK_SECTORS));
	assert_false(rig_needs_reset(d->r));
}

static void an_image_cut_short_is_an_error(void **state)
{
	assert_int_equal(ftruncate(d->fd, 100 * 512), 0);
	assert_int_equal(disk_do(d, B_IN, 99, 512, true), B_OK);
	assert_int_equal(disk_do(d, B_IN, 99, 1024, true), B_IOERR);
	assert_int_equal(disk_do(d, B_IN, 200, 512, true), B_IOERR);
}

static void other_requests_are_not_supported(void **state)
{
	static const uint32_t types[] = {
		2, 3, 5, 6, 7, 9, B_LIFETIME, 12, 14, 0x100, 0x80000000, UINT32_MAX
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		assert_int_equal(disk_do(d, types[i], 0, 512, true), B_UNSUPP);
		assert_int_equal(disk_do(d, types[i], 0, 512, false), B_UNSUPP);
	}
	assert_true(is_original(0, DISK_SECTORS));
}

static void the_serial_number_is_given(void **state)
{
	struct disk_request q = disk_add(d, B_GET_ID, 0, 20, true);

	assert_int_equal(disk_wait(d, &q), B_OK);
	assert_memory_equal(rig_at(d->r, q.data), "ketch-disk-012345678", 20);
	q = disk_add(d, B_GET_ID, 0, 5, true);
	assert_int_equal(disk_wait(d, &q), B_OK);
	assert_memory_equal(rig_at(d->r, q.data), "ketch", 5);
	q = disk_add(d, B_GET_ID, 0, 0, true);
	assert_int_equal(disk_wait(d, &q), B_OK);
}

static void chains_that_are_no_requests_fail_the_device(void **state)
{
	uint64_t a = rig_alloc(d->r, 600, 1);
	const struct {
		struct rig_buf v[2];
		unsigned n;
	} bad[] = {
		{ { { a, 16, false } }, 1 }, /* no status */
		{ { { a, 16, false }, { a + 16, 512, false } }, 2 },
		{ { { a, 15, false }, { a + 16, 512, true } }, 2 }, /* no header */
		{ { { a, 600, true } }, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		rig_add(d->r, 0, bad[i].v, bad[i].n);
		rig_kick(d->r, 0);
		rig_turn(d->r);
		assert_true(rig_needs_reset(d->r));
		rig_start(d->r, &d->b.dev, 0);
		assert_int_equal(disk_do(d, B_IN, 0, 512, true), B_OK);
	}
}

/* --- read-only */

static void nothing_is_written_to_a_read_only_disk(void **state)
{
	struct block_config c = config();

	for (int way = 0; way < 2; way++) {
		disk_free(d);
		c.read_only = way == 0;
		d = disk_new(dir, c, way == 0 ? O_RDWR : O_RDONLY, 0);
		assert_true(rig_offered(d->r) & B_F_RO);
		assert_int_equal(rig_offered(d->r) & (3u << 13), 0);
		for (int i = 0; i < 50; i++)
			assert_int_equal(disk_do(d, B_OUT, (uint64_t)i, 512, false), B_IOERR);
		assert_int_equal(disk_clear(d, B_DISCARD, 0, 8, 0), B_UNSUPP);
		assert_int_equal(disk_clear(d, B_WRITE_ZEROES, 0, 8, 0), B_UNSUPP);
		assert_int_equal(disk_do(d, B_FLUSH, 0, 0, false), B_OK);
		assert_int_equal(disk_do(d, B_IN, 5, 512, true), B_OK);
		assert_true(is_original(0, DISK_SECTORS));
	}
}

static void what_is_no_disk_is_refused(void **state)
{
	struct block b;
	struct block_config c = config();
	char path[64];
	int p[2];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", d->fd);
	assert_int_equal(pipe(p), 0);
	c.fd = p[0];
	assert_int_equal(block_init(&b, &c, &d->r->ram, d->r->loop), -EINVAL);
	c.fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(block_init(&b, &c, &d->r->ram, d->r->loop), -EINVAL);
	close(c.fd);
	c.fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
	assert_int_equal(block_init(&b, &c, &d->r->ram, d->r->loop), -EINVAL);
	close(c.fd);
	c.fd = -1;
	assert_int_equal(block_init(&b, &c, &d->r->ram, d->r->loop), -EBADF);
	close(p[0]);
	close(p[1]);
}

/* --- discard and zeroes */

static void sectors_become_zeroes(void **state)
{
	assert_int_equal(disk_clear(d, B_WRITE_ZEROES, 10, 8, 0), B_OK);
	assert_int_equal(disk_clear(d, B_WRITE_ZEROES, 101, 555, 1), B_OK);
	assert_int_equal(disk_clear(d, B_WRITE_ZEROES, DISK_SECTORS - 1, 1, 0), B_OK);
	assert_true(is_zero(10, 8) && is_zero(101, 555) && is_zero(DISK_SECTORS - 1, 1));
	assert_true(is_original(0, 10) && is_original(18, 83) && is_original(656, DISK_SECTORS - 657));
	assert_int_equal(disk_clear(d, B_DISCARD, 1024, 1024, 0), B_OK);
	assert_true(is_zero(1024, 1024));
	assert_true(is_original(656, 1024 - 656) && is_original(2048, DISK_SECTORS - 2049));
	assert_int_equal(lseek(d->fd, 0, SEEK_END), DISK_SECTORS * 512);
}

static long allocated(void)
{
	struct stat st;

	assert_int_equal(fstat(d->fd, &st), 0);
	return st.st_blocks;
}

/* Section 5.2.6.2: without the unmap flag sectors stay allocated; with it, and discarded, they need not. */
static void zeroes_stay_allocated_unless_the_driver_unmaps(void **state)
{
	long all = allocated();

	assert_int_equal(disk_clear(d, B_WRITE_ZEROES, 0, DISK_SECTORS / 2, 0), B_OK);
	assert_true(allocated() >= all);
	assert_int_equal(disk_clear(d, B_WRITE_ZEROES, 0, DISK_SECTORS / 2, 1), B_OK);
	assert_true(allocated() < all);
	assert_true(is_zero(0, DISK_SECTORS / 2) && is_original(DISK_SECTORS / 2, DISK_SECTORS / 2));
}

static void ranges_that_are_wrong_are_errors(void **state)
{
	static const struct {
		uint64_t sector;
		uint32_t n, flags;
		int discard, zeroes;
	} bad[] = {
		{ DISK_SECTORS, 1, 0, B_IOERR, B_IOERR },
		{ DISK_SECTORS - 1, 2, 0, B_IOERR, B_IOERR },
		{ UINT64_MAX, 2, 0, B_IOERR, B_IOERR },
		{ 0, 0, 0, B_IOERR, B_IOERR },
		{ 0, MOST_ZEROES + 1, 0, B_IOERR, B_IOERR },
		{ 0, UINT32_MAX, 0, B_IOERR, B_IOERR },
		{ 0, 1, 2, B_UNSUPP, B_UNSUPP },
		{ 0, 1, 0x80000001, B_UNSUPP, B_UNSUPP },
		{ 0, DISK_SECTORS + 1, 1, B_UNSUPP, B_IOERR }, /* unmap belongs to zeroes */
	};
	uint32_t lens[] = { 0, 1, 15, 17, 32, 512 };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(disk_clear(d, B_DISCARD, bad[i].sector, bad[i].n, bad[i].flags),
				 bad[i].discard);
		assert_int_equal(disk_clear(d, B_WRITE_ZEROES, bad[i].sector, bad[i].n, bad[i].flags),
				 bad[i].zeroes);
	}
	for (size_t i = 0; i < ARRAY_LEN(lens); i++)
		assert_int_equal(disk_do(d, B_DISCARD, 0, lens[i], false), B_IOERR);
	assert_true(is_original(0, DISK_SECTORS));
}

static void a_file_system_without_holes_is_written_zeroes(void **state)
{
	struct block_config c = config();

	/* io_uring does not ask this program; what follows the answer is the same code */
	disk_free(d);
	c.plain_io = true;
	d = disk_new(dir, c, O_RDWR, 0);
	no_punch = EOPNOTSUPP;
	assert_int_equal(disk_clear(d, B_DISCARD, 0, 8, 0), B_OK);
	assert_true(is_original(0, DISK_SECTORS));
	no_zero_range = EOPNOTSUPP;
	assert_int_equal(disk_clear(d, B_WRITE_ZEROES, 1, 3000, 1), B_OK);
	assert_true(is_zero(1, 3000) && is_original(0, 1) && is_original(3001, DISK_SECTORS - 3001));
	no_punch = no_zero_range = EIO;
	assert_int_equal(disk_clear(d, B_DISCARD, 0, 8, 0), B_IOERR);
	assert_int_equal(disk_clear(d, B_WRITE_ZEROES, 0, 8, 0), B_IOERR);
}

static void a_driver_without_flush_finds_each_write_durable(void **state)
{
	struct disk_request q;
	uint8_t got[512];

	rig_start(d->r, &d->b.dev, B_F_FLUSH);
	q = disk_add(d, B_OUT, 7, 512, false);
	fill(q.data, 512, 1);
	assert_int_equal(disk_wait(d, &q), B_OK);
	disk_image(d, 7 * 512, got, sizeof(got));
	assert_memory_equal(got, rig_at(d->r, q.data), sizeof(got));
	assert_int_equal(disk_clear(d, B_WRITE_ZEROES, 7, 1, 1), B_OK);
	assert_true(is_zero(7, 1));
}

struct result {
	unsigned n;
	int32_t result;
};

static void on_result(void *arg, uint16_t tag, int32_t result)
{
	struct result *r = arg;

	r->n++;
	r->result = result;
}

/* Whoever takes over the thread must not open or connect by the ring what its filter of system calls refuses. */
static void the_ring_takes_no_other_operations(void **state)
{
	const size_t bytes = BLOCK_IO_DEPTH * sizeof(struct io_uring_sqe);
	struct block_io *io = &d->b.io;
	struct io_uring_sqe *sqes;
	struct result got = { 0 };

	if (!io->ring) {
		print_message("skipped: %s\n", plain ? "plain calls have no ring" : "no io_uring here");
		skip();
	}
	sqes = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, block_io_fd(io), IORING_OFF_SQES);
	assert_true(sqes != MAP_FAILED);
	io->done = on_result;
	io->arg = &got;
	block_io_put(io, &(struct block_op){ .kind = BLOCK_SYNC, .tag = 7 });
	sqes[0] = (struct io_uring_sqe){ .opcode = IORING_OP_NOP, .fd = -1, .user_data = 7 };
	block_io_drain(io);
	munmap(sqes, bytes);
	assert_int_equal(got.n, 1);
	assert_int_equal(got.result, -EACCES);
	assert_int_equal(
		syscall(SYS_io_uring_register, block_io_fd(io), IORING_REGISTER_EVENTFD, &(int){ 0 }, 1), -1);
	assert_int_equal(errno, EACCES);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static int run(void)
{
	const struct CMUnitTest tests[] = {
		T(the_disk_says_what_it_is),
		T(sectors_are_read),
		T(sectors_are_written),
		T(a_request_may_be_in_many_pieces),
		T(what_is_not_on_the_disk_is_an_error),
		T(an_image_cut_short_is_an_error),
		T(other_requests_are_not_supported),
		T(the_serial_number_is_given),
		T(chains_that_are_no_requests_fail_the_device),
		T(nothing_is_written_to_a_read_only_disk),
		T(what_is_no_disk_is_refused),
		T(sectors_become_zeroes),
		T(zeroes_stay_allocated_unless_the_driver_unmaps),
		T(ranges_that_are_wrong_are_errors),
		T(a_file_system_without_holes_is_written_zeroes),
		T(a_driver_without_flush_finds_each_write_durable),
		T(the_ring_takes_no_other_operations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	static const char *const dirs[] = { NULL, "/var/tmp" };
	int failed = 0;

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		for (int p = 0; p < 2; p++) {
			dir = dirs[i];
			plain = p;
			failed += run();
		}
	return failed;
}
