/* test_qcow2.c - stacks of images against a flat model, every small state, and files that are not what they should be
 *
 * qemu-img, where it is there, is the oracle: it checks what was written and reads the same bytes.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage/merge.h"
#include "storage/qcow2.h"
#include "storage/stack.h"

#define C	 QCOW2_CLUSTER
#define CLUSTERS 9
#define BYTES	 (CLUSTERS * C - 4096) /* the last cluster is cut off */
#define IMAGES	 3

static char dir[] = "/dev/shm/ketch-qcow2.XXXXXX";

struct rig {
	int fds[IMAGES];
	struct stack *disk;
	uint8_t model[BYTES];
};

static int file_open(int i)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/%d", dir, i);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	return fd;
}

static void rig_open(struct rig *s, size_t n)
{
	size_t bad;

	assert_int_equal(stack_open(s->fds, n, &s->disk, &bad), 0);
	assert_int_equal(stack_bytes(s->disk), BYTES);
}

/* A base that ends in the middle of the disk. */
static void rig_new(struct rig *s)
{
	memset(s->model, 0, sizeof(s->model));
	for (int i = 0; i < IMAGES; i++)
		s->fds[i] = file_open(i);
	for (size_t k = 0; k < 6 * C + 512; k++)
		s->model[k] = (uint8_t)(k / 4096 + 1);
	assert_int_equal(write(s->fds[0], s->model, 6 * C + 512), 6 * C + 512);
	for (int i = 1; i < IMAGES; i++)
		assert_int_equal(qcow2_format(s->fds[i], BYTES), 0);
}

static void rig_free(struct rig *s)
{
	stack_close(s->disk);
	for (int i = 0; i < IMAGES; i++)
		close(s->fds[i]);
}

static void check(struct rig *s)
{
	static uint8_t got[BYTES];
	const struct iovec v[3] = { { got, 1000 }, { got + 1000, C }, { got + 1000 + C, BYTES - 1000 - C } };

	memset(got, 0xee, sizeof(got));
	assert_int_equal(stack_read(s->disk, v, 3, 0, BYTES), 0);
	assert_memory_equal(got, s->model, BYTES);
}

static void put(struct rig *s, uint64_t at, uint64_t n, uint8_t byte)
{
	static uint8_t text[BYTES];
	const struct iovec v[2] = { { text, n / 3 }, { text + n / 3, n - n / 3 } };

	memset(text, byte, n);
	memset(s->model + at, byte, n);
	assert_int_equal(stack_write(s->disk, v, 2, at, n), 0);
}

static void clear(struct rig *s, uint64_t at, uint64_t n)
{
	memset(s->model + at, 0, n);
	assert_int_equal(stack_clear(s->disk, at, n), 0);
}

/* What QEMU says of the image i, and what it reads through the stack. */
static void ask_qemu(struct rig *s, int n)
{
	char command[512];
	static uint8_t got[BYTES];
	int fd;

	if (system("command -v qemu-img >/dev/null") != 0) {
		print_message("qemu-img is not there: not asked\n");
		return;
	}
	for (int i = 1; i < n; i++) {
		snprintf(command, sizeof(command), "qemu-img check -q -f qcow2 %s/%d", dir, i);
		assert_int_equal(system(command), 0);
	}
	/* as QEMU is told by Ketch: each image by its file, what is below it by its node */
	snprintf(command, sizeof(command),
		 "qemu-img convert -O raw --image-opts 'driver=qcow2,file.filename=%s/%d,"
		 "backing.driver=%s,backing.file.filename=%s/%d%s%s%s' %s/flat",
		 dir, n - 1, n == 3 ? "qcow2" : "raw", dir, n - 2,
		 n == 3 ? ",backing.backing.driver=raw,backing.backing.file.filename=" : "",
		 n == 3 ? dir : "", n == 3 ? "/0" : "", dir);
	assert_int_equal(system(command), 0);
	snprintf(command, sizeof(command), "%s/flat", dir);
	fd = open(command, O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, got, BYTES), BYTES);
	assert_memory_equal(got, s->model, BYTES);
	close(fd);
}

/* --- every small state */

