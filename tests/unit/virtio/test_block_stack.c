/* test_block_stack.c - the operations of a disk on an image that stands on another */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage/qcow2.h"
#include "virtio/block_io.h"

#define BYTES (4 * QCOW2_CLUSTER)

static int32_t result;
static unsigned n_results;

static void on_done(void *arg, uint16_t tag, int32_t r)
{
	assert_int_equal(tag, 7);
	result = r;
	n_results++;
}

static int32_t put(struct block_io *io, struct block_op op, uint8_t *at)
{
	const struct iovec v[2] = { { at, 100 }, { at ? at + 100 : NULL, op.bytes - 100 } };
	bool moves = op.kind == BLOCK_READ || op.kind == BLOCK_WRITE;

	op.tag = 7;
	op.iov = v;
	op.n_iov = moves ? 2 : 0;
	n_results = 0;
	block_io_put(io, &op);
	block_io_submit(io);
	assert_int_equal(n_results, 1);
	assert_int_equal(io->under_way, 0);
	return result;
}

static void every_operation_is_done_on_the_uppermost_image(void **state)
{
	int fds[2] = { memfd_create("base", MFD_CLOEXEC), memfd_create("top", MFD_CLOEXEC) };
	static uint8_t base[BYTES], model[BYTES], got[BYTES], text[4096];
	struct block_io io;

	memset(base, 1, sizeof(base));
	memset(text, 2, sizeof(text));
	memcpy(model, base, sizeof(model));
	memcpy(model + 70000, text, sizeof(text));
	memset(model + 2 * QCOW2_CLUSTER, 0, QCOW2_CLUSTER + 512);
	assert_int_equal(write(fds[0], base, BYTES), BYTES);
	assert_int_equal(qcow2_format(fds[1], BYTES), 0);
	assert_int_equal(block_io_init_stack(&io, fds, 2), 0);
	io.done = on_done;
	assert_int_equal(block_io_fd(&io), -1);

	assert_int_equal(
		put(&io, (struct block_op){ .kind = BLOCK_WRITE, .offset = 70000, .bytes = 4096 }, text),
		4096);
	assert_int_equal(put(&io,
			     (struct block_op){ .kind = BLOCK_PUNCH,
						.offset = 2 * QCOW2_CLUSTER,
						.bytes = QCOW2_CLUSTER },
			     NULL),
			 0);
	assert_int_equal(
		put(&io, (struct block_op){ .kind = BLOCK_ZERO, .offset = 3 * QCOW2_CLUSTER, .bytes = 512 },
		    NULL),
		0);
	assert_int_equal(put(&io, (struct block_op){ .kind = BLOCK_SYNC }, NULL), 0);
	assert_int_equal(put(&io, (struct block_op){ .kind = BLOCK_READ, .bytes = BYTES }, got), BYTES);
	assert_memory_equal(got, model, BYTES);
	assert_true(put(&io, (struct block_op){ .kind = BLOCK_READ, .offset = BYTES - 512, .bytes = 1024 },
			got) < 0);
	block_io_settle(&io);
	block_io_done(&io);

	/* what was below is as it was, and another reads the same */
	assert_int_equal(pread(fds[0], got, BYTES, 0), BYTES);
	assert_memory_equal(got, base, BYTES);
	assert_int_equal(block_io_init_stack(&io, fds, 2), 0);
	io.done = on_done;
	assert_int_equal(put(&io, (struct block_op){ .kind = BLOCK_READ, .bytes = BYTES }, got), BYTES);
	assert_memory_equal(got, model, BYTES);
	block_io_done(&io);
	close(fds[0]);
	close(fds[1]);
}

/* A vcpu's thread drains, which may not write (vmm/seal.c): tables wait for who may. */
static void to_wait_writes_nothing_and_to_settle_does(void **state)
{
	int fds[2] = { memfd_create("base", MFD_CLOEXEC), memfd_create("top", MFD_CLOEXEC) };
	static uint8_t before[16 * QCOW2_CLUSTER], after[sizeof(before)], text[4096];
	struct block_io io;
	ssize_t n;

	assert_int_equal(ftruncate(fds[0], BYTES), 0);
	assert_int_equal(qcow2_format(fds[1], BYTES), 0);
	assert_int_equal(block_io_init_stack(&io, fds, 2), 0);
	io.done = on_done;
	memset(text, 2, sizeof(text));
	assert_int_equal(put(&io, (struct block_op){ .kind = BLOCK_WRITE, .bytes = 4096 }, text), 4096);
	n = pread(fds[1], before, sizeof(before), 0);
	block_io_drain(&io);
	assert_int_equal(pread(fds[1], after, sizeof(after), 0), n);
	assert_memory_equal(before, after, (size_t)n);
	block_io_settle(&io);
	n = pread(fds[1], after, sizeof(after), 0);
	assert_true(n > 0 && memcmp(before, after, (size_t)n) != 0);
	block_io_done(&io);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_operation_is_done_on_the_uppermost_image),
		cmocka_unit_test(to_wait_writes_nothing_and_to_settle_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