/* What was done to the cluster in an image before it was sealed, or to the top. */
enum deed {
	LEAVE,
	WRITE_PART,
	WRITE_WHOLE,
	CLEAR_WHOLE,
	CLEAR_PART,
	WRITE_AND_CLEAR,
	CLEAR_AND_WRITE,
	N_DEEDS
};

static void act(struct rig *s, enum deed d, uint64_t at, uint8_t byte)
{
	if (d == WRITE_WHOLE || d == WRITE_AND_CLEAR)
		put(s, at, C, byte);
	if (d == CLEAR_WHOLE || d == WRITE_AND_CLEAR || d == CLEAR_AND_WRITE)
		clear(s, at, C);
	if (d == WRITE_PART || d == CLEAR_AND_WRITE)
		put(s, at + 1536, 5000, byte);
	if (d == CLEAR_PART)
		clear(s, at + 512, 1024);
}

static void every_small_state_reads_as_its_model(void **state)
{
	static struct rig s;
	int n = 0;

	for (int lower = 0; lower < N_DEEDS; lower++)
		for (int upper = 0; upper < N_DEEDS; upper++)
			for (int last = 0; last < N_DEEDS; last++, n++) {
				rig_new(&s);
				rig_open(&s, 2);
				act(&s, (enum deed)lower, C, 0xa1);
				act(&s, (enum deed)lower, 7 * C, 0xa2); /* behind the base */
				assert_int_equal(stack_flush(s.disk), 0);
				stack_close(s.disk);
				rig_open(&s, 3);
				act(&s, (enum deed)upper, C, 0xb1);
				act(&s, (enum deed)upper, 7 * C, 0xb2);
				check(&s);
				assert_int_equal(n % 2 ? stack_flush(s.disk) : stack_settle(s.disk), 0);
				stack_close(s.disk);
				rig_open(&s, 3);
				act(&s, (enum deed)last, C, 0xc1);
				act(&s, (enum deed)last, 7 * C, 0xc2);
				check(&s);
				if (n % 41 == 0) {
					assert_int_equal(stack_flush(s.disk), 0);
					ask_qemu(&s, 3);
				}
				rig_free(&s);
			}
}

static void check_raw(struct rig *s)
{
	static uint8_t got[BYTES + 1];

	assert_int_equal(pread(s->fds[0], got, sizeof(got), 0), BYTES);
	assert_memory_equal(got, s->model, BYTES);
}

/* The upper one into the lower one: both together read the same afterwards, and the lower one alone does. */
static void merge_down(struct rig *s, int upper)
{
	assert_int_equal(merge_disks(s->fds[upper - 1], upper == 1, s->fds[upper]), 0);
	rig_open(s, (size_t)upper + 1);
	check(s);
	stack_close(s->disk);
	s->disk = NULL;
}

static void two_images_become_one(void **state)
{
	static struct rig s;

	for (int lower = 0; lower < N_DEEDS; lower++)
		for (int upper = 0; upper < N_DEEDS; upper++) {
			rig_new(&s);
			rig_open(&s, 2);
			act(&s, (enum deed)lower, C, 0xa1);
			act(&s, (enum deed)lower, 7 * C, 0xa2);
			act(&s, (enum deed)lower, 0, 0xa3);
			assert_int_equal(stack_flush(s.disk), 0);
			stack_close(s.disk);
			rig_open(&s, 3);
			act(&s, (enum deed)upper, C, 0xb1);
			act(&s, (enum deed)upper, 7 * C, 0xb2);
			put(&s, BYTES - 600, 600, 0xb3);
			assert_int_equal(stack_flush(s.disk), 0);
			stack_close(s.disk);

			merge_down(&s, 2);
			merge_down(&s, 2); /* as one that was killed before it was recorded */
			rig_open(&s, 2);
			check(&s);
			if (upper == lower)
				ask_qemu(&s, 2);
			stack_close(s.disk);
			merge_down(&s, 1);
			check_raw(&s);
			rig_free(&s);
		}
}

static void images_of_other_sizes_stay_two(void **state)
{
	static struct rig s;

	rig_new(&s);
	assert_int_equal(ftruncate(s.fds[0], BYTES + 1), 0);
	assert_int_equal(merge_disks(s.fds[0], true, s.fds[1]), -EINVAL);
	assert_int_equal(ftruncate(s.fds[2], 0), 0);
	assert_int_equal(qcow2_format(s.fds[2], BYTES + 4096), 0);
	assert_int_equal(merge_disks(s.fds[1], false, s.fds[2]), -EINVAL);
	rig_free(&s);
}

/* --- many operations */

static uint32_t seed = 1;

static uint32_t any(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)(seed >> 8) * below >> 24);
}

static void any_operations_read_as_their_model(void **state)
{
	static struct rig s;

	for (int round = 0; round < 12; round++) {
		size_t n = 2;

		rig_new(&s);
		rig_open(&s, n);
		for (int i = 0; i < 120; i++) {
			uint64_t at = any(BYTES / 512) * 512, most = (BYTES - at) / 512;
			uint64_t bytes = (1 + any(most < 300 ? (uint32_t)most : 300)) * 512;

			bytes = bytes > BYTES - at ? BYTES - at : bytes;
			if (any(3))
				put(&s, at, bytes, (uint8_t)any(256));
			else
				clear(&s, at, bytes);
			if (!any(10))
				assert_int_equal(stack_flush(s.disk), 0);
			if (i == 60) {
				assert_int_equal(stack_flush(s.disk), 0);
				stack_close(s.disk);
				n = 3;
				rig_open(&s, n);
			}
		}
		check(&s);
		assert_int_equal(stack_flush(s.disk), 0);
		ask_qemu(&s, 3);
		rig_free(&s);
	}
}

/* What was flushed last is there, whatever came after it. */
static void what_was_not_flushed_is_lost_and_nothing_else(void **state)
{
	static struct rig s;
	static uint8_t then[BYTES];

	rig_new(&s);
	rig_open(&s, 2);
	put(&s, 100, 3 * C, 1);
	assert_int_equal(stack_flush(s.disk), 0);
	memcpy(then, s.model, BYTES);
	put(&s, 4 * C, 2 * C, 2); /* new clusters: nothing names them yet */
	stack_close(s.disk);
	memcpy(s.model, then, BYTES);
	rig_open(&s, 2);
	check(&s);
	put(&s, 4 * C, 4 * C, 3);
	check(&s);
	assert_int_equal(stack_flush(s.disk), 0);
	ask_qemu(&s, 2);
	rig_free(&s);
}

/* --- images that come while it is used */

/* What was below stays what it was, in the files, without another flush. */
static void an_empty_image_is_pushed_and_what_was_is_no_longer_written(void **state)
{
	static uint8_t then[BYTES];
	struct rig s;

	rig_new(&s);
	rig_open(&s, 2);
	assert_int_equal(stack_push(s.disk, s.fds[2]), -ENOSPC);
	assert_int_equal(stack_reserve(s.disk), 0);
	put(&s, 3000, 2 * C, 8);
	memcpy(then, s.model, BYTES);
	assert_int_equal(stack_push(s.disk, s.fds[2]), 0);
	check(&s);
	put(&s, C - 100, 3 * C, 9);
	clear(&s, 6 * C, C);
	check(&s);
	assert_int_equal(stack_flush(s.disk), 0);
	stack_close(s.disk);
	rig_open(&s, 3);
	check(&s);
	ask_qemu(&s, 3);
	stack_close(s.disk);
	memcpy(s.model, then, BYTES);
	rig_open(&s, 2);
	check(&s);
	ask_qemu(&s, 2);
	rig_free(&s);
}

static void a_raw_disk_becomes_a_stack(void **state)
{
	struct rig s;
	size_t bad;

	rig_new(&s);
	assert_int_equal(ftruncate(s.fds[0], BYTES), 0);
	assert_int_equal(stack_open(s.fds, 1, &s.disk, &bad), 0);
	assert_int_equal(stack_reserve(s.disk), 0);
	assert_int_equal(stack_push(s.disk, s.fds[1]), 0);
	put(&s, 5000, C, 3);
	assert_int_equal(stack_push(s.disk, s.fds[2]), 0);
	put(&s, 9000, 4 * C, 4);
	check(&s);
	assert_int_equal(stack_flush(s.disk), 0);
	ask_qemu(&s, 3);
	rig_free(&s);
}

/* Each that fails costs one place, and changes nothing. */
static void what_is_no_empty_image_of_the_disk_is_not_pushed(void **state)
{
	struct stack *d;
	struct rig s;
	size_t bad;

	rig_new(&s);
	rig_open(&s, 3);
	put(&s, 0, C, 1);
	assert_int_equal(stack_flush(s.disk), 0);
	stack_close(s.disk);
	rig_open(&s, 2);
	assert_int_equal(stack_reserve(s.disk), 0);
	assert_int_equal(stack_push(s.disk, s.fds[2]), -EINVAL); /* it was written to */
	assert_int_equal(ftruncate(s.fds[2], 0), 0);
	assert_int_equal(stack_push(s.disk, s.fds[2]), -EUCLEAN);
	assert_int_equal(qcow2_format(s.fds[2], 2 * BYTES), 0);
	assert_int_equal(stack_push(s.disk, s.fds[2]), -EINVAL);
	assert_int_equal(stack_push(s.disk, -1), -EBADF);
	memset(s.model, 0, C);
	for (size_t k = 0; k < C; k++)
		s.model[k] = (uint8_t)(k / 4096 + 1);
	put(&s, 2 * C, C, 5);
	check(&s);
	assert_int_equal(qcow2_format(s.fds[2], BYTES), 0);
	for (int i = 4; i < STACK_SPARES; i++)
		assert_int_equal(stack_push(s.disk, -1), -EBADF);
	assert_int_equal(stack_push(s.disk, s.fds[2]), -ENOSPC);
	check(&s);
	/* nor on what can be no disk */
	assert_int_equal(ftruncate(s.fds[0], 1000), 0);
	assert_int_equal(stack_open(s.fds, 1, &d, &bad), 0);
	assert_int_equal(stack_reserve(d), -EINVAL);
	assert_int_equal(stack_push(d, s.fds[2]), -ENOSPC);
	stack_close(d);
	rig_free(&s);
}

/* --- empty again */

static void read_whole(int fd, uint8_t *to, size_t n)
{
	assert_int_equal(pread(fd, to, n, 0), (ssize_t)n);
}

/* As formatted, for us and for QEMU; what is written then is there, and nothing of what was. */
static void what_was_written_since_an_image_came_is_given_up(void **state)
{
	static uint8_t then[BYTES], fresh[4 * C], got[4 * C];
	struct stat st;
	struct rig s;

	rig_new(&s);
	read_whole(s.fds[2], fresh, sizeof(fresh));
	rig_open(&s, 2);
	put(&s, 3000, 2 * C, 8);
	assert_int_equal(stack_flush(s.disk), 0);
	stack_close(s.disk);
	rig_open(&s, 3);
	memcpy(then, s.model, BYTES);
	for (int round = 0; round < 3; round++) {
		put(&s, C - 100, 3 * C, 9);
		clear(&s, 6 * C, C);
		if (round)
			assert_int_equal(stack_flush(s.disk), 0);
		put(&s, 4 * C, 1000, 7); /* and is in memory alone */
		assert_int_equal(stack_empty(s.disk), 0);
		memcpy(s.model, then, BYTES);
		check(&s);
		read_whole(s.fds[2], got, sizeof(got));
		assert_memory_equal(got, fresh, sizeof(got));
		assert_int_equal(fstat(s.fds[2], &st), 0);
		assert_true(st.st_blocks * 512 <= 4 * C);
		ask_qemu(&s, 3);
	}
	put(&s, 2 * C, 100, 5);
	check(&s);
	assert_int_equal(stack_flush(s.disk), 0);
	ask_qemu(&s, 3);
	stack_close(s.disk);
	rig_open(&s, 3);
	check(&s);
	rig_free(&s);
}

/* A kill between the one write and the rest: nothing is named, and QEMU finds clusters that are counted only. */
static void who_is_interrupted_leaves_an_image_that_holds_nothing(void **state)
{
	static const uint8_t none[8];
	static uint8_t then[BYTES];
	struct rig s;

	rig_new(&s);
	rig_open(&s, 2);
	memcpy(then, s.model, BYTES);
	put(&s, C, 3 * C, 9);
	assert_int_equal(stack_flush(s.disk), 0);
	stack_close(s.disk);
	assert_int_equal(pwrite(s.fds[1], none, sizeof(none), 3 * C), sizeof(none));
	memcpy(s.model, then, BYTES);
	rig_open(&s, 2);
	check(&s);
	put(&s, 2 * C, 100, 5);
	check(&s);
	assert_int_equal(stack_empty(s.disk), 0);
	memcpy(s.model, then, BYTES);
	check(&s);
	ask_qemu(&s, 2);
	rig_free(&s);
}

static void a_raw_disk_is_not_given_up(void **state)
{
	struct rig s;
	size_t bad;

	rig_new(&s);
	assert_int_equal(stack_open(s.fds, 1, &s.disk, &bad), 0);
	assert_int_equal(stack_empty(s.disk), -ENOTSUP);
	rig_free(&s);
}

/* --- large */

static void a_large_disk_takes_the_room_of_what_is_written(void **state)
{
	const uint64_t bytes = UINT64_C(1) << 40;
	int fds[2] = { file_open(0), file_open(1) };
	uint8_t text[512], got[512] = { 0 };
	const struct iovec out = { text, 512 }, in = { got, 512 };
	struct stack *d;
	struct stat st;
	size_t bad;

	memset(text, 7, sizeof(text));
	assert_int_equal(qcow2_format(fds[1], bytes), 0);
	assert_int_equal(stack_open(fds, 2, &d, &bad), 0);
	for (uint64_t at = 0; at < bytes; at += UINT64_C(1) << 34)
		assert_int_equal(stack_write(d, &out, 1, at + 512, 512), 0);
	assert_int_equal(stack_flush(d), 0);
	assert_int_equal(stack_read(d, &in, 1, (UINT64_C(63) << 34) + 512, 512), 0);
	assert_memory_equal(got, text, 512);
	assert_int_equal(stack_read(d, &in, 1, bytes, 512), -EINVAL);
	assert_int_equal(stack_write(d, &in, 1, bytes - 256, 512), -EINVAL);
	assert_int_equal(stack_clear(d, UINT64_MAX - 5, 512), -EINVAL);
	assert_int_equal(fstat(fds[1], &st), 0);
	assert_true(st.st_size < 150 * C);
	stack_close(d);
	close(fds[0]);
	close(fds[1]);
}

/* --- files that are not what they should be */

static int open_with(size_t at, const void *bytes, size_t n)
{
	int fd = file_open(1), r;
	struct qcow2 *q = NULL;

	assert_int_equal(qcow2_format(fd, BYTES), 0);
	if (n)
		assert_int_equal(pwrite(fd, bytes, n, (off_t)at), n);
	r = qcow2_open(fd, true, &q);
	qcow2_close(q);
	close(fd);
	return r;
}

static void headers_that_are_not_ours_are_refused(void **state)
{
	static const struct {
		size_t at, n;
		uint64_t v;
		int want;
	} cases[] = {
		{ 0, 0, 0, 0 },
		{ 0, 4, 0, -EUCLEAN }, /* magic */
		{ 4, 4, 2, -ENOTSUP }, /* version */
		{ 20, 4, 9, -ENOTSUP }, /* size of clusters */
		{ 24, 8, 0, -EUCLEAN }, /* of the disk */
		{ 24, 8, 513, -EUCLEAN },
		{ 24, 8, UINT64_MAX & ~511ULL, -EUCLEAN },
		{ 32, 4, 1, -ENOTSUP }, /* encrypted */
		{ 36, 4, 0, -EUCLEAN }, /* first level: its size, its place */
		{ 36, 4, UINT32_MAX, -EUCLEAN },
		{ 40, 8, 0, -EUCLEAN },
		{ 40, 8, 3 * C + 8, -EUCLEAN },
		{ 40, 8, UINT64_MAX - C + 1, -EUCLEAN },
		{ 40, 8, 1 * C, -EUCLEAN }, /* that of the refcounts */
		{ 48, 8, 77 * C, -EUCLEAN }, /* refcounts */
		{ 56, 4, 2, -ENOTSUP },
		{ 60, 4, 1, -ENOTSUP }, /* snapshots inside */
		{ 72, 8, 1, -ENOTSUP }, /* left dirty */
		{ 72, 8, 4, -ENOTSUP }, /* data in another file */
		{ 72, 8, 16, -ENOTSUP }, /* extended tables */
		{ 96, 4, 3, -ENOTSUP }, /* width of refcounts */
		{ 100, 4, 72, -EUCLEAN }, /* of the header */
		{ C, 8, 123, -EUCLEAN }, /* a block of refcounts */
		{ C, 8, UINT64_C(1) << 50, -EUCLEAN },
		{ C, 8, 1000 * C, -EUCLEAN },
		{ 8, 8, 4096, 0 }, /* the name of what is below is not looked at */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t v8 = htobe64(cases[i].v);
		uint32_t v4 = htobe32((uint32_t)cases[i].v);
		int r = open_with(cases[i].at, cases[i].n == 8 ? (void *)&v8 : (void *)&v4, cases[i].n);

		if (r != cases[i].want)
			print_error("case %zu: %d\n", i, r);
		assert_int_equal(r, cases[i].want);
	}
}

static void short_files_are_refused(void **state)
{
	for (off_t n = 0; n < 4 * C; n += n < 200 ? 1 : 8191) {
		int fd = file_open(1);
		struct qcow2 *q = NULL;
		int r;

		assert_int_equal(qcow2_format(fd, BYTES), 0);
		assert_int_equal(ftruncate(fd, n), 0);
		r = qcow2_open(fd, true, &q);
		/* a table of the first level that is cut off behind its only entry is whole */
		assert_true(r == -EUCLEAN || (r == 0 && n > 3 * C));
		qcow2_close(q);
		close(fd);
	}
}

static void entries_that_name_no_cluster_are_refused(void **state)
{
	static const uint64_t bad[] = {
		UINT64_C(1) << 62 | 5 * C, /* compressed */
		5 * C + 512,
		2,
		UINT64_C(1) << 63,
		UINT64_C(1) << 55,
		UINT64_C(1) << 60 | 5 * C,
	};
	uint64_t l1 = htobe64(UINT64_C(1) << 63 | 4 * C);

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		uint64_t entry = htobe64(bad[i]);
		struct qcow2_place at;
		int fd = file_open(1);
		struct qcow2 *q;

		assert_int_equal(qcow2_format(fd, BYTES), 0);
		assert_int_equal(pwrite(fd, &l1, 8, 3 * C), 8);
		assert_int_equal(ftruncate(fd, 5 * C), 0);
		assert_int_equal(pwrite(fd, &entry, 8, 4 * C + 8), 8);
		assert_int_equal(qcow2_open(fd, false, &q), 0);
		assert_int_equal(qcow2_find(q, 0, &at), 0);
		assert_int_equal(at.state, QCOW2_NONE);
		assert_int_equal(qcow2_find(q, 1, &at), -EUCLEAN);
		assert_int_equal(qcow2_find(q, UINT64_MAX, &at), -EINVAL);
		qcow2_close(q);
		close(fd);
	}
}

static int make_dir(void **state)
{
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_small_state_reads_as_its_model),
		cmocka_unit_test(two_images_become_one),
		cmocka_unit_test(images_of_other_sizes_stay_two),
		cmocka_unit_test(any_operations_read_as_their_model),
		cmocka_unit_test(what_was_not_flushed_is_lost_and_nothing_else),
		cmocka_unit_test(what_was_written_since_an_image_came_is_given_up),
		cmocka_unit_test(who_is_interrupted_leaves_an_image_that_holds_nothing),
		cmocka_unit_test(a_raw_disk_is_not_given_up),
		cmocka_unit_test(an_empty_image_is_pushed_and_what_was_is_no_longer_written),
		cmocka_unit_test(a_raw_disk_becomes_a_stack),
		cmocka_unit_test(what_is_no_empty_image_of_the_disk_is_not_pushed),
		cmocka_unit_test(a_large_disk_takes_the_room_of_what_is_written),
		cmocka_unit_test(headers_that_are_not_ours_are_refused),
		cmocka_unit_test(short_files_are_refused),
		cmocka_unit_test(entries_that_name_no_cluster_are_refused),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
